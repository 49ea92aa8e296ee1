/**
 * @file Crystallographic Information File, versions 1.1 and 2.0.
 *
 * The grammar is total: every text has a tree without ERROR nodes. What is out of place has a node
 * of its own (`stray_values`, `unexpected`, `unterminated_*`), so one mistake stays one node and an
 * edit re-parses to the same tree as a fresh parse. How many values make a loop row, and what a bare
 * value means, is not syntax (CIF 2.0 EBNF, note on loops): the tree gives a flat list.
 *
 * In a loop the bare values of one line are one leaf, `bare_values`, which white space divides. The
 * parser spends its time by the leaf and cannot reuse the inside of a long list after an edit, so
 * this makes a large table six times cheaper to parse, to edit and to hold.
 *
 * The scanner (src/scanner.c) owns what a regular expression cannot say: text fields begin in the
 * first column only, a quote of CIF 1.1 closes only before white space, brackets are delimiters only
 * behind the magic code of CIF 2.0.
 */

/// <reference types="tree-sitter-cli/dsl" />
// @ts-check

export default grammar({
  name: 'cif',

  // Order is that of `enum TokenType` in src/scanner.c.
  externals: $ => [
    $.comment,
    $.magic,
    $.quoted_string,
    $.triple_quoted_string,
    $.text_field,
    $.unterminated_string,
    $.unterminated_triple,
    $.unterminated_text,
    $.bare_value,
    $.bare_values,
    $._lone_value,
    $._list_open,
    $._list_close,
    $._table_open,
    $._table_close,
    $.table_key,
    $._colon,
  ],

  extras: $ => [/[ \t\r\n]/, $.comment],

  rules: {
    source_file: $ => seq(optional($.magic), repeat($._content), repeat($.data_block)),

    data_block: $ => seq($.data_heading, repeat($._content)),

    _content: $ => choice($._frame_content, $.save_frame, alias($.save_end, $.unexpected)),

    _frame_content: $ => choice($.item, $.loop, $.stray_values, $.unexpected),

    // A frame that is not closed ends where the next frame or block begins.
    save_frame: $ => prec.right(seq($.save_heading, repeat($._frame_content), optional($.save_end))),

    item: $ => prec.right(seq($.name, optional($._one_value))),

    loop: $ => prec.right(seq($.loop_keyword, repeat($.name), repeat($._values))),

    // Values that belong to no name: a whole run is one node.
    stray_values: $ => prec.right(repeat1($._values)),

    unexpected: $ => choice($._stop, $._global, $._list_close, $._table_close),

    // Where any number of values may stand.
    _values: $ => choice($.bare_value, $.bare_values, $._delimited_value),

    // Where one value is wanted: the scanner takes one word only.
    _one_value: $ => choice(alias($._lone_value, $.bare_value), $._delimited_value),

    _delimited_value: $ => choice(
      $.quoted_string,
      $.triple_quoted_string,
      $.text_field,
      $.list,
      $.table,
      $.unterminated_string,
      $.unterminated_triple,
      $.unterminated_text,
    ),

    list: $ => prec.right(seq(
      alias($._list_open, '['),
      repeat($._one_value),
      optional(alias($._list_close, ']')),
    )),

    table: $ => prec.right(seq(
      alias($._table_open, '{'),
      repeat(choice($.table_entry, $._one_value)),
      optional(alias($._table_close, '}')),
    )),

    table_entry: $ => prec.right(seq($.table_key, alias($._colon, ':'), optional($._one_value))),

    // Reserved words are case-insensitive; `data_` and `save_` are so as prefixes, the others only
    // as whole words: the scanner leaves no other word to these rules.
    data_heading: _ => /[dD][aA][tT][aA]_[^ \t\r\n]*/,
    save_heading: _ => /[sS][aA][vV][eE]_[^ \t\r\n]+/,
    save_end: _ => /[sS][aA][vV][eE]_/,
    loop_keyword: _ => /[lL][oO][oO][pP]_/,
    _stop: _ => /[sS][tT][oO][pP]_/,
    _global: _ => /[gG][lL][oO][bB][aA][lL]_/,

    name: _ => /_[^ \t\r\n]*/,
  },
});
