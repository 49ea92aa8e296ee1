// Colours a text with one of our TextMate grammars, the way VS Code does.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import * as oniguruma from 'vscode-oniguruma';
import * as textmate from 'vscode-textmate';

/** A piece of a line and the most specific scope on it. */
export type Piece = [text: string, scope: string];

const FILES: Record<string, string> = { 'source.cif': 'cif', 'source.poscar': 'poscar' };

async function registry(): Promise<textmate.Registry> {
  const wasm = createRequire(join(process.cwd(), 'package.json')).resolve('vscode-oniguruma/release/onig.wasm');
  const bytes = await readFile(wasm);
  await oniguruma.loadWASM(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
  return new textmate.Registry({
    onigLib: Promise.resolve({
      createOnigScanner: (patterns) => new oniguruma.OnigScanner(patterns),
      createOnigString: (text) => new oniguruma.OnigString(text),
    }),
    loadGrammar: async (scope) => {
      const path = `syntaxes/${FILES[scope]}.tmLanguage.json`;
      return textmate.parseRawGrammar(await readFile(path, 'utf8'), path);
    },
  });
}

const shared = registry();

/** Every line of the text as pieces; white space without a scope of its own is left out. */
export async function colour(scope: string, text: string): Promise<Piece[][]> {
  const grammar = await (await shared).loadGrammar(scope);
  if (!grammar) throw new Error(`no grammar ${scope}`);
  let state = textmate.INITIAL;
  return text.split('\n').map((line) => {
    const result = grammar.tokenizeLine(line, state);
    state = result.ruleStack;
    return result.tokens
      .map((token): Piece => [line.slice(token.startIndex, token.endIndex), token.scopes.at(-1) ?? ''])
      .filter(([piece]) => piece.trim() !== '');
  });
}
