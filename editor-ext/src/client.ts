// The connection to the language server.
import { existsSync } from 'node:fs';
import { CodeAction, type ExtensionContext, type LogOutputChannel, commands, window, workspace } from 'vscode';
import { LanguageClient, type LanguageClientOptions, RevealOutputChannelOn, type ServerOptions, TransportKind } from 'vscode-languageclient/node';
import { LANGUAGES, SCHEMES } from './languages.js';
import type { LensCommands } from './lens.js';
import { type ServerProgram, serverProgram } from './server.js';

// Commands for the kinds of action that take their time and change much.
const PREVIEWED: Record<string, string> = {
  'refactor.rewrite.relax': 'cellwright.relaxAt',
  'refactor.rewrite.predict': 'cellwright.predictAt',
  'refactor.rewrite.denoise': 'cellwright.denoiseAt',
  'refactor.rewrite.substitute': 'cellwright.substituteAt',
};

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
    initializationOptions: { commands: ['cellwright.relax', 'cellwright.predict'], statusNotification: true },
    middleware: {
      provideCodeLenses: async (document, token, next) => (await next(document, token))?.map((lens) => lenses.lasting(lens)),
      // What takes its time and moves every atom goes the way of the command: progress, a look at the difference, then the edit. As a plain code
      // action it would be applied unseen.
      provideCodeActions: async (document, range, context, token, next) => {
        const actions = await next(document, range, context, token);
        return actions?.map((action) => {
          const command = action instanceof CodeAction && !action.disabled ? PREVIEWED[action.kind?.value ?? ''] : undefined;
          if (!(action instanceof CodeAction) || command === undefined) return action;
          const preview = new CodeAction(`${action.title}…`, action.kind);
          preview.command = { title: action.title, command, arguments: [document.uri.toString(), range.start, action.title, range.end] };
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
