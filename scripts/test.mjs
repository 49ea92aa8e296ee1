// `npm test`: everything that must hold before a change is good, in the order of how soon it can fail.
// `npm test -- lint rust` runs only those sections.
import { ensureChromium } from './lib/chromium.mjs';
import { ensureNodeModules, packageExtension, pullModels, serverBinary } from './lib/build.mjs';
import { demandPrerequisites } from './lib/prerequisites.mjs';
import { NPM, ask, at, run } from './lib/run.mjs';
import { tally } from './lib/tally.mjs';
import { ensureWorkbench } from '../editor-ext/workbench/setup.mjs';

// One profile for every Rust step, so that nothing heavy is compiled twice: tests, the end-to-end binary and the lints
// all use `dev`, and `build` asks for the same features as the test run.
const CARGO = ['--workspace', '--locked'];

const check = async (program, args, options) => {
  const { status } = await run(program, args, { ...options, check: false });
  return status === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
};

const suite = async (program, args, options) => {
  const { status, output } = await run(program, args, { ...options, check: false });
  const counts = tally(output);
  // A runner that ends badly without a failed test (it did not start, say) is a failure all the same.
  if (status !== 0 && counts.failed === 0) counts.failed = 1;
  if (status === 0 && counts.passed === 0) throw new Error(`${program} ${args.join(' ')} ran no test`);
  return counts;
};

const sum = (...counts) => counts.reduce((a, b) => ({ passed: a.passed + b.passed, failed: a.failed + b.failed }));

const SECTIONS = {
  format: { title: 'Formatting', run: () => check('cargo', ['fmt', '--all', '--check']) },
  lint: {
    title: 'Lints',
    run: () => check('cargo', ['clippy', ...CARGO, '--all-targets', '--', '-D', 'warnings']),
  },
  build: {
    title: 'Build, and weights of the energy model',
    // Whatever follows needs the binary.
    vital: true,
    run: async () => {
      await run('cargo', ['build', ...CARGO, '--bins', '--tests']);
      await pullModels(serverBinary('debug'));
      return { passed: 0, failed: 0 };
    },
  },
  rust: {
    title: 'Rust: unit, property, grammar and protocol tests',
    run: async () => {
      const tests = ask('cargo', 'nextest', '--version')
        ? await suite('cargo', ['nextest', 'run', ...CARGO, '--no-fail-fast'])
        : await suite('cargo', ['test', ...CARGO, '--bins', '--lib', '--tests', '--no-fail-fast']);
      return sum(tests, await check('cargo', ['test', ...CARGO, '--doc', '--quiet']));
    },
  },
  extension: {
    title: 'Extension: types, functions, highlighting',
    run: async () => {
      const cwd = at('editor-ext');
      return sum(
        await check(NPM, ['run', '--silent', 'check'], { cwd }),
        await suite(NPM, ['run', '--silent', 'test'], { cwd }),
        await suite(process.execPath, ['--test', '--test-reporter=spec', at('scripts', 'lib', 'tally.test.mjs')]),
      );
    },
  },
  e2e: {
    title: 'End to end: the extension in VS Code in a browser',
    run: async () => {
      const chromium = await ensureChromium();
      ensureWorkbench(console.log);
      const vsix = await packageExtension(serverBinary('debug'));
      return suite(NPM, ['run', '--silent', 'test'], { cwd: at('tests', 'e2e'), env: { CHROMIUM: chromium, VSIX: vsix } });
    },
  },
};

const seconds = (from) => `${((Date.now() - from) / 1000).toFixed(1)} s`;

async function main(names) {
  const unknown = names.filter((name) => !(name in SECTIONS));
  if (unknown.length > 0) {
    console.error(`no section called ${unknown.join(', ')}; there are ${Object.keys(SECTIONS).join(', ')}`);
    process.exit(2);
  }
  demandPrerequisites();
  await ensureNodeModules();
  const began = Date.now();
  const lines = [];
  let total = { passed: 0, failed: 0 };
  for (const name of names.length > 0 ? names : Object.keys(SECTIONS)) {
    const section = SECTIONS[name];
    console.log(`\n━━━ ${section.title} ━━━`);
    const start = Date.now();
    let counts;
    try {
      counts = await section.run();
    } catch (error) {
      console.error(String(error.message ?? error));
      counts = { passed: 0, failed: 1 };
    }
    total = sum(total, counts);
    lines.push(`${counts.failed > 0 ? '✗' : '✓'} ${section.title}: ${counts.passed} passed, ${counts.failed} failed, ${seconds(start)}`);
    if (counts.failed > 0 && section.vital) break;
  }
  console.log(`\n━━━ Summary, ${seconds(began)} ━━━\n${lines.join('\n')}\n`);
  console.log(`${total.passed} passed, ${total.failed} failed`);
  process.exitCode = total.failed > 0 ? 1 : 0;
}

await main(process.argv.slice(2));
