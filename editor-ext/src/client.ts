// The connection to the language server.
import { existsSync } from 'node:fs';
import { CodeAction, type ExtensionContext, type LogOutputChannel, commands, window, workspace } from 'vscode';
import { LanguageClient, type LanguageClientOptions, RevealOutputChannelOn, type ServerOptions, TransportKind } from 'vscode-languageclient/node';
import { LANGUAGES, SCHEMES } from './languages.js';
import type { LensCommands } from './relax/lens.js';
import { type ServerProgram, serverProgram } from './server.js';

const RELAX_KIND = 'refactor.rewrite.relax';

/** The server that the settings and this build of the extension lead to. */
export function findServer(context: ExtensionContext): ServerProgram {
  const configured = workspace.getConfiguration('cellwright').get<string>('server.path', '');
  return serverProgram(configured, context.extensionPath, process.platform, existsSync);
}

/** A client for the server at `path`, not yet started. */
export function makeClient(path: string, output: LogOutputChannel, lenses: LensCommands): LanguageClient {
  const server: ServerOptions = { command: path, args: ['lsp'], transport: TransportKind.stdio };
  const options: LanguageClientOptions = {
    documentSelector: LANGUAGES.flatMap((language) => SCHEMES.map((scheme) => ({ language, scheme }))),
    outputChannel: output,
    revealOutputChannelOn: RevealOutputChannelOn.Never,
    synchronize: { configurationSection: 'cellwright' },
    initializationOptions: { commands: ['cellwright.relax'], statusNotification: true },
    middleware: {
      provideCodeLenses: async (document, token, next) => (await next(document, token))?.map((lens) => lenses.lasting(lens)),
      // A relaxation takes its time and moves every atom, so it goes the way of the command: progress, a look at the difference, then the edit.
      // As a plain code action it would be applied unseen.
      provideCodeActions: async (document, range, context, token, next) => {
        const actions = await next(document, range, context, token);
        return actions?.map((action) => {
          if (!(action instanceof CodeAction) || !action.kind?.value.startsWith(RELAX_KIND) || action.disabled) return action;
          const preview = new CodeAction(`${action.title}…`, action.kind);
          preview.command = { title: action.title, command: 'cellwright.relaxAt', arguments: [document.uri.toString(), range.start, action.title] };
          return preview;
        });
      },
    },
  };
  return new LanguageClient('cellwright', 'Cellwright', server, options);
}

/** Tells why there is no server, and offers the setting. */
export async function tellMissing(message: string): Promise<void> {
  const settings = 'Open the Setting';
  if ((await window.showErrorMessage(message, settings)) === settings) {
    await commands.executeCommand('workbench.action.openSettings', 'cellwright.server.path');
  }
}
