// Line breaks and control bytes of VASP structure files.
//
// A line break is `\n`, `\r\n` or a lone `\r`, and one token each, which also tells whether the line
// behind it is empty. White space up to the end of the file is no line at all. NUL bytes, which the generated
// lexer takes for the end of the file, become a node of their own, so that no byte is lost.

#include "tree_sitter/parser.h"

enum TokenType { LINE_BREAK, BLANK_LINE, LATTICE_BREAK, TRAILING_SPACE, CONTROL };

static inline bool is_blank(int32_t c) { return c == ' ' || c == '\t'; }

static inline bool is_break(int32_t c) { return c == '\n' || c == '\r'; }

static bool scan_control(TSLexer *lexer) {
  while (lexer->lookahead == 0 && !lexer->eof(lexer)) lexer->advance(lexer, false);
  lexer->mark_end(lexer);
  lexer->result_symbol = CONTROL;
  return true;
}

bool tree_sitter_poscar_external_scanner_scan(void *payload, TSLexer *lexer, const bool *valid) {
  (void)payload;
  while (is_blank(lexer->lookahead)) lexer->advance(lexer, true);
  if (lexer->eof(lexer)) return false;
  if (lexer->lookahead == 0) return scan_control(lexer);
  if (!is_break(lexer->lookahead)) return false;
  // Before the atoms each line break is a token, from there on only those that mean something.
  bool carriage_return = lexer->lookahead == '\r';
  lexer->advance(lexer, false);
  if (carriage_return && lexer->lookahead == '\n') lexer->advance(lexer, false);
  lexer->mark_end(lexer);
  while (is_blank(lexer->lookahead)) lexer->advance(lexer, false);
  int32_t next = lexer->lookahead;
  if (next == 0 && lexer->eof(lexer)) {
    lexer->result_symbol = TRAILING_SPACE;
    return true;
  }
  if (is_break(next) && valid[BLANK_LINE]) {
    lexer->result_symbol = BLANK_LINE;
    return true;
  }
  // `Lattice velocities and vectors`, which VASP knows by its first letter.
  if ((next == 'L' || next == 'l') && valid[LATTICE_BREAK]) {
    lexer->result_symbol = LATTICE_BREAK;
    return true;
  }
  if (valid[LINE_BREAK]) {
    lexer->result_symbol = LINE_BREAK;
    return true;
  }
  // The generated lexer would skip the line break, and then stop for good.
  return next == 0 && scan_control(lexer);
}

void *tree_sitter_poscar_external_scanner_create(void) { return NULL; }

void tree_sitter_poscar_external_scanner_destroy(void *payload) { (void)payload; }

unsigned tree_sitter_poscar_external_scanner_serialize(void *payload, char *buffer) {
  (void)payload;
  (void)buffer;
  return 0;
}

void tree_sitter_poscar_external_scanner_deserialize(void *payload, const char *buffer,
                                                     unsigned length) {
  (void)payload;
  (void)buffer;
  (void)length;
}
