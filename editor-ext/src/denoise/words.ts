// What the user reads about denoised positions.
import type { Proposal } from '../preview/preview.js';
import type { DenoiseResult } from '../protocol.js';
import { ended } from '../words.js';

/** Everything there is to say about a result, line by line, for the output channel. */
export function details({ message, notes, model, energyModel, shortest, moves }: DenoiseResult): string[] {
  const [before, after] = shortest;
  const energies = energyModel === undefined ? '' : `, energies by ${energyModel.model} ${energyModel.version}`;
  return [
    ended(message),
    ...moves.map(({ label, distance }) => `${label} moved by ${distance.toFixed(3)} Å.`),
    `Shortest distance ${before.toFixed(2)} → ${after.toFixed(2)} Å.`,
    ...notes.map((note) => `Remark: ${ended(note)}`),
    `${model.model} ${model.version} on ${model.device}${energies}.`,
  ];
}

/** A result as a change to agree to. */
export function proposal(result: DenoiseResult): Proposal {
  const { version, edit, message, notes, energies, moves } = result;
  const gained = energies === undefined ? [] : [meV(energies[1] - energies[0])];
  const furthest = moves[0] === undefined ? [] : [`at most ${moves[0].distance.toFixed(3)} Å`];
  const remarks = notes.length === 0 ? '' : ` ${notes.length === 1 ? 'One remark' : `${notes.length} remarks`} in the details.`;
  return {
    version,
    edit,
    title: `denoised (${[...gained, ...furthest].join(', ')})`,
    question: `${ended(message)}${remarks}`,
    details: details(result),
    again: 'Run Denoise again.',
  };
}

function meV(change: number): string {
  return `${change < 0 ? '−' : '+'}${Math.abs(1000 * change).toFixed(1)} meV/atom`;
}
