// What the user reads about substitutions.
import type { Proposal } from '../preview/preview.js';
import type { Candidate } from '../protocol.js';

/** A candidate as a change to agree to. */
export function proposal({ title, description, detail, edit }: Candidate, version: number): Proposal {
  return {
    version,
    edit,
    title: `substituted (${title})`,
    question: `${title} (${description}): write it?`,
    details: [`Substituted: ${title}, ${detail}, ${description}.`],
    again: 'Run Suggest Substitutions again.',
  };
}
