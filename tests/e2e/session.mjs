// A user with the extension in VS Code, in a browser: one workbench and one page for all tests of a file.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { serveWorkbench } from '../../editor-ext/workbench/serve.mjs';

const ROOT = join(import.meta.dirname, '..', '..');
const PICTURES = join(ROOT, '.cellwright', 'e2e');

// As root Chromium needs `--no-sandbox`; the rest keeps it from calling home.
const BROWSER = [
  '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update',
  '--disable-sync', '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
];
const SETTINGS = {
  // Another extension's language, see `claimLanguage`.
  'files.associations': { '*.mmcif': 'mmcif' },
  'git.enabled': false, 'files.autoSave': 'off', 'workbench.reduceMotion': 'on', 'editor.cursorBlinking': 'solid',
};

/** Waits until `probe` gives something true, and gives that back. */
export async function until(probe, what, limit = 30_000) {
  const deadline = Date.now() + limit;
  for (;;) {
    const value = await probe();
    if (value) return value;
    if (Date.now() > deadline) throw new Error(`waited ${limit / 1000} s for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/**
 * Packages an extension that claims a language and does nothing else, as other people's extensions do.
 * @param {string} folder where to put it
 * @returns {string} the path of the .vsix
 */
function claimLanguage(id, name, folder) {
  const manifest = {
    name: `claims-${id}`, publisher: 'test', version: '0.0.1', engines: { vscode: '^1.80.0' }, contributes: { languages: [{ id, aliases: [name] }] },
  };
  mkdirSync(folder);
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
  const vsix = join(folder, `${manifest.name}.vsix`);
  const vsce = join(ROOT, 'node_modules', '@vscode', 'vsce', 'vsce');
  execFileSync(process.execPath, [vsce, 'package', '--out', vsix, '--skip-license', '--allow-missing-repository'], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
  return vsix;
}

/** Opens the workbench on copies of some examples; `'a as b'` copies under another name, `[name, text]` is a file of its own. */
export async function openSession(...examples) {
  const vsix = process.env.VSIX ?? join(ROOT, '.cellwright', 'cellwright.vsix');
  const top = mkdtempSync(join(tmpdir(), 'cw-e2e-'));
  const [folder, home, profile] = ['crystals', 'home', 'profile'].map((name) => join(top, name));
  for (const path of [folder, home]) mkdirSync(path);
  mkdirSync(PICTURES, { recursive: true });
  for (const example of examples) {
    if (Array.isArray(example)) {
      writeFileSync(join(folder, example[0]), example[1]);
      continue;
    }
    const [name, copy = name] = example.split(' as ');
    cpSync(join(ROOT, 'examples', name), join(folder, copy));
  }
  // A home of its own, but the weights are where `cellwright models pull` put them.
  const data = process.env.CELLWRIGHT_DATA_DIR ?? join(process.env.XDG_DATA_HOME ?? join(homedir(), '.local', 'share'), 'cellwright');
  const env = { PATH: process.env.PATH, LANG: 'C.UTF-8', HOME: home, TMPDIR: home, CELLWRIGHT_DATA_DIR: data };
  const others = [claimLanguage('mmcif', 'mmCIF', join(top, 'mmcif'))];
  const workbench = await serveWorkbench({ vsix, others, profile, settings: SETTINGS, env, say: console.log });
  let browser;
  const close = async () => {
    await browser?.close();
    await workbench.stop();
    rmSync(top, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
  };
  try {
    browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: BROWSER });
    const page = await browser.newPage({ viewport: { width: 1360, height: 860 } });
    page.setDefaultTimeout(60_000);
    await page.goto(workbench.address(folder), { waitUntil: 'domcontentloaded' });
    await page.locator('.explorer-folders-view .monaco-list-row').first().waitFor();
    return { user: new User(page, folder), close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** What a user does and sees. */
class User {
  #pictures = 0;

  constructor(page, folder) {
    this.page = page;
    this.folder = folder;
  }

  /** The file as it is on disk. */
  onDisk(name) {
    return readFileSync(join(this.folder, name), 'utf8');
  }

  async picture(name) {
    this.#pictures += 1;
    await this.page.screenshot({ path: join(PICTURES, `${String(this.#pictures).padStart(2, '0')}-${name}.png`) });
  }

  /** Opens a file from the explorer, to stay open. */
  async open(name) {
    await this.page.locator('.explorer-folders-view .monaco-list-row', { hasText: name }).dblclick();
    await this.page.locator(`.tab.active[data-resource-name="${name}"]`).waitFor();
    await this.focusEditor();
  }

  editor() {
    return this.page.locator('.editor-instance .monaco-editor').first();
  }

  async focusEditor() {
    await this.editor().locator('.view-lines').first().click();
  }

  /** A link above a line near the beginning of the file. */
  async lens(text) {
    await this.focusEditor();
    await this.page.keyboard.press('Control+Home');
    return this.page.locator('.codelens-decoration a:visible', { hasText: text }).first();
  }

  /** Clicks a link until it has listed something: a lens that is drawn anew at that moment does not take a click. */
  async clickLens(text) {
    const listed = () => this.page.locator('.quick-input-list .monaco-list-row:visible').first().waitFor({ timeout: 3000 }).then(() => true, () => false);
    await until(async () => (await this.lens(text)).click().then(listed), `the list behind ${text}`);
  }

  /** Presses a key until something shows: a key pressed while the focus changes is lost. */
  async pressUntil(key, locator) {
    const shown = () => locator.first().waitFor({ timeout: 2000 }).then(() => true, () => false);
    await until(() => this.page.keyboard.press(key).then(shown), `${key} to show ${locator}`);
  }

  /** Runs a command from the palette. */
  async command(title) {
    const input = this.page.locator('.quick-input-widget input[aria-controls]:visible');
    await this.pressUntil('F1', input);
    await input.fill(`>${title}`);
    await this.page.locator('.quick-input-list .monaco-list-row', { hasText: title }).first().click();
  }

  /** A row of the Problems panel. */
  problem(text) {
    return this.page.locator('.markers-panel .monaco-list-row', { hasText: text });
  }

  /** Opens the Problems panel. */
  async openProblems() {
    await this.pressUntil('Control+Shift+M', this.page.locator('.markers-panel'));
  }

  /** Puts the cursor into a line of the active editor. */
  async goTo(number) {
    const input = this.page.locator('.quick-input-widget input:visible');
    await this.pressUntil('Control+G', input);
    await input.fill(`:${number}`);
    await this.page.keyboard.press('Enter');
    await input.waitFor({ state: 'hidden' });
  }

  /** Replaces a whole line of the active editor by typing. */
  async retypeLine(number, text) {
    await this.goTo(number);
    await this.page.keyboard.press('Home');
    await this.page.keyboard.press('Shift+End');
    await this.page.keyboard.type(text);
  }

  /** Picks a row of the list that a command or lens has opened. */
  async pick(text) {
    await this.page.locator('.quick-input-list .monaco-list-row', { hasText: text }).first().click();
  }

  /** A notification with a text. */
  notification(text) {
    return this.page.locator('.notification-list-item', { hasText: text }).first();
  }

  /** Waits for what a task ends with; an error message that comes instead is the test's error. */
  async expect(locator, limit) {
    const complaint = this.page.locator('.notification-list-item', { has: this.page.locator('.codicon-error') }).first();
    const seen = await Promise.race([
      locator.waitFor({ timeout: limit }).then(() => undefined),
      complaint.waitFor({ timeout: limit }).then(() => complaint.innerText()),
    ]);
    if (seen !== undefined) throw new Error(`the editor says: ${seen}`);
  }

  /** Saves, and gives back what is on disk then. */
  async save(name) {
    const before = this.page.locator(`.tab.active.dirty[data-resource-name="${name}"]`);
    await this.page.keyboard.press('Control+S');
    await before.waitFor({ state: 'detached' });
    return this.onDisk(name);
  }
}
