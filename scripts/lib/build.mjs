// The steps that `npm start` and `npm test` share: Node packages, weights, the packaged extension.
import { copyFileSync, existsSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { NPM, at, run } from './run.mjs';

const EXE = process.platform === 'win32' ? '.exe' : '';

/** Installs the Node packages where they are absent or older than the lock file. */
export async function ensureNodeModules() {
  const installed = at('node_modules', '.package-lock.json');
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(at('package-lock.json')).mtimeMs) return;
  await run(NPM, ['ci', '--loglevel=error']);
}

/** The server binary that cargo wrote for a profile (`debug` or `release`). */
export const serverBinary = (profile) => join(process.env.CARGO_TARGET_DIR ?? at('target'), profile, `cellwright${EXE}`);

/** Installs the weights of the energy model in the user's data directory; does nothing where they are. */
export const pullModels = (binary) => run(binary, ['models', 'pull']);

/**
 * Packages the extension with a server binary inside.
 * @returns {Promise<string>} the path of the .vsix
 */
export async function packageExtension(binary) {
  const vsix = at('.cellwright', 'cellwright.vsix');
  mkdirSync(at('.cellwright'), { recursive: true });
  mkdirSync(at('editor-ext', 'bin'), { recursive: true });
  copyFileSync(binary, at('editor-ext', 'bin', `cellwright${EXE}`));
  copyFileSync(at('LICENSE'), at('editor-ext', 'LICENSE'));
  copyFileSync(at('CHANGELOG.md'), at('editor-ext', 'CHANGELOG.md'));
  await run(NPM, ['run', '--silent', 'build'], { cwd: at('editor-ext') });
  await run(NPM, ['run', '--silent', 'package', '--', '--target', target(), '--out', vsix], { cwd: at('editor-ext') });
  return vsix;
}

// The name of this machine in the Marketplace's vocabulary.
function target() {
  const arch = process.arch === 'arm64' ? 'arm64' : 'x64';
  return `${process.platform}-${arch}`;
}
