// Serves a folder in the VS Code workbench on 127.0.0.1, with the extension installed.
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ENTRY, NODE, ensureWorkbench } from './setup.mjs';

// Nothing that asks, advertises or calls home; the rest is VS Code as it comes.
const QUIET = {
  'git.openRepositoryInParentFolders': 'never',
  'workbench.startupEditor': 'none',
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'workbench.enableExperiments': false,
  'chat.disableAIFeatures': true,
  'telemetry.telemetryLevel': 'off',
  'extensions.autoUpdate': false,
  'extensions.autoCheckUpdates': false,
  'extensions.ignoreRecommendations': true,
};

/**
 * @typedef {object} Workbench
 * @property {string} origin `http://127.0.0.1:<port>`
 * @property {(folder: string, ...files: string[]) => string} address the page that shows a folder with files open
 * @property {Promise<number | null>} ended settles when the server has ended, however that came about
 * @property {() => Promise<void>} stop ends the server with everything it started
 */

/**
 * @param {object} options
 * @param {string} options.vsix the packaged extension
 * @param {string[]} [options.others] further packaged extensions
 * @param {string} options.profile folder for settings and extensions; made if absent, kept afterwards
 * @param {number} [options.port] preferred port; another one is taken where it is in use
 * @param {Record<string, unknown>} [options.settings] user settings for a new profile
 * @param {Record<string, string>} [options.env] environment of the server and the extension
 * @param {(line: string) => void} [options.say] told what takes long
 * @returns {Promise<Workbench>}
 */
export async function serveWorkbench({ vsix, others = [], profile, port: preferred = 0, settings = {}, env: given, say = () => {} }) {
  ensureWorkbench(say);
  const userData = join(profile, 'user-data');
  const settingsFile = join(userData, 'User', 'settings.json');
  if (!existsSync(settingsFile)) {
    mkdirSync(join(userData, 'User'), { recursive: true });
    writeFileSync(settingsFile, JSON.stringify({ ...QUIET, ...settings }, null, 2));
  }
  // Unix sockets have a path limit of about 100 bytes, so they go to a short folder of their own.
  const sockets = mkdtempSync(join(tmpdir(), 'cw-'));
  const env = { ...(given ?? process.env), XDG_RUNTIME_DIR: sockets, VSCODE_IPC_HOOK_CLI: '' };
  const folders = ['--user-data-dir', userData, '--extensions-dir', join(profile, 'extensions'), '--session-socket', join(sockets, 'session.sock')];
  const install = [vsix, ...others].flatMap((path) => ['--install-extension', path]);
  execFileSync(NODE, [ENTRY, ...folders, ...install, '--force'], { env, stdio: ['ignore', 'ignore', 'inherit'] });

  const port = (await free(preferred)) ?? (await free(0));
  const origin = `http://127.0.0.1:${port}`;
  const server = spawn(NODE, [
    ENTRY, ...folders, '--auth', 'none', '--bind-addr', `127.0.0.1:${port}`, '--app-name', 'Cellwright', '--disable-workspace-trust',
    '--disable-telemetry', '--disable-update-check', '--disable-getting-started-override', '--reconnection-grace-time', '1',
  ], { env, detached: true, stdio: ['ignore', 'ignore', 'pipe'] });
  let complaints = '';
  server.stderr.on('data', (chunk) => { complaints = (complaints + chunk).slice(-4000); });
  const ended = new Promise((resolve) => server.once('close', resolve));
  const stop = async () => {
    // The server is the leader of a process group of its own, so this reaches its extension host and language server too.
    try { process.kill(-server.pid, 'SIGTERM'); } catch { /* it has ended already */ }
    await ended;
    rmSync(sockets, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  };
  const early = ended.then((code) => { throw new Error(`the workbench ended with status ${code}:\n${complaints}`); });
  early.catch(() => {});
  await Promise.race([answering(`${origin}/healthz`), early]);
  const address = (folder, ...files) => {
    const remote = (path) => `vscode-remote://127.0.0.1:${port}${path}`;
    const payload = files.map((file) => ['openFile', remote(file)]);
    return `${origin}/?folder=${encodeURIComponent(folder).replaceAll('%2F', '/')}${files.length > 0 ? `&payload=${encodeURIComponent(JSON.stringify(payload))}` : ''}`;
  };
  return { origin, address, ended, stop };
}

// The port itself if nobody listens on it; 0 asks for any free one.
function free(port) {
  return new Promise((resolve) => {
    const probe = createServer().once('error', () => resolve(undefined)).listen(port, '127.0.0.1', () => {
      const { port: found } = probe.address();
      probe.close(() => resolve(found));
    });
  });
}

async function answering(url) {
  const deadline = Date.now() + 60_000;
  while (Date.now() < deadline) {
    const ok = await fetch(url).then((response) => response.ok, () => false);
    if (ok) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${url} does not answer`);
}
