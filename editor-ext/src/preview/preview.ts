// Shows what a document would become beside what it is, and applies it when the user says so.
import { type Disposable, EventEmitter, type ExtensionContext, type LogOutputChannel, type TextDocument, TabInputTextDiff, Uri, WorkspaceEdit, commands, window, workspace } from 'vscode';
import type { WorkspaceEdit as ProposedEdit } from 'vscode-languageclient';
import type { LanguageClient } from 'vscode-languageclient/node';
import { edited, editsFor } from './edits.js';

/** Scheme of the right-hand side of the difference. */
const SCHEME = 'cellwright-preview';

/** A change of a document that nobody has agreed to yet. */
export interface Proposal {
  /** Of the document that the edit is for. */
  version: number;
  edit: ProposedEdit;
  /** Of the tab with the difference. */
  title: string;
  /** Short, because VS Code cuts long ones. */
  question: string;
  /** Everything there is to say, line by line, for the output channel. */
  details: string[];
  /** What to do when the document has changed meanwhile: `Run Relax again.` */
  again: string;
}

interface Pending {
  document: TextDocument;
  again: string;
  version: number;
  edit: WorkspaceEdit;
  text: string;
  uri: Uri;
}

/** At most one preview per document; a new one replaces the old. */
export class Previews {
  readonly #pending = new Map<string, Pending>();
  readonly #changed = new EventEmitter<Uri>();
  readonly #output: LogOutputChannel;

  constructor(output: LogOutputChannel) {
    this.#output = output;
  }

  register(): Disposable[] {
    return [
      this.#changed,
      workspace.registerTextDocumentContentProvider(SCHEME, {
        onDidChange: this.#changed.event,
        provideTextDocumentContent: (uri) => this.#pending.get(uri.toString())?.text ?? '',
      }),
      commands.registerCommand('cellwright.applyPreview', (uri?: Uri) => this.#apply(this.#find(uri))),
      commands.registerCommand('cellwright.discardPreview', (uri?: Uri) => this.#close(this.#find(uri))),
      workspace.onDidChangeTextDocument(({ document }) => this.#refuseStale(document)),
      // Closing the tab is a "no".
      window.tabGroups.onDidChangeTabs(({ closed }) => {
        for (const { input } of closed) {
          if (input instanceof TabInputTextDiff) this.#pending.delete(input.modified.toString());
        }
      }),
    ];
  }

  /** Shows what a proposal would do to `document` and asks. */
  async show(client: LanguageClient, document: TextDocument, proposal: Proposal): Promise<void> {
    const { version, again } = proposal;
    if (document.version !== version) {
      tellStale(document, again);
      return;
    }
    const own = editsFor(proposal.edit, client.code2ProtocolConverter.asUri(document.uri), version);
    const edit = new WorkspaceEdit();
    edit.set(document.uri, await client.protocol2CodeConverter.asTextEdits(own));
    const uri = document.uri.with({ scheme: SCHEME });
    const pending = { document, again, version, edit, text: edited(document.getText(), own), uri };
    this.#pending.set(uri.toString(), pending);
    this.#changed.fire(uri);
    const name = document.uri.path.split('/').at(-1) ?? '';
    await commands.executeCommand('vscode.diff', document.uri, uri, `${name} ↔ ${proposal.title}`, { preview: false });
    for (const line of proposal.details) this.#output.info(`${name}: ${line}`);
    const [apply, more] = ['Apply', 'Details'];
    for (;;) {
      const answer = await window.showInformationMessage(proposal.question, apply, more, 'Discard');
      // The buttons of the tab may have answered already, and a notification that was only closed says nothing.
      if (this.#pending.get(uri.toString()) !== pending || answer === undefined) return;
      if (answer !== more) return await (answer === apply ? this.#apply(pending) : this.#close(pending));
      // Whoever has read them still has to decide.
      this.#output.show(true);
    }
  }

  async #apply(pending: Pending | undefined): Promise<void> {
    if (!pending) return;
    const { document, again, version, edit } = pending;
    this.#pending.delete(pending.uri.toString());
    if (document.version !== version) {
      await closeTabs(pending.uri);
      tellStale(document, again);
      return;
    }
    const applied = await workspace.applyEdit(edit);
    await window.showTextDocument(document, { preview: false });
    await closeTabs(pending.uri);
    if (!applied) void window.showErrorMessage('The editor refused the edit; nothing was changed.');
  }

  async #close(pending: Pending | undefined): Promise<void> {
    if (!pending) return;
    this.#pending.delete(pending.uri.toString());
    await window.showTextDocument(pending.document, { preview: false });
    await closeTabs(pending.uri);
  }

  // The preview that a command means: the one in the active tab, unless told otherwise.
  #find(uri: Uri | undefined): Pending | undefined {
    const input = window.tabGroups.activeTabGroup.activeTab?.input;
    const active = input instanceof TabInputTextDiff ? input.modified : undefined;
    const candidates = [uri, active].filter((candidate) => candidate?.scheme === SCHEME);
    return candidates.map((candidate) => this.#pending.get(String(candidate))).find((pending) => pending !== undefined);
  }

  #refuseStale(document: TextDocument): void {
    const pending = this.#pending.get(document.uri.with({ scheme: SCHEME }).toString());
    if (!pending || document.version === pending.version) return;
    this.#pending.delete(pending.uri.toString());
    void closeTabs(pending.uri);
    tellStale(document, pending.again);
  }
}

function tellStale(document: TextDocument, again: string): void {
  const name = document.uri.path.split('/').at(-1);
  void window.showWarningMessage(`${name} was changed meanwhile, so nothing was applied. ${again}`);
}

async function closeTabs(modified: Uri): Promise<void> {
  const tabs = window.tabGroups.all.flatMap((group) => group.tabs).filter(({ input }) => input instanceof TabInputTextDiff && input.modified.toString() === modified.toString());
  if (tabs.length > 0) await window.tabGroups.close(tabs);
}

/** Registers the previews for the life of the extension. */
export function registerPreviews(context: ExtensionContext, output: LogOutputChannel): Previews {
  const previews = new Previews(output);
  context.subscriptions.push(...previews.register());
  return previews;
}
