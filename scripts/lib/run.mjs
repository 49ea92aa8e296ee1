// Runs programs: shows what they print and, where asked, keeps it.
import { spawn, spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The top of the repository. */
export const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** A path below the top of the repository. */
export const at = (...parts) => join(ROOT, ...parts);

/** Raised when a program ends with another status than 0; what it printed says why. */
export class Failed extends Error {}

/**
 * Runs a program, passing its output through, and gives that output back.
 * @param {string} program
 * @param {string[]} args
 * @param {{cwd?: string, env?: Record<string, string>, check?: boolean}} options `check: false` gives the status back instead of throwing
 * @returns {Promise<{status: number, output: string}>}
 */
export function run(program, args, { cwd = ROOT, env = {}, check = true } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.on('data', (chunk) => { output += chunk; process.stdout.write(chunk); });
    child.stderr.on('data', (chunk) => { output += chunk; process.stderr.write(chunk); });
    child.on('error', reject);
    child.on('close', (code, signal) => {
      const status = code ?? 1;
      if (check && status !== 0) reject(new Failed(`${program} ${args.join(' ')} ended with ${signal ?? `status ${status}`}`));
      else resolve({ status, output });
    });
  });
}

/** The first line a program prints for `args`, or nothing where there is no such program. */
export function ask(program, ...args) {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', shell: process.platform === 'win32' });
  return status === 0 ? (stdout || stderr).trim().split('\n')[0] : undefined;
}

/** npm is a script on Windows. */
export const NPM = process.platform === 'win32' ? 'npm.cmd' : 'npm';
