import assert from 'node:assert/strict';
import test from 'node:test';
import { type Piece, colour } from './grammar.js';

const line = async (text: string): Promise<Piece[]> => (await colour('source.cif', text))[0] ?? [];
const lines = (text: string) => colour('source.cif', text);
/** Pieces joined by their scope's first word or two, for tests about extent and not about punctuation. */
const scopes = (pieces: Piece[]) => pieces.map(([, scope]) => scope);

test('a block heading, in any case of letters', async () => {
  assert.deepEqual(await line('data_NaCl'), [['data_', 'keyword.control.block.cif'], ['NaCl', 'entity.name.section.block.cif']]);
  assert.deepEqual(scopes(await line('DATA_x')), ['keyword.control.block.cif', 'entity.name.section.block.cif']);
  assert.deepEqual(scopes(await line('data_')), ['invalid.illegal.block-without-name.cif']);
});

test('save frames open with a name and close without one', async () => {
  assert.deepEqual(await line('save_cell.length_a'), [['save_', 'keyword.control.frame.cif'], ['cell.length_a', 'entity.name.section.frame.cif']]);
  assert.deepEqual(await line('save_'), [['save_', 'keyword.control.frame.cif']]);
});

test('a number and its standard uncertainty', async () => {
  assert.deepEqual(await line('_cell_length_a 5.4310(1)'), [
    ['_cell_length_a', 'entity.name.tag.cif'],
    ['5.4310', 'constant.numeric.cif'],
    ['(1)', 'comment.uncertainty.cif'],
  ]);
  for (const number of ['0', '-1', '+.5', '1.', '1e-3', '-2.5E+10']) {
    assert.deepEqual(await line(number), [[number, 'constant.numeric.cif']]);
  }
  for (const word of ['1a', '-x', '5.43(', '2_555', '1-2']) {
    assert.deepEqual(await line(word), [[word, 'string.unquoted.cif']]);
  }
});

test('unknown and inapplicable are words of their own', async () => {
  assert.deepEqual(scopes(await line('? . ?x')), ['constant.language.unknown.cif', 'constant.language.inapplicable.cif', 'string.unquoted.cif']);
});

test('CIF 1.1: a quote inside a quoted string does not close it', async () => {
  assert.deepEqual(await line("'O1'' 'x'"), [
    ["'", 'punctuation.definition.string.begin.cif'], ["O1'", 'string.quoted.single.cif'], ["'", 'punctuation.definition.string.end.cif'],
    ["'", 'punctuation.definition.string.begin.cif'], ['x', 'string.quoted.single.cif'], ["'", 'punctuation.definition.string.end.cif'],
  ]);
  assert.deepEqual(scopes(await line('"never closed')), ['invalid.illegal.unclosed-string.cif']);
});

test('a quote or a hash inside a word is part of the word', async () => {
  assert.deepEqual(await line("O1' a#b"), [["O1'", 'string.unquoted.cif'], ['a#b', 'string.unquoted.cif']]);
  assert.deepEqual(await line('1 # remark'), [['1', 'constant.numeric.cif'], ['# remark', 'comment.line.number-sign.cif']]);
});

test('a text field hides everything in it until a semicolon in the first column', async () => {
  const found = await lines("_x\n;first ; line\ndata_no 'open\n;\nloop_");
  assert.deepEqual(found[2], [["data_no 'open", 'string.quoted.other.text-field.cif']]);
  assert.deepEqual(found[4], [['loop_', 'keyword.control.loop.cif']]);
});

test('CIF 1.1 knows no lists, so a bracket does not swallow the rest of the file', async () => {
  const found = await lines("_x [Cu(H2O)4\n_y 1");
  assert.deepEqual(found[0]?.[1], ['[Cu(H2O)4', 'string.unquoted.cif']);
  assert.deepEqual(found[1]?.[0], ['_y', 'entity.name.tag.cif']);
});

test('CIF 2.0: lists, tables and triple quotes after the magic code', async () => {
  const found = await lines('#\\#CIF_2.0\n_x [1 \'a\' [2]]\n_y {\'key\':1.5(2)}\n_z """two\nlines""" 3\n_w 7');
  assert.equal(found[0]?.[0]?.[1], 'keyword.other.magic.cif');
  assert.deepEqual(found[1]?.map(([text]) => text), ['_x', '[', '1', "'", 'a', "'", '[', '2', ']', ']']);
  assert.deepEqual(found[1]?.[2], ['1', 'constant.numeric.cif']);
  assert.deepEqual(found[2]?.slice(2), [
    ["'key'", 'support.type.property-name.cif'], [':', 'punctuation.separator.key-value.cif'],
    ['1.5', 'constant.numeric.cif'], ['(2)', 'comment.uncertainty.cif'], ['}', 'punctuation.definition.table.end.cif'],
  ]);
  assert.deepEqual(found[4]?.at(-1), ['3', 'constant.numeric.cif']);
  assert.deepEqual(found[5], [['_w', 'entity.name.tag.cif'], ['7', 'constant.numeric.cif']]);
});

test('reserved words that no dialect allows', async () => {
  assert.deepEqual(scopes(await line('global_ stop_')), ['invalid.illegal.reserved.cif', 'invalid.illegal.reserved.cif']);
});
