// What must be on the machine before anything is built, and how to get it.
import { ask } from './run.mjs';

const debian = () => ask('apt-get', '--version') !== undefined;

// Each entry: what it is for, how to ask for its version, the oldest that will do, and how to get it.
const NEEDED = [
  {
    name: 'Rust', why: 'builds the server', ask: () => ask('cargo', '--version'), oldest: [1, 90],
    get: () => "curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh",
  },
  {
    name: 'a C compiler', why: 'builds the grammars', ask: () => ask('cc', '--version'),
    get: () => (debian() ? 'sudo apt-get install build-essential' : 'install gcc or clang'),
  },
  {
    name: 'Node.js', why: 'builds the extension', ask: () => process.version, oldest: [20, 0],
    get: () => 'see https://nodejs.org/en/download',
  },
  {
    name: 'Python', why: 'its package client fetches the weights of the energy model', ask: () => ask('python3', '--version'), oldest: [3, 9],
    get: () => (debian() ? 'sudo apt-get install python3 python3-pip' : 'see https://www.python.org/downloads/'),
  },
  {
    name: 'pip', why: 'fetches the weights of the energy model', ask: () => ask('python3', '-m', 'pip', '--version'),
    get: () => (debian() ? 'sudo apt-get install python3-pip' : 'python3 -m ensurepip'),
  },
];

/** Names everything that is missing or too old, each with the command that gets it. */
export function missing() {
  return NEEDED.flatMap(({ name, why, ask: version, oldest, get }) => {
    const found = version();
    if (found === undefined) return [`${name} is missing (${why}). To get it: ${get()}`];
    if (oldest && older(found, oldest)) return [`${found} is too old: ${name} ${oldest.join('.')} or newer ${why}. To get it: ${get()}`];
    return [];
  });
}

function older(text, oldest) {
  const numbers = /(\d+)\.(\d+)/.exec(text);
  if (!numbers) return false;
  const [major, minor] = [Number(numbers[1]), Number(numbers[2])];
  return major < oldest[0] || (major === oldest[0] && minor < oldest[1]);
}

/** Ends the program with a list of what is missing, if anything is. */
export function demandPrerequisites() {
  const list = missing();
  if (list.length === 0) return;
  console.error(list.join('\n'));
  process.exit(2);
}
