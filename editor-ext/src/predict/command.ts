// The command "Predict Structure…": candidates as they come, one is chosen, the difference is shown.
import { type CancellationToken, CancellationTokenSource, type LogOutputChannel, type QuickPick, Uri, window, workspace } from 'vscode';
import type { LanguageClient } from 'vscode-languageclient/node';
import { tell } from '../failure.js';
import { served } from '../languages.js';
import type { Previews } from '../preview/preview.js';
import * as protocol from '../protocol.js';
import { type CandidateItem, candidateItems, placeholder, proposal } from './words.js';

/** Which composition line: one by number, or the one at a position. Without a document, at the active editor's cursor. */
export interface Target {
  uri?: string;
  line?: number;
  position?: { line: number; character: number };
}

let runs = 0;

/** Runs the command; every way it can end is told to the user. */
export async function predict(client: LanguageClient, previews: Previews, output: LogOutputChannel, target: Target): Promise<void> {
  const document = target.uri === undefined ? window.activeTextEditor?.document : await workspace.openTextDocument(Uri.parse(target.uri));
  if (!served(document)) {
    void window.showInformationMessage('Open a CIF or POSCAR file with a composition to predict its structure.');
    return;
  }
  const { version } = document;
  const cursor = target.position ?? (target.uri === undefined ? window.activeTextEditor?.selection.active : undefined);
  const where = target.line === undefined ? cursor && { position: { line: cursor.line, character: cursor.character } } : { line: target.line };
  const textDocument = { uri: client.code2ProtocolConverter.asUri(document.uri), version };
  const list = window.createQuickPick<CandidateItem>();
  try {
    list.title = 'Predict Structure';
    const token = `predict-${++runs}`;
    const candidate = await choose(client, list, token, (cancelled) => client.sendRequest(protocol.predict, { textDocument, ...where, token }, cancelled));
    if (candidate) await previews.show(client, document, proposal(candidate, version));
  } catch (error) {
    // A prediction works without the energy model, so there is nothing to install.
    await tell(error, output, true);
  } finally {
    list.dispose();
  }
}

/** Shows candidates while they come under this token. The choice, or closing the list, ends the search. */
export function choose(
  client: LanguageClient,
  list: QuickPick<CandidateItem>,
  token: string,
  ask: (cancelled: CancellationToken) => Promise<protocol.PredictResult>,
): Promise<protocol.Candidate | undefined> {
  const stop = new CancellationTokenSource();
  list.placeholder = placeholder(undefined, undefined);
  list.matchOnDescription = true;
  list.matchOnDetail = true;
  // Whoever looks something up meanwhile comes back to the list.
  list.ignoreFocusOut = true;
  list.busy = true;
  list.show();
  const listener = client.onNotification(protocol.predictProgress, (report) => {
    if (report.token !== token) return;
    list.placeholder = placeholder(report.message, undefined);
    // A report of nothing but how far it is leaves the list as it was.
    if (report.candidates.length > 0) renew(list, report.candidates);
  });
  return new Promise<protocol.Candidate | undefined>((resolve, reject) => {
    let ended = false;
    list.onDidAccept(() => {
      const [chosen] = list.selectedItems;
      if (!chosen) return;
      ended = true;
      resolve(chosen.candidate);
      list.hide();
    });
    list.onDidHide(() => {
      ended = true;
      resolve(undefined);
      stop.cancel();
    });
    ask(stop.token).then(
      (result) => {
        list.busy = false;
        list.placeholder = placeholder(undefined, result);
        renew(list, result.candidates);
      },
      (error: unknown) => {
        // What was shown before the choice stays good.
        if (!ended) reject(error instanceof Error ? error : new Error(String(error)));
      },
    );
  }).finally(() => {
    listener.dispose();
    stop.dispose();
  });
}

/** Puts newer candidates into the list; the user's place in it stays. */
function renew(list: QuickPick<CandidateItem>, candidates: protocol.Candidate[]): void {
  const active = list.items.indexOf(list.activeItems[0] as CandidateItem);
  list.items = candidateItems(candidates);
  const item = list.items[active];
  if (active > 0 && item) list.activeItems = [item];
}
