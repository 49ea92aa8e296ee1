// The command "Relax…": choose a way, watch it run, look at the difference.
import { type LogOutputChannel, ProgressLocation, Uri, window, workspace, type TextDocument } from 'vscode';
import type { LanguageClient } from 'vscode-languageclient/node';
import { served } from '../languages.js';
import * as protocol from '../protocol.js';
import type { Previews } from '../preview/preview.js';
import { increments } from './progress.js';
import { tell } from '../failure.js';
import { choiceItems, proposal } from './words.js';

/** Where to relax: a block by number, or the one around a position. Without a document, the active editor's cursor. */
export interface Target {
  uri?: string;
  block?: number;
  position?: { line: number; character: number };
  /** The way, by the title that the server gave it; asked for if absent. */
  title?: string;
}

let runs = 0;

/** Runs the command; every way it can end is told to the user. */
export async function relax(client: LanguageClient, previews: Previews, output: LogOutputChannel, target: Target, modelInstalled: () => boolean): Promise<void> {
  const document = target.uri === undefined ? window.activeTextEditor?.document : await workspace.openTextDocument(Uri.parse(target.uri));
  if (!served(document)) {
    void window.showInformationMessage('Open a CIF or POSCAR file to relax the crystal in it.');
    return;
  }
  try {
    const chosen = await choose(client, document, target);
    if (!chosen) return;
    const result = await run(client, document, chosen);
    if (result.changed) await previews.show(client, document, proposal(result));
    else void window.showInformationMessage(result.message);
  } catch (error) {
    await tell(error, output, modelInstalled());
  }
}

interface Chosen extends protocol.RelaxChoice {
  version: number;
  block: number;
  name: string;
}

async function choose(client: LanguageClient, document: TextDocument, target: Target): Promise<Chosen | undefined> {
  const textDocument = client.code2ProtocolConverter.asTextDocumentIdentifier(document);
  const cursor = target.position ?? (target.uri === undefined ? window.activeTextEditor?.selection.active : undefined);
  const where = target.block === undefined ? cursor && { position: { line: cursor.line, character: cursor.character } } : { block: target.block };
  const answer = await client.sendRequest(protocol.relaxChoices, { textDocument, ...where });
  if (!answer) {
    void window.showInformationMessage('There is no crystal here to relax: it takes a cell and atom sites.');
    return undefined;
  }
  const { version, block, name, choices } = answer;
  const named = choices.find(({ title, disabled }) => title === target.title && disabled === undefined);
  if (named) return { ...named, version, block, name };
  for (;;) {
    const picked = await window.showQuickPick(choiceItems(choices), { title: `Relax ${name}`, placeHolder: 'What may move, and is the symmetry kept?' });
    if (!picked) return undefined;
    if (picked.choice.disabled === undefined) return { ...picked.choice, version, block, name };
  }
}

function run(client: LanguageClient, document: TextDocument, { version, block, cell, symmetry, name }: Chosen): Promise<protocol.RelaxResult> {
  const token = `relax-${++runs}`;
  const options = { location: ProgressLocation.Notification, title: `Relaxing ${name}`, cancellable: true };
  return Promise.resolve(
    window.withProgress(options, async (progress, cancelled) => {
      const increment = increments();
      const listener = client.onNotification(protocol.relaxProgress, (report) => {
        if (report.token !== token) return;
        const step = increment(report.fraction);
        progress.report(step === undefined ? { message: report.message } : { message: report.message, increment: step });
      });
      try {
        const textDocument = { uri: client.code2ProtocolConverter.asUri(document.uri), version };
        return await client.sendRequest(protocol.relax, { textDocument, block, cell, symmetry, token }, cancelled);
      } finally {
        listener.dispose();
      }
    }),
  );
}
