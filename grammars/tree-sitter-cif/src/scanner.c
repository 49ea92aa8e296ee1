// Tokens of CIF that need to know the column, the next character or the version of the file.
//
// The scanner skips white space itself, so that it sees the line break before a semicolon: a token
// carries the space in front of it, and nothing has to ask for the column (which would recount the
// line each time and tie a token to everything left of it).
//
// What it does not take (data names and reserved words) goes to the generated lexer.

#include "tree_sitter/alloc.h"
#include "tree_sitter/parser.h"

#include <string.h>

enum TokenType {
  COMMENT,
  MAGIC,
  QUOTED_STRING,
  TRIPLE_QUOTED_STRING,
  TEXT_FIELD,
  UNTERMINATED_STRING,
  UNTERMINATED_TRIPLE,
  UNTERMINATED_TEXT,
  BARE_VALUE,
  BARE_VALUES,
  LONE_VALUE,
  LIST_OPEN,
  LIST_CLOSE,
  TABLE_OPEN,
  TABLE_CLOSE,
  TABLE_KEY,
  COLON,
};

// The one bit of state: whether the file began with the magic code of CIF 2.0.
typedef struct {
  bool version2;
} Scanner;

static inline bool is_break(int32_t c) { return c == '\n' || c == '\r'; }

static inline bool is_space(int32_t c) { return c == ' ' || c == '\t' || is_break(c); }

static inline bool is_bracket(int32_t c) { return c == '[' || c == ']' || c == '{' || c == '}'; }

static inline void advance(TSLexer *lexer) { lexer->advance(lexer, false); }

static inline bool at_end(TSLexer *lexer) { return lexer->lookahead == 0 && lexer->eof(lexer); }

static inline bool at_line_end(TSLexer *lexer) {
  return is_break(lexer->lookahead) || at_end(lexer);
}

static inline bool at_word_end(TSLexer *lexer) {
  return is_space(lexer->lookahead) || at_end(lexer);
}

static inline bool accept(TSLexer *lexer, enum TokenType type) {
  lexer->mark_end(lexer);
  lexer->result_symbol = type;
  return true;
}

static void skip_line(TSLexer *lexer) {
  while (!at_line_end(lexer)) advance(lexer);
}

// `#\#CIF_1.1`, `#\#CIF_2.0` at the very start of the file, or any other comment.
static bool scan_first_comment(Scanner *scanner, TSLexer *lexer) {
  static const char prefix[] = "#\\#CIF_";
  static const char two[] = "2.0";
  for (const char *p = prefix; *p; p++) {
    if (lexer->lookahead != *p) {
      skip_line(lexer);
      return accept(lexer, COMMENT);
    }
    advance(lexer);
  }
  const char *p = two;
  while (*p && lexer->lookahead == *p) {
    advance(lexer);
    p++;
  }
  scanner->version2 = !*p && at_word_end(lexer);
  skip_line(lexer);
  return accept(lexer, MAGIC);
}

// Behind the opening semicolon: up to and with the next semicolon in the first column.
static bool scan_text_field(TSLexer *lexer) {
  for (;;) {
    if (at_end(lexer)) return accept(lexer, UNTERMINATED_TEXT);
    bool line_break = is_break(lexer->lookahead);
    advance(lexer);
    if (line_break && lexer->lookahead == ';') {
      advance(lexer);
      return accept(lexer, TEXT_FIELD);
    }
  }
}

// Behind three opening quotes. Whether the three closing ones are there.
static bool skip_triple(TSLexer *lexer, int32_t quote) {
  for (unsigned run = 0; run < 3;) {
    if (at_end(lexer)) return false;
    run = lexer->lookahead == quote ? run + 1 : 0;
    advance(lexer);
  }
  return true;
}

// CIF 1.1: a quote closes only where white space follows. Strings stay on their line.
static bool scan_quoted1(TSLexer *lexer) {
  int32_t quote = lexer->lookahead;
  advance(lexer);
  for (;;) {
    if (at_line_end(lexer)) return accept(lexer, UNTERMINATED_STRING);
    bool closing = lexer->lookahead == quote;
    advance(lexer);
    if (closing && at_word_end(lexer)) return accept(lexer, QUOTED_STRING);
  }
}

// CIF 2.0: the first matching quote closes; three open a string over lines; before a colon in a
// table the string is a key.
static bool scan_quoted2(TSLexer *lexer, const bool *valid) {
  int32_t quote = lexer->lookahead;
  enum TokenType type = QUOTED_STRING;
  advance(lexer);
  if (lexer->lookahead != quote) {
    while (lexer->lookahead != quote) {
      if (at_line_end(lexer)) return accept(lexer, UNTERMINATED_STRING);
      advance(lexer);
    }
    advance(lexer);
  } else {
    advance(lexer);
    if (lexer->lookahead == quote) {
      type = TRIPLE_QUOTED_STRING;
      advance(lexer);
      if (!skip_triple(lexer, quote)) return accept(lexer, UNTERMINATED_TRIPLE);
    }
  }
  return accept(lexer, valid[TABLE_KEY] && lexer->lookahead == ':' ? TABLE_KEY : type);
}

static bool is_reserved(const char *head, unsigned length) {
  static const char *const prefixes[] = {"data_", "save_"};
  static const char *const words[] = {"loop_", "stop_", "global_"};
  for (unsigned i = 0; i < 2; i++) {
    if (length >= 5 && memcmp(head, prefixes[i], 5) == 0) return true;
  }
  for (unsigned i = 0; i < 3; i++) {
    if (length == strlen(words[i]) && memcmp(head, words[i], length) == 0) return true;
  }
  return false;
}

// Skips one bare word; whether it may stand for a value. Brackets end a word of CIF 2.0; in CIF 1.1
// they are letters like any other.
static bool skip_word(Scanner *scanner, TSLexer *lexer) {
  char head[8];
  unsigned length = 0;
  while (!at_word_end(lexer) && !(scanner->version2 && is_bracket(lexer->lookahead))) {
    int32_t c = lexer->lookahead;
    if (length < sizeof head) head[length] = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c < 128 ? c : 0);
    length++;
    advance(lexer);
  }
  return !is_reserved(head, length);
}

static bool starts_word(Scanner *scanner, TSLexer *lexer) {
  switch (lexer->lookahead) {
    case '_':
    case '#':
    case '\'':
    case '"': return false;
    default: return !at_word_end(lexer) && !(scanner->version2 && is_bracket(lexer->lookahead));
  }
}

// One bare value, or all that follow each other on the line where any number may stand.
static bool scan_words(Scanner *scanner, TSLexer *lexer, const bool *valid) {
  if (!starts_word(scanner, lexer) || !skip_word(scanner, lexer)) return false;
  if (valid[LONE_VALUE]) return accept(lexer, LONE_VALUE);
  accept(lexer, BARE_VALUE);
  for (;;) {
    while (lexer->lookahead == ' ' || lexer->lookahead == '\t') advance(lexer);
    if (!starts_word(scanner, lexer) || !skip_word(scanner, lexer)) return true;
    accept(lexer, BARE_VALUES);
  }
}

// Delimiters of CIF 2.0.
static bool scan_bracket(TSLexer *lexer, enum TokenType type) {
  advance(lexer);
  return accept(lexer, type);
}

bool tree_sitter_cif_external_scanner_scan(void *payload, TSLexer *lexer, const bool *valid) {
  Scanner *scanner = payload;
  bool skipped = false;
  bool first_column = false;
  while (is_space(lexer->lookahead)) {
    first_column = is_break(lexer->lookahead);
    skipped = true;
    lexer->advance(lexer, true);
  }
  if (at_end(lexer)) return false;
  // In CIF 1.1 tokens end at white space only, so where none was skipped the file begins.
  bool file_start = valid[MAGIC] && !skipped;

  if (lexer->lookahead == '#') {
    if (file_start) return scan_first_comment(scanner, lexer);
    skip_line(lexer);
    return accept(lexer, COMMENT);
  }
  if (lexer->lookahead == ';' && (first_column || file_start)) {
    advance(lexer);
    return scan_text_field(lexer);
  }
  bool version2 = scanner->version2;
  switch (lexer->lookahead) {
    case '\'':
    case '"': return version2 ? scan_quoted2(lexer, valid) : scan_quoted1(lexer);
    case '[': if (version2) return scan_bracket(lexer, LIST_OPEN); break;
    case ']': if (version2) return scan_bracket(lexer, LIST_CLOSE); break;
    case '{': if (version2) return scan_bracket(lexer, TABLE_OPEN); break;
    case '}': if (version2) return scan_bracket(lexer, TABLE_CLOSE); break;
    // A key is a key only right before a colon, so where one is wanted it is there.
    case ':': if (valid[COLON]) return scan_bracket(lexer, COLON); break;
    default: break;
  }
  return scan_words(scanner, lexer, valid);
}

void *tree_sitter_cif_external_scanner_create(void) { return ts_calloc(1, sizeof(Scanner)); }

void tree_sitter_cif_external_scanner_destroy(void *payload) { ts_free(payload); }

unsigned tree_sitter_cif_external_scanner_serialize(void *payload, char *buffer) {
  buffer[0] = (char)((Scanner *)payload)->version2;
  return 1;
}

void tree_sitter_cif_external_scanner_deserialize(void *payload, const char *buffer,
                                                  unsigned length) {
  ((Scanner *)payload)->version2 = length > 0 && buffer[0];
}
