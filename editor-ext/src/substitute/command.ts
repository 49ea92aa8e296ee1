// The command "Suggest Substitutions…": elements that might stand for that of a site; one is chosen, the difference is shown.
import { type LogOutputChannel, Uri, window, workspace } from 'vscode';
import type { LanguageClient } from 'vscode-languageclient/node';
import { tell } from '../failure.js';
import { served } from '../languages.js';
import { choose } from '../predict/command.js';
import type { CandidateItem } from '../predict/words.js';
import type { Previews } from '../preview/preview.js';
import * as protocol from '../protocol.js';
import { proposal } from './words.js';

/** The site at a position. Without a document, at the active editor's cursor. */
export interface Target {
  uri?: string;
  position?: { line: number; character: number };
}

let runs = 0;

/** Runs the command; every way it can end is told to the user. */
export async function substitute(client: LanguageClient, previews: Previews, output: LogOutputChannel, target: Target): Promise<void> {
  const document = target.uri === undefined ? window.activeTextEditor?.document : await workspace.openTextDocument(Uri.parse(target.uri));
  const cursor = target.position ?? window.activeTextEditor?.selection.active;
  if (!served(document) || !cursor) {
    void window.showInformationMessage('Open a CIF or POSCAR file and put the cursor on the row of an atom.');
    return;
  }
  const { version } = document;
  const textDocument = { uri: client.code2ProtocolConverter.asUri(document.uri), version };
  const position = { line: cursor.line, character: cursor.character };
  const list = window.createQuickPick<CandidateItem>();
  try {
    list.title = 'Suggest Substitutions';
    const token = `substitute-${++runs}`;
    const candidate = await choose(client, list, token, (cancelled) => client.sendRequest(protocol.substitute, { textDocument, position, token }, cancelled));
    if (candidate) await previews.show(client, document, proposal(candidate, version));
  } catch (error) {
    await tell(error, output, true);
  } finally {
    list.dispose();
  }
}
