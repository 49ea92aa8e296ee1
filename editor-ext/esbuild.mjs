// Bundles the extension into out/extension.js; with --tests, the tests into out/test/.
import { readdirSync } from 'node:fs';
import { build } from 'esbuild';

const common = { bundle: true, platform: 'node', target: 'node20', format: 'cjs', logLevel: 'warning' };

if (process.argv.includes('--tests')) {
  const entryPoints = readdirSync('test').filter((name) => name.endsWith('.test.ts')).map((name) => `test/${name}`);
  // The highlighter's WebAssembly is read from its package at run time.
  await build({ ...common, entryPoints, outdir: 'out/test', sourcemap: 'inline', external: ['vscode-oniguruma', 'vscode-textmate'] });
} else {
  await build({ ...common, entryPoints: ['src/extension.ts'], outfile: 'out/extension.js', minify: true, external: ['vscode'] });
}
