// The text that a document would have after an edit.
import type { TextEdit, WorkspaceEdit } from 'vscode-languageclient';
import { TextDocument } from 'vscode-languageserver-textdocument';

/** Raised when the edit is not one that this extension may apply; the message is for the user. */
export class UnexpectedEdit extends Error {}

/** The text edits for `uri`. An edit that touches anything else, or another version, is refused. */
export function editsFor(edit: WorkspaceEdit, uri: string, version: number): TextEdit[] {
  if (edit.documentChanges === undefined) {
    const { [uri]: own = [], ...others } = edit.changes ?? {};
    if (Object.keys(others).length > 0) throw new UnexpectedEdit(`The edit touches ${Object.keys(others).join(', ')} too.`);
    return own;
  }
  return edit.documentChanges.flatMap((change) => {
    if (!('textDocument' in change)) throw new UnexpectedEdit('The edit does more than change text.');
    if (change.textDocument.uri !== uri) throw new UnexpectedEdit(`The edit touches ${change.textDocument.uri} too.`);
    if (change.textDocument.version !== null && change.textDocument.version !== version) {
      throw new UnexpectedEdit('The edit is for another version of the document.');
    }
    return change.edits.map((one) => {
      if (!('newText' in one)) throw new UnexpectedEdit('The edit is a snippet.');
      return one;
    });
  });
}

/** The text after the edits. */
export function edited(text: string, edits: TextEdit[]): string {
  return TextDocument.applyEdits(TextDocument.create('untitled:', 'plaintext', 0, text), edits);
}
