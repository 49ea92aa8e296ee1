// The command "Denoise Positions": watch it run, look at the difference.
import { type LogOutputChannel, ProgressLocation, type TextDocument, Uri, window, workspace } from 'vscode';
import type { LanguageClient } from 'vscode-languageclient/node';
import { tell } from '../failure.js';
import { served } from '../languages.js';
import type { Previews } from '../preview/preview.js';
import * as protocol from '../protocol.js';
import { increments } from '../relax/progress.js';
import { proposal } from './words.js';

interface Place {
  line: number;
  character: number;
}

/** What to denoise: the rows of a range, or its whole crystal where it covers none. Without a document, the active editor's selection. */
export interface Target {
  uri?: string;
  range?: { start: Place; end: Place };
}

let runs = 0;

/** Runs the command; every way it can end is told to the user. */
export async function denoise(client: LanguageClient, previews: Previews, output: LogOutputChannel, target: Target): Promise<void> {
  const document = target.uri === undefined ? window.activeTextEditor?.document : await workspace.openTextDocument(Uri.parse(target.uri));
  if (!served(document)) {
    void window.showInformationMessage('Open a CIF or POSCAR file to denoise the crystal in it.');
    return;
  }
  try {
    const result = await run(client, document, target.range ?? window.activeTextEditor?.selection);
    if (result.changed) await previews.show(client, document, proposal(result));
    else void window.showInformationMessage(result.message);
  } catch (error) {
    // Denoising works without the energy model, so there is nothing to install.
    await tell(error, output, true);
  }
}

function run(client: LanguageClient, document: TextDocument, selected: { start: Place; end: Place } | undefined): Promise<protocol.DenoiseResult> {
  const token = `denoise-${++runs}`;
  const textDocument = { uri: client.code2ProtocolConverter.asUri(document.uri), version: document.version };
  const place = ({ line, character }: Place): Place => ({ line, character });
  const range = selected && { range: { start: place(selected.start), end: place(selected.end) } };
  const options = { location: ProgressLocation.Notification, title: 'Denoising positions', cancellable: true };
  return Promise.resolve(
    window.withProgress(options, async (progress, cancelled) => {
      const increment = increments();
      const listener = client.onNotification(protocol.denoiseProgress, (report) => {
        if (report.token !== token) return;
        const step = increment(report.fraction);
        progress.report(step === undefined ? { message: report.message } : { message: report.message, increment: step });
      });
      try {
        return await client.sendRequest(protocol.denoise, { textDocument, ...range, token }, cancelled);
      } finally {
        listener.dispose();
      }
    }),
  );
}
