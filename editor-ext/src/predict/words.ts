// What the user reads about predicted structures.
import type { Proposal } from '../preview/preview.js';
import type { Candidate, PredictResult } from '../protocol.js';
import { ended } from '../words.js';

export interface CandidateItem {
  label: string;
  description: string;
  detail: string;
  candidate: Candidate;
}

/** The candidates as rows of a list, the likeliest first. */
export function candidateItems(candidates: readonly Candidate[]): CandidateItem[] {
  return candidates.map((candidate, index) => ({
    label: `${index + 1}. ${candidate.title}`,
    description: candidate.description,
    detail: candidate.detail,
    candidate,
  }));
}

/** What stands in the empty input while candidates come, and then. */
export function placeholder(message: string | undefined, done: PredictResult | undefined): string {
  if (done) return ['Which one?', ...done.notes.map((note) => ended(note))].join(' ');
  return message === undefined ? 'Looking for candidates…' : `${message}, more on the way…`;
}

/** A candidate as a change to agree to. */
export function proposal(candidate: Candidate, version: number): Proposal {
  const { title, description, detail, edit } = candidate;
  return {
    version,
    edit,
    title: `predicted (${title})`,
    question: `${title}${description === '' ? '' : ` (${description} sure)`}: use this structure?`,
    details: [`Predicted: ${title}${description === '' ? '' : `, ${description} sure`}.`, ended(detail)],
    again: 'Run Predict Structure again.',
  };
}
