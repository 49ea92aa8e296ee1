// Bundles the extension into out/extension.js; with --tests, the tests into out/test/.
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

const common = { bundle: true, platform: 'node', target: 'node20', format: 'cjs', logLevel: 'warning' };

if (process.argv.includes('--tests')) {
  const entryPoints = readdirSync('test').filter((name) => name.endsWith('.test.ts')).map((name) => `test/${name}`);
  // The highlighter's WebAssembly is read from its package at run time.
  await build({ ...common, entryPoints, outdir: 'out/test', sourcemap: 'inline', external: ['vscode-oniguruma', 'vscode-textmate'] });
} else {
  const { metafile } = await build({
    ...common, entryPoints: ['src/extension.ts'], outfile: 'out/extension.js', minify: true, external: ['vscode'], metafile: true,
  });
  writeFileSync('out/THIRD-PARTY.txt', licences(Object.keys(metafile.inputs)));
}

// The licence of every package that went into the bundle, as those licences ask.
function licences(inputs) {
  const folders = new Set(inputs.flatMap((path) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? []));
  return [...folders].sort().map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
    if (!file) throw new Error(`${name} is bundled but has no licence file`);
    return `${name} ${version} (${license})\n\n${readFileSync(join(folder, file), 'utf8').trim()}\n`;
  }).join(`\n${'-'.repeat(80)}\n\n`);
}
