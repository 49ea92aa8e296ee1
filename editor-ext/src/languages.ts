// The language ids that are served. `mmcif` is what other extensions call the same files.
import type { TextDocument } from 'vscode';

export const LANGUAGES = ['cif', 'mmcif', 'poscar'] as const;

/** Schemes of documents that a user edits; previews and old revisions are none of them. */
export const SCHEMES = ['file', 'untitled'] as const;

/** Whether the server knows this document. */
export function served(document: TextDocument | undefined): document is TextDocument {
  return document !== undefined && LANGUAGES.some((id) => id === document.languageId) && SCHEMES.some((scheme) => scheme === document.uri.scheme);
}
