// What the server says beyond LSP. The definitive text is server/lsp/PROTOCOL.md.
import { NotificationType, type Position, type Range, RequestType, type WorkspaceEdit } from 'vscode-languageclient';

export interface RelaxChoice {
  title: string;
  cell: boolean;
  symmetry: 'keep' | 'none';
  /** Why this cannot be done now. */
  disabled?: string;
}

export interface RelaxChoices {
  version: number;
  block: number;
  name: string;
  choices: RelaxChoice[];
}

export interface RelaxSummary {
  /** eV/atom. */
  energyBefore: number;
  energyAfter: number;
  /** eV/Å. */
  maxForceBefore: number;
  maxForceAfter: number;
  steps: number;
  converged: boolean;
  /** Atoms that selective dynamics holds, if only along some axes; `message` says so too. */
  heldAtoms: number;
  /** Å³. */
  volumeBefore: number;
  volumeAfter: number;
  /** Å. */
  rmsDisplacement: number;
  maxDisplacement: number;
  cautions: string[];
}

export interface RelaxResult {
  version: number;
  edit: WorkspaceEdit;
  changed: boolean;
  message: string;
  /** What in the file no longer fits the new structure. */
  notes: string[];
  model: { model: string; version: string; device: string };
  summary: RelaxSummary;
}

export interface RelaxProgress {
  token: string | number;
  message: string;
  /** 0 to 1. */
  fraction?: number;
}

export interface Candidate {
  /** Space group, energy and distance from the hull. */
  title: string;
  /** How sure the ranking is; may be empty. */
  description: string;
  detail: string;
  edit: WorkspaceEdit;
}

export interface PredictResult {
  version: number;
  name: string;
  /** The likeliest first, at least one. */
  candidates: Candidate[];
  notes: string[];
  /** Behind the energies. */
  model?: { model: string; version: string; device: string };
}

export interface PredictProgress {
  token: string | number;
  message: string;
  /** 0 to 1. */
  fraction?: number;
  /** The whole list so far; empty: as it was. */
  candidates: Candidate[];
}

export interface DenoiseResult {
  version: number;
  edit: WorkspaceEdit;
  changed: boolean;
  message: string;
  notes: string[];
  model: { model: string; version: string; device: string };
  /** Behind the energies. */
  energyModel?: { model: string; version: string; device: string };
  /** eV/atom, before and after. */
  energies?: [number, number];
  /** Å, before and after. */
  shortest: [number, number];
  rounds: number;
  /** Rows that moved (Å), the furthest first. */
  moves: { label: string; distance: number }[];
}

export interface DenoiseProgress {
  token: string | number;
  message: string;
  /** 0 to 1. */
  fraction?: number;
}

export interface Status {
  state: 'off' | 'stopped' | 'starting' | 'ready' | 'busy' | 'notInstalled' | 'failed';
  model?: string;
  device?: string;
  message: string;
}

interface RelaxChoicesParams {
  textDocument: { uri: string };
  position?: Position;
  block?: number;
}

interface RelaxParams {
  textDocument: { uri: string; version: number };
  block: number;
  cell: boolean;
  symmetry: 'keep' | 'none';
  token?: string | number;
}

interface PredictParams {
  textDocument: { uri: string; version: number };
  line?: number;
  position?: Position;
  token?: string | number;
}

interface DenoiseParams {
  textDocument: { uri: string; version: number };
  range?: Range;
  token?: string | number;
}

interface SubstituteParams {
  textDocument: { uri: string; version: number };
  position: Position;
  token?: string | number;
}

export const relaxChoices = new RequestType<RelaxChoicesParams, RelaxChoices | null, void>('cellwright/relaxChoices');
export const relax = new RequestType<RelaxParams, RelaxResult, void>('cellwright/relax');
export const relaxProgress = new NotificationType<RelaxProgress>('cellwright/relaxProgress');
export const predict = new RequestType<PredictParams, PredictResult, void>('cellwright/predict');
export const predictProgress = new NotificationType<PredictProgress>('cellwright/predictProgress');
export const denoise = new RequestType<DenoiseParams, DenoiseResult, void>('cellwright/denoise');
export const denoiseProgress = new NotificationType<DenoiseProgress>('cellwright/denoiseProgress');
/** What might stand for the element of a site; its candidates come all at once. */
export const substitute = new RequestType<SubstituteParams, PredictResult, void>('cellwright/substitute');
export const status = new NotificationType<Status>('cellwright/status');
export const modelsChanged = new NotificationType<Record<string, never>>('cellwright/modelsChanged');
