// What the user reads about a relaxation.
import type { Proposal } from '../preview/preview.js';
import type { RelaxChoice, RelaxResult, RelaxSummary } from '../protocol.js';
import { ended } from '../words.js';

export interface ChoiceItem {
  label: string;
  description: string;
  detail: string;
  choice: RelaxChoice;
}

/** The ways to relax as rows of a list. Those that cannot be done stay in it, with the reason. */
export function choiceItems(choices: readonly RelaxChoice[]): ChoiceItem[] {
  return choices.map((choice) => ({
    label: choice.disabled === undefined ? choice.title : `$(circle-slash) ${choice.title}`,
    description: choice.disabled === undefined ? '' : 'not possible now',
    detail: choice.disabled ?? explanation(choice),
    choice,
  }));
}

function explanation({ cell, symmetry }: RelaxChoice): string {
  const moves = cell ? 'Atoms move and the cell changes' : 'Atoms move, the cell stays';
  return symmetry === 'keep' ? `${moves}; the space group is kept` : `${moves}; every atom for itself, written in P1`;
}

/** Title of the tab that shows the difference. */
export function previewTitle({ energyBefore, energyAfter, maxForceAfter }: RelaxSummary): string {
  const change = (energyAfter - energyBefore) * 1000;
  const sign = change < 0 ? '−' : '+';
  return `relaxed (${sign}${Math.abs(change).toFixed(1)} meV/atom, max |F| ${maxForceAfter.toFixed(3)} eV/Å)`;
}

/** The question that comes with the difference: short, because VS Code cuts long ones. */
export function previewQuestion({ message, notes, summary }: RelaxResult): string {
  const remarks = notes.length + summary.cautions.length;
  return remarks === 0 ? ended(message) : `${ended(message)} ${remarks === 1 ? 'One remark' : `${remarks} remarks`} in the details.`;
}

/** Everything there is to say about a result, line by line, for the output channel. */
export function details({ message, notes, model, summary }: RelaxResult): string[] {
  const { volumeBefore, volumeAfter, rmsDisplacement, maxDisplacement, converged, cautions } = summary;
  const lines = [ended(message)];
  if (!converged) lines.push('Forces have not converged: run it again from here for more steps.');
  lines.push(`Atoms moved by ${rmsDisplacement.toFixed(3)} Å (root mean square), at most ${maxDisplacement.toFixed(3)} Å.`);
  const swelling = 100 * (volumeAfter / volumeBefore - 1);
  if (Math.abs(swelling) >= 0.005) lines.push(`Volume ${volumeBefore.toFixed(2)} → ${volumeAfter.toFixed(2)} Å³ (${swelling < 0 ? '−' : '+'}${Math.abs(swelling).toFixed(2)} %).`);
  lines.push(...[...cautions, ...notes].map((remark) => `Remark: ${ended(remark)}`));
  lines.push(`${model.model} ${model.version} on ${model.device}.`);
  return lines;
}

/** A result as a change to agree to. */
export function proposal(result: RelaxResult): Proposal {
  const { version, edit, summary } = result;
  return { version, edit, title: previewTitle(summary), question: previewQuestion(result), details: details(result), again: 'Run Relax again.' };
}
