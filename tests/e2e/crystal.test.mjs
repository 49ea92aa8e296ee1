// The main job, done the way a user does it: a broken crystal is opened, mended, relaxed and saved.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openSession } from './session.mjs';

const BROKEN = 'perovskite-broken.cif';
const LARGE = 'POSCAR_MgO_large';
const SLAB = 'POSCAR_MgO_slab';
const MMCIF = 'rutile.mmcif';
const COMPOSITION = 'composition.cif';
const MASKED = 'masked.cif';
const PERTURBED = 'perovskite-perturbed.cif';

// Magnesium oxide, 216 atoms, every one pushed off its place: relaxing it takes long enough to be stopped on any machine.
function rocksalt(cells) {
  const rows = { Mg: [], O: [] };
  for (let i = 0; i < (2 * cells) ** 3; i += 1) {
    const place = [i % (2 * cells), Math.floor(i / (2 * cells)) % (2 * cells), Math.floor(i / (2 * cells) ** 2)];
    const pushed = place.map((x, axis) => ((x + 0.06 * Math.sin(7 * i + 2 * axis)) / (2 * cells)).toFixed(5));
    rows[place[0] % 2 === (place[1] + place[2]) % 2 ? 'Mg' : 'O'].push(pushed.join(' '));
  }
  const edge = 4.21 * cells;
  const lattice = [[edge, 0, 0], [0, edge, 0], [0, 0, edge]].map((v) => v.join(' '));
  return ['MgO', '1.0', ...lattice, 'Mg O', `${rows.Mg.length} ${rows.O.length}`, 'Direct', ...rows.Mg, ...rows.O, ''].join('\n');
}

let session;
let user;
before(async () => {
  session = await openSession(BROKEN, [LARGE, rocksalt(3)], SLAB, COMPOSITION, MASKED, PERTURBED, `rutile.cif as ${MMCIF}`);
  user = session.user;
});
after(async () => {
  await user?.picture('last');
  await session?.close();
});

const lineOf = (text, part) => text.split('\n').findIndex((line) => line.includes(part)) + 1;
// Fractional coordinates of a site of the loop in these examples.
const site = (text, label) => {
  const row = text.split('\n').find((line) => line.startsWith(`${label} `));
  return row.trim().split(/\s+/).slice(2, 5).map(Number);
};

test('a broken CIF shows a too short distance and a charge that does not add up', async () => {
  await user.open(BROKEN);
  await user.page.locator('.squiggly-error').first().waitFor();
  await user.page.locator('.squiggly-warning').first().waitFor();
  await user.openProblems();
  await user.problem(/O2.*O3|O3.*O2/).first().waitFor();
  await user.problem(/charge/i).first().waitFor();
  await user.picture('problems');
});

test('the lightbulb mends the volume', async () => {
  const wrong = user.problem(/volume/i).first();
  await wrong.dblclick();
  await user.page.locator('.monaco-editor [class*=codicon-gutter-lightbulb]').first().waitFor();
  const fix = user.page.locator('.action-widget .monaco-list-row.focused', { hasText: /volume/i });
  await user.pressUntil('Control+.', fix);
  await user.picture('lightbulb');
  await user.page.keyboard.press('Enter');
  await wrong.waitFor({ state: 'detached' });
  assert.match(await user.save(BROKEN), /^_cell_volume +59\.5\d*$/m);
});

test('the error goes when the slipped digit is corrected', async () => {
  await user.retypeLine(lineOf(user.onDisk(BROKEN), 'O3  O'), 'O3  O  0.00 0.50 0.50');
  await user.problem(/O2.*O3|O3.*O2/).first().waitFor({ state: 'detached' });
  await user.picture('mended');
  const text = await user.save(BROKEN);
  assert.deepEqual(site(text, 'O3'), [0, 0.5, 0.5]);
});

test('Relax shows the difference, applies as one undo step, and the file on disk follows', async () => {
  const before = user.onDisk(BROKEN);
  await user.clickLens('Relax');
  await user.picture('ways');
  await user.pick(/^Relax positions/);
  const preview = user.page.locator('.tab.active', { hasText: 'relaxed' });
  await user.expect(preview, 120_000);
  await user.page.locator('.monaco-diff-editor .char-insert, .monaco-diff-editor .line-insert').first().waitFor();
  await user.picture('difference');
  assert.equal(user.onDisk(BROKEN), before, 'nothing is applied before the user agrees');

  await user.notification('Relaxed in').getByRole('button', { name: 'Apply' }).click();
  await preview.waitFor({ state: 'detached' });
  await user.page.locator(`.tab.active.dirty[data-resource-name="${BROKEN}"]`).waitFor();
  await user.focusEditor();
  await user.picture('applied');
  const relaxed = await user.save(BROKEN);
  const [, , z] = site(relaxed, 'Ti1');
  assert.ok(Math.abs(z - site(before, 'Ti1')[2]) > 0.001, `titanium moved: ${z}`);
  assert.ok(relaxed.startsWith(before.split('\n')[0]), 'the comment survives');
  assert.equal(relaxed.split('\n').length, before.split('\n').length);

  await user.page.keyboard.press('Control+Z');
  await user.page.locator(`.tab.active.dirty[data-resource-name="${BROKEN}"]`).waitFor();
  assert.equal(await user.save(BROKEN), before, 'one undo brings the old text back');
  await user.page.keyboard.press('Control+Shift+Z');
  await user.page.locator(`.tab.active.dirty[data-resource-name="${BROKEN}"]`).waitFor();
  assert.equal(await user.save(BROKEN), relaxed, 'and one redo the new');
  await user.page.keyboard.press('Control+Home');
  await user.page.locator('.codelens-decoration:visible', { hasText: /max \|F\| 0\.0/ }).first().waitFor();
  await user.picture('saved');
});

test('a relaxation that is cancelled changes nothing', async () => {
  await user.open(LARGE);
  const before = user.onDisk(LARGE);
  await user.command('Cellwright: Relax');
  await user.pick(/^Relax positions/);
  const running = user.notification('Relaxing');
  await user.expect(running, 30_000);
  await user.picture('running');
  await running.getByRole('button', { name: 'Cancel' }).click();
  await running.waitFor({ state: 'detached' });
  assert.equal(await user.page.locator('.tab', { hasText: 'relaxed' }).count(), 0);
  assert.equal(await user.page.locator('.tab.dirty').count(), 0);
  assert.equal(user.onDisk(LARGE), before);
});

test('an edit while a relaxation runs is never overwritten', async () => {
  const before = user.onDisk(LARGE);
  await user.command('Cellwright: Relax');
  await user.pick(/^Relax positions/);
  await user.expect(user.notification('Relaxing'), 30_000);
  await user.retypeLine(1, '# edited meanwhile');
  await user.notification(/chang/i).waitFor();
  await user.picture('changed-meanwhile');
  const [first, ...rest] = (await user.save(LARGE)).split('\n');
  assert.equal(first, '# edited meanwhile');
  assert.deepEqual(rest, before.split('\n').slice(1), 'nothing else changed');
  assert.equal(await user.page.locator('.tab', { hasText: 'relaxed' }).count(), 0);
});

test('a composition becomes the structure that the user picks, in one undo step', async () => {
  await user.open(COMPOSITION);
  const before = user.onDisk(COMPOSITION);
  await user.clickLens('Predict structure of SrTiO3');
  await user.page.locator('.quick-input-list .monaco-list-row', { hasText: /eV\/atom.*hull/ }).first().waitFor();
  await user.picture('candidates');
  await user.pick(/^1\. P /);
  const preview = user.page.locator('.tab.active', { hasText: 'predicted' });
  await user.expect(preview, 60_000);
  await user.picture('predicted');
  assert.equal(user.onDisk(COMPOSITION), before, 'nothing is applied before the user agrees');
  await user.notification('use this structure?').getByRole('button', { name: 'Apply' }).click();
  await preview.waitFor({ state: 'detached' });
  await user.page.locator(`.tab.active.dirty[data-resource-name="${COMPOSITION}"]`).waitFor();
  await user.focusEditor();
  const text = await user.save(COMPOSITION);
  assert.ok(text.startsWith(before.trimEnd()), 'the request stays where it was');
  assert.match(text, /^data_SrTiO3\n# predicted by Cellwright \S+ from .+/m);
  assert.match(text, /^ *Sr1 +Sr /m);
  await user.lens('Relax').then((lens) => lens.waitFor());
  await user.picture('composition-answered');
  await user.page.keyboard.press('Control+Z');
  await user.page.locator(`.tab.active.dirty[data-resource-name="${COMPOSITION}"]`).waitFor();
  assert.equal(await user.save(COMPOSITION), before, 'one undo brings the composition back');
});

test('a masked site shows the best guess, and the lightbulb writes an element in one undo step', async () => {
  await user.open(MASKED);
  const before = user.onDisk(MASKED);
  await user.page.locator('.view-line', { hasText: /X2\s.*[A-Z][a-z]?\s(<\s)?\d+\s%\?/ }).first().waitFor();
  await user.picture('guesses');
  await user.goTo(lineOf(before, 'X2 '));
  const action = (text) => user.page.locator('.action-widget .monaco-list-row', { hasText: text }).first();
  await user.pressUntil('Control+.', action(/^Complete X2 → /));
  await action(/^Complete all 2 masked sites → /).waitFor();
  await user.picture('completions');
  const chosen = /X2 → ([A-Z][a-z]?)/.exec(await action(/^Complete X2 → /).innerText())[1];
  await action(/^Complete X2 → /).click();
  await user.page.locator(`.tab.active.dirty[data-resource-name="${MASKED}"]`).waitFor();
  const completed = await user.save(MASKED);
  assert.equal(completed, before.replace('X2   ?   ', `X2   ${chosen}`.padEnd(9)), 'only the symbol changes');
  await user.page.keyboard.press('Control+Z');
  await user.page.locator(`.tab.active.dirty[data-resource-name="${MASKED}"]`).waitFor();
  assert.equal(await user.save(MASKED), before, 'one undo brings the mask back');
});

test('Denoise shows how far atoms move, and nothing is applied before the user agrees', async () => {
  await user.open(PERTURBED);
  const before = user.onDisk(PERTURBED);
  await user.command('Cellwright: Denoise Positions');
  const question = user.notification(/Denoised: \d+ sites? moved|Nothing (to move|was moved)/);
  await user.expect(question, 120_000);
  await user.picture('denoised');
  assert.equal(user.onDisk(PERTURBED), before);
  const text = await question.innerText();
  if (/^Nothing/m.test(text)) return;
  await question.getByRole('button', { name: 'Apply' }).click();
  await user.page.locator(`.tab.active.dirty[data-resource-name="${PERTURBED}"]`).waitFor();
  const denoised = await user.save(PERTURBED);
  assert.notEqual(denoised, before);
  assert.equal(denoised.split('\n').length, before.split('\n').length);
  await user.page.keyboard.press('Control+Z');
  await user.page.locator(`.tab.active.dirty[data-resource-name="${PERTURBED}"]`).waitFor();
  assert.equal(await user.save(PERTURBED), before, 'one undo brings the old positions back');
});

test('a POSCAR with selective dynamics is clean and has its lens', async () => {
  await user.open(SLAB);
  await (await user.lens('Relax')).waitFor();
  await user.page.locator('.statusbar-item', { hasText: 'CHGNet' }).first().waitFor();
  assert.equal(await user.page.locator('.squiggly-error').count(), 0);
  await user.picture('poscar');
});

test('atoms that selective dynamics holds are counted in the question', async () => {
  await user.clickLens('Relax');
  await user.pick(/^Relax positions/);
  const question = user.notification(/\d+ atoms held/);
  await user.expect(question, 120_000);
  await user.picture('held');
  await question.getByRole('button', { name: 'Discard' }).click();
  await user.page.locator('.tab', { hasText: 'relaxed' }).waitFor({ state: 'detached' });
});

test('a file that another extension calls mmcif is served too', async () => {
  await user.open(MMCIF);
  await user.page.locator('.statusbar-item', { hasText: 'mmCIF' }).first().waitFor();
  await (await user.lens('Relax')).waitFor();
  await user.picture('mmcif');
});

test('installing a model that is there says so', async () => {
  await user.command('Cellwright: Install the Energy Model');
  await user.expect(user.notification('The energy model is installed.'), 60_000);
  await user.picture('installed');
});
