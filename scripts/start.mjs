// `npm start`: from a fresh clone to an editor with the examples open.
// `npm start -- --browser` takes the workbench in the browser even where VS Code is installed.
import { ensureNodeModules, packageExtension, pullModels, serverBinary } from './lib/build.mjs';
import { demandPrerequisites } from './lib/prerequisites.mjs';
import { Failed, ask, at, run } from './lib/run.mjs';
import { serveWorkbench } from '../editor-ext/workbench/serve.mjs';

const EXAMPLES = at('examples');
const FIRST = at('examples', 'perovskite-broken.cif');
const PORT = 4747;

async function main(args) {
  demandPrerequisites();
  const step = (title) => console.log(`\n━━━ ${title} ━━━`);

  step('Node packages');
  await ensureNodeModules();

  step('Server (optimised build; several minutes the first time)');
  await run('cargo', ['build', '--release', '--locked', '--package', 'cellwright']);

  step('Weights of the energy model');
  try {
    await pullModels(serverBinary('release'));
  } catch (error) {
    if (!(error instanceof Failed)) throw error;
    console.error('\nWARNING: the weights could not be installed, so there will be checks but no energies and no relaxation.');
    console.error('         The command "Cellwright: Install the Energy Model" in the editor tries again.');
  }

  step('Extension');
  const vsix = await packageExtension(serverBinary('release'));

  step('Editor');
  if (!args.includes('--browser') && ask('code', '--version') && (await openInstalled(vsix))) return;
  await openInBrowser(vsix);
}

async function openInstalled(vsix) {
  try {
    await run('code', ['--install-extension', vsix, '--force']);
    await run('code', [EXAMPLES, '--goto', FIRST]);
  } catch (error) {
    if (!(error instanceof Failed)) throw error;
    console.error(`${error.message}; taking the workbench in the browser instead`);
    return false;
  }
  console.log('Cellwright is installed in your VS Code, and the examples are open there.');
  return true;
}

async function openInBrowser(vsix) {
  // Without a file that was open before, the examples' own README tells what to try.
  const settings = { 'workbench.startupEditor': 'readme' };
  const workbench = await serveWorkbench({ vsix, profile: at('.cellwright', 'workbench'), port: PORT, settings, say: console.log });
  console.log(`\nVS Code with Cellwright and the examples:\n\n    ${workbench.address(EXAMPLES)}\n\nCtrl-C ends it.`);
  let asked = false;
  const stop = () => {
    asked = true;
    void workbench.stop();
  };
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  const status = await workbench.ended;
  if (!asked) throw new Error(`the workbench ended by itself with status ${status}`);
  await workbench.stop();
  console.log('\nEnded.');
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  console.error(`\n${error.message ?? error}`);
  process.exitCode = 1;
}
