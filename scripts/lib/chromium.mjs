// The browser that plays the user in the end-to-end tests.
import { ask, run } from './run.mjs';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const PACKAGES = ['chromium', 'fonts-dejavu-core'];

const find = () => {
  if (process.env.CHROMIUM) return process.env.CHROMIUM;
  const name = NAMES.find((candidate) => ask(candidate, '--version'));
  return name && ask('which', name);
};

/**
 * The path of a Chromium. On Debian as root a missing one is installed; elsewhere the error names the command.
 * @returns {Promise<string>}
 */
export async function ensureChromium() {
  const found = find();
  if (found) return found;
  const install = `apt-get install -y --no-install-recommends ${PACKAGES.join(' ')}`;
  if (process.getuid?.() !== 0 || !ask('apt-get', '--version')) {
    throw new Error(`the end-to-end tests need Chromium. To get it: sudo ${install}   (or set CHROMIUM to the path of one)`);
  }
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  await run('apt-get', ['update', '-qq'], { env });
  await run('apt-get', install.split(' ').slice(1), { env });
  const installed = find();
  if (!installed) throw new Error('Chromium was installed but does not start');
  return installed;
}
