import assert from 'node:assert/strict';
import test from 'node:test';
import { colour } from './grammar.js';

const lines = (...text: string[]) => colour('source.poscar', text.join('\n'));
const LATTICE = ['1 0 0', '0 1 0', '0 0 1'];

test('VASP 5 with selective dynamics: every line by its place', async () => {
  const found = await lines('Si S O, a title', '1.0', ...LATTICE, 'Si S', '1 1', 'Selective dynamics', 'Direct', '0 0 0 T F .TRUE.', '.5 .5 5.0D-1 F F F Si1');
  assert.deepEqual(found[0], [['Si S O, a title', 'comment.line.title.poscar']]);
  assert.deepEqual(found[1], [['1.0', 'constant.numeric.poscar']]);
  assert.deepEqual(found[4], [['0', 'constant.numeric.poscar'], ['0', 'constant.numeric.poscar'], ['1', 'constant.numeric.poscar']]);
  assert.deepEqual(found[5], [['Si', 'entity.name.type.element.poscar'], ['S', 'entity.name.type.element.poscar']]);
  assert.deepEqual(found[6], [['1', 'constant.numeric.count.poscar'], ['1', 'constant.numeric.count.poscar']]);
  assert.deepEqual(found[7], [['Selective dynamics', 'keyword.control.selective-dynamics.poscar']]);
  assert.deepEqual(found[8], [['Direct', 'keyword.control.coordinates.poscar']]);
  assert.deepEqual(found[9]?.map(([, scope]) => scope), [...Array(3).fill('constant.numeric.coordinate.poscar'), ...Array(3).fill('constant.language.boolean.poscar')]);
  assert.deepEqual(found[10]?.[2], ['5.0D-1', 'constant.numeric.coordinate.poscar']);
  assert.equal(found[10]?.at(-1)?.[1], 'comment.line.remark.poscar');
});

test('VASP 4 has no species line', async () => {
  const found = await lines('title', '-40.9', ...LATTICE, '2 1', 'Cartesian', '0 0 0');
  assert.deepEqual(found[5], [['2', 'constant.numeric.count.poscar'], ['1', 'constant.numeric.count.poscar']]);
  assert.deepEqual(found[6], [['Cartesian', 'keyword.control.coordinates.poscar']]);
});

test('VASP 6 species carry the hash of their potential', async () => {
  const found = await lines('t', '1', ...LATTICE, 'Ti_sv/a1b2c3 O/9f', '1 2', 'Direct');
  assert.deepEqual(found[5], [
    ['Ti', 'entity.name.type.element.poscar'], ['_sv', 'comment.potential.poscar'], ['/a1b2c3', 'comment.hash.poscar'],
    ['O', 'entity.name.type.element.poscar'], ['/9f', 'comment.hash.poscar'],
  ]);
});

test('what follows the numbers of a lattice line is a remark', async () => {
  const found = await lines('t', '1 1 2 ! three factors', '1 0 0 along x', '0 1 0', '0 0 1', 'Si', '1 ! one', 'Direct');
  assert.equal(found[1]?.at(-1)?.[1], 'comment.line.remark.poscar');
  assert.equal(found[1]?.length, 4);
  assert.equal(found[2]?.at(-1)?.[1], 'comment.line.remark.poscar');
  assert.deepEqual(found[6], [['1', 'constant.numeric.count.poscar'], ['! one', 'comment.line.remark.poscar']]);
});

test('an empty title still counts as a line', async () => {
  const found = await lines('', '2.5', ...LATTICE, 'Si', '1', 'Direct', '0 0 0');
  assert.deepEqual(found[1], [['2.5', 'constant.numeric.poscar']]);
  assert.deepEqual(found[5], [['Si', 'entity.name.type.element.poscar']]);
  assert.deepEqual(found[7], [['Direct', 'keyword.control.coordinates.poscar']]);
});

test('velocities after the sites', async () => {
  const found = await lines('t', '1', ...LATTICE, 'Si', '1', 'Direct', '0 0 0', '', ' 1.0E-3 0 0');
  assert.deepEqual(found[10]?.[0], ['1.0E-3', 'constant.numeric.coordinate.poscar']);
});
