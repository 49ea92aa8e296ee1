/**
 * @file VASP structure files: POSCAR and CONTCAR of VASP 4, 5 and 6.
 *
 * The format counts lines; it has no delimiters. The grammar knows the order of the lines and tells
 * a line of words from a line of numbers. How many rows are atoms follows from the counts and is
 * arithmetic, not syntax: the rows up to the first blank line are `positions`, the rest is `tail`.
 *
 * The grammar is total: every text has a tree without ERROR nodes. The numbers of a line are one
 * leaf, so that a cell of 10^5 atoms stays cheap.
 */

/// <reference types="tree-sitter-cli/dsl" />
// @ts-check

const number = /[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eEdD][+-]?[0-9]+)?/;

const line = ($, content) => choice($._empty_line, seq($._line_break, content));

export default grammar({
  name: 'poscar',

  // Order is that of `enum TokenType` in src/scanner.c.
  externals: $ => [
    $._line_break,
    $._blank_line,
    $._lattice_break,
    $._trailing_space,
    $.control,
  ],

  // VASP stops reading a line once it has what it needs: remarks may follow.
  extras: $ => [/[ \t\r\n]/, $.remark, $.control, $._trailing_space],

  rules: {
    source_file: $ => seq(optional($.comment), optional($._after_comment)),

    // Until the counts have come, an empty line stands for what should be in its place.
    _after_comment: $ => seq(
      line($, $.scale),
      optional(seq(
        line($, $.vector),
        optional(seq(
          line($, $.vector),
          optional(seq(line($, $.vector), optional($._after_lattice))),
        )),
      )),
    ),

    _after_lattice: $ => choice(
      $._names,
      seq(optional($._names), $._line_break, $.counts, optional($._after_counts)),
    ),

    _names: $ => repeat1(line($, $.species)),

    _after_counts: $ => choice(
      seq(optional($._blank_lines), $._line_break, $.selective_dynamics, optional($._after_selective)),
      $._after_selective,
    ),

    _after_selective: $ => choice(
      $._blank_lines,
      seq(optional($._blank_lines), $._line_break, $.mode, optional($.positions), optional($.tail)),
      // The mode line is missing: a line of numbers is a row.
      seq(
        optional($._blank_lines),
        alias($._positions_without_mode, $.positions),
        optional($.tail),
      ),
    ),

    _blank_lines: $ => repeat1($._empty_line),

    // A line of blanks, or of a remark alone.
    _empty_line: $ => choice($._blank_line, $._line_break),

    comment: $ => repeat1($._text),

    scale: $ => repeat1($._field),
    vector: $ => repeat1($._field),
    species: $ => seq($._element, repeat(choice($._element, $.numbers))),
    _element: $ => alias($._word, $.element),
    counts: $ => seq($.numbers, repeat($._field)),
    selective_dynamics: $ => seq($._selective_word, repeat($._field)),
    mode: $ => seq($._word, repeat($._field)),

    positions: $ => seq($._line_break, repeat($._rows)),

    _positions_without_mode: $ => seq($._line_break, $.row, repeat($._rows)),

    // Velocities and the predictor-corrector record behind a blank line, or the lattice velocities.
    tail: $ => seq(
      choice($._blank_line, seq($._lattice_break, $.lattice_velocities)),
      repeat(choice($._blank_line, $._rows)),
    ),

    // From here on a row begins with its numbers: line breaks are white space, which the parser
    // skips for less than a token each.
    row: $ => prec.right(seq($.numbers, repeat(choice($.flag, alias($._word, $.word))))),
    _rows: $ => choice($.row, $.flag, alias($._word, $.word)),

    _field: $ => choice($.numbers, $.flag, alias($._word, $.word)),

    // Where two match the same text the first wins.
    _text: _ => token(prec(1, /[^\r\n]+/)),
    lattice_velocities: _ => /[lL][^\r\n]*/,
    numbers: _ => token(seq(number, repeat(seq(/[ \t]+/, number)))),
    flag: _ => /\.?([tT]([rR][uU][eE])?|[fF]([aA][lL][sS][eE])?)\.?/,
    _selective_word: _ => /[sS][^ \t\r\n]*/,
    remark: _ => /[!#][^\r\n]*/,
    _word: _ => /[^ \t\r\n!#][^ \t\r\n]*/,
  },
});
