import assert from 'node:assert/strict';
import test from 'node:test';
import type { RelaxChoice, RelaxResult, Status } from '../src/protocol.js';
import { candidateItems, placeholder, proposal as predicted } from '../src/predict/words.js';
import { UnexpectedEdit, edited, editsFor } from '../src/preview/edits.js';
import { increments } from '../src/relax/progress.js';
import { choiceItems, details, previewQuestion, previewTitle, proposal } from '../src/relax/words.js';
import { brief } from '../src/words.js';
import { details as denoised, proposal as denoising } from '../src/denoise/words.js';
import { proposal as substituted } from '../src/substitute/words.js';
import { serverProgram } from '../src/server.js';
import { statusView } from '../src/status.js';

const URI = 'file:///x/a.cif';
const range = (line: number, from: number, to: number) => ({ start: { line, character: from }, end: { line, character: to } });

test('the server is the one in the extension, unless the setting names another', () => {
  const all = () => true;
  assert.deepEqual(serverProgram('', '/ext', 'linux', all), { path: '/ext/bin/cellwright' });
  assert.deepEqual(serverProgram('', '/ext', 'win32', all), { path: '/ext/bin/cellwright.exe' });
  assert.deepEqual(serverProgram(' /my/cellwright ', '/ext', 'linux', all), { path: '/my/cellwright' });
});

test('a server that is not there is told, never replaced by another one', () => {
  const bundledOnly = (path: string) => path.startsWith('/ext');
  const told = serverProgram('/my/cellwright', '/ext', 'linux', bundledOnly);
  assert.ok('missing' in told && told.missing.includes('/my/cellwright'));
  const none = serverProgram('', '/ext', 'darwin', () => false);
  assert.ok('missing' in none && none.missing.includes('darwin') && none.missing.includes('cellwright.server.path'));
});

test('the status bar names model and device, and a click does what helps', () => {
  const ready: Status = { state: 'ready', model: 'CHGNet 0.3.0', device: 'cpu', message: 'Ready' };
  assert.deepEqual(statusView(ready), { text: '$(check) CHGNet 0.3.0 (cpu)', tooltip: 'Ready\n\nClick for the output.', command: 'cellwright.showOutput', warning: false });
  const absent = statusView({ state: 'notInstalled', message: 'The weights are missing' });
  assert.equal(absent.command, 'cellwright.pullModels');
  assert.match(absent.text, /no energy model/);
  const failed = statusView({ state: 'failed', model: 'CHGNet 0.3.0', message: 'The worker died' });
  assert.ok(failed.warning);
});

test('a way to relax that cannot be done is shown with its reason', () => {
  const choices: RelaxChoice[] = [
    { title: 'Relax positions (keep P n m a)', cell: false, symmetry: 'keep' },
    { title: 'Relax cell and positions (P 1)', cell: true, symmetry: 'none', disabled: 'two atoms share the site Fe1' },
  ];
  const [first, second] = choiceItems(choices);
  assert.equal(first?.label, 'Relax positions (keep P n m a)');
  assert.match(first?.detail ?? '', /cell stays; the space group is kept/);
  assert.match(second?.label ?? '', /circle-slash/);
  assert.equal(second?.detail, 'two atoms share the site Fe1');
});

const SUMMARY = {
  energyBefore: -3.3941, energyAfter: -3.4012, maxForceBefore: 1.2, maxForceAfter: 0.04, steps: 23, converged: true, heldAtoms: 0,
  volumeBefore: 64, volumeAfter: 60.8, rmsDisplacement: 0.0512, maxDisplacement: 0.1, cautions: [] as string[],
};
const RESULT: RelaxResult = {
  version: 3, edit: {}, changed: true, message: 'Relaxed in 23 steps', notes: [] as string[], model: { model: 'CHGNet', version: '0.3.0', device: 'cpu' }, summary: SUMMARY,
};

test('the title of a preview holds what was gained', () => {
  assert.equal(previewTitle(SUMMARY), 'relaxed (−7.1 meV/atom, max |F| 0.040 eV/Å)');
  const { version, title, again } = proposal(RESULT);
  assert.deepEqual([version, title, again], [RESULT.version, previewTitle(SUMMARY), 'Run Relax again.']);
});

test('the question of a preview is short, and the details hold all there is', () => {
  assert.equal(previewQuestion(RESULT), 'Relaxed in 23 steps.');
  assert.deepEqual(details(RESULT), [
    'Relaxed in 23 steps.', 'Atoms moved by 0.051 Å (root mean square), at most 0.100 Å.', 'Volume 64.00 → 60.80 Å³ (−5.00 %).', 'CHGNet 0.3.0 on cpu.',
  ]);
  const notes = ['the velocities behind the atoms are still those from before'];
  const doubtful = { ...RESULT, notes, summary: { ...SUMMARY, volumeAfter: 64, converged: false, cautions: ['Po is outside what the model was trained on'] } };
  assert.equal(previewQuestion(doubtful), 'Relaxed in 23 steps. 2 remarks in the details.');
  assert.doesNotMatch(details(doubtful).join('\n'), /Volume/);
  assert.match(details(doubtful).join('\n'), /not converged.*\n.*\nRemark: Po is outside what the model was trained on\.\nRemark: the velocities .* before\.\nCHGNet/);
});

test('candidates are numbered, and a choice says what it is and how sure', () => {
  const candidate = { title: 'F m -3 m · E −3.3941 eV/atom', description: '62 %', detail: 'from KCl (mp-23193) · Z = 4', edit: {} };
  const [first, second] = candidateItems([candidate, { ...candidate, description: '' }]);
  assert.deepEqual([first?.label, first?.description], ['1. F m -3 m · E −3.3941 eV/atom', '62 %']);
  assert.equal(second?.label, '2. F m -3 m · E −3.3941 eV/atom');
  const sure = predicted(candidate, 7);
  assert.equal(sure.question, 'F m -3 m · E −3.3941 eV/atom (62 % sure): use this structure?');
  assert.deepEqual(sure.details, ['Predicted: F m -3 m · E −3.3941 eV/atom, 62 % sure.', 'from KCl (mp-23193) · Z = 4.']);
  assert.equal(predicted({ ...candidate, description: '' }, 7).question, 'F m -3 m · E −3.3941 eV/atom: use this structure?');
  assert.equal(placeholder(undefined, undefined), 'Looking for candidates…');
  assert.equal(placeholder('3 candidates', undefined), '3 candidates, more on the way…');
  const done = { version: 7, name: 'NaCl', candidates: [candidate], notes: ['no energies'] };
  assert.equal(placeholder('3 candidates', done), 'Which one? no energies.');
});

test('denoising says how far each atom moves and what that gains', () => {
  const model = { model: 'selfsup', version: '1', device: 'cpu' };
  const moves = [{ label: 'O2', distance: 0.1234 }, { label: 'Ti1', distance: 0.05 }];
  const result = {
    version: 4, edit: {}, changed: true, message: 'Denoised: 2 sites moved', notes: [] as string[], model, energyModel: { ...model, model: 'CHGNet' },
    energies: [-8, -8.25] as [number, number], shortest: [1.5, 1.9] as [number, number], rounds: 2, moves,
  };
  const { version, title, question, again } = denoising(result);
  assert.deepEqual([version, title, question, again], [4, 'denoised (−250.0 meV/atom, at most 0.123 Å)', 'Denoised: 2 sites moved.', 'Run Denoise again.']);
  assert.deepEqual(denoised(result), [
    'Denoised: 2 sites moved.', 'O2 moved by 0.123 Å.', 'Ti1 moved by 0.050 Å.', 'Shortest distance 1.50 → 1.90 Å.', 'selfsup 1 on cpu, energies by CHGNet 1.',
  ]);
  const { energies: _, energyModel: __, ...bare } = { ...result, notes: ['no energies'] };
  assert.equal(denoising(bare).title, 'denoised (at most 0.123 Å)');
  assert.equal(denoising(bare).question, 'Denoised: 2 sites moved. One remark in the details.');
  assert.match(denoised(bare).join('\n'), /Remark: no energies\.\nselfsup 1 on cpu\.$/);
});

test('a substitution asks with its chance', () => {
  const { title, question } = substituted({ title: 'Ti1 → Zr', description: '30 %', detail: 'zirconium', edit: {} }, 3);
  assert.deepEqual([title, question], ['substituted (Ti1 → Zr)', 'Ti1 → Zr (30 %): write it?']);
});

test('a long message is cut at a word', () => {
  assert.equal(brief('short'), 'short');
  const long = brief('this needs much memory '.repeat(20), 60);
  assert.ok(long.length <= 60 && long.endsWith(' …') && !long.includes('mem …'), long);
});

test('progress never goes back and never passes 100 percent', () => {
  const increment = increments();
  assert.equal(increment(undefined), undefined);
  assert.deepEqual([0.25, 0.5, 0.4, 0.75, 2].map(increment), [25, 25, 0, 25, 25]);
});

test('the preview is the text after the edits', () => {
  const text = '# µ\r\nO 0.5 0.05 0.5\r\n';
  const edits = [{ range: range(1, 2, 5), newText: '0.498' }, { range: range(1, 6, 10), newText: '0.0000' }];
  assert.equal(edited(text, edits), '# µ\r\nO 0.498 0.0000 0.5\r\n');
});

test('an edit is taken only if it is text, of this document, in this version', () => {
  const edits = [{ range: range(0, 0, 1), newText: 'x' }];
  const change = (uri: string, version: number | null) => ({ documentChanges: [{ textDocument: { uri, version }, edits }] });
  assert.deepEqual(editsFor(change(URI, 3), URI, 3), edits);
  assert.deepEqual(editsFor(change(URI, null), URI, 3), edits);
  assert.deepEqual(editsFor({ changes: { [URI]: edits } }, URI, 3), edits);
  assert.deepEqual(editsFor({}, URI, 3), []);
  assert.throws(() => editsFor(change(URI, 2), URI, 3), UnexpectedEdit);
  assert.throws(() => editsFor(change('file:///etc/passwd', 3), URI, 3), UnexpectedEdit);
  assert.throws(() => editsFor({ changes: { [URI]: edits, 'file:///y': edits } }, URI, 3), UnexpectedEdit);
  assert.throws(() => editsFor({ documentChanges: [{ kind: 'delete', uri: URI }] }, URI, 3), UnexpectedEdit);
});
