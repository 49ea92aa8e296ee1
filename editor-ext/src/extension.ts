// The extension: starts the server, shows its status, and gives its requests a face.
import { type ExtensionContext, StatusBarAlignment, type StatusBarItem, ThemeColor, commands, window, workspace } from 'vscode';
import { type LanguageClient, State } from 'vscode-languageclient/node';
import { findServer, makeClient, tellMissing } from './client.js';
import { served } from './languages.js';
import { type Target as DenoiseTarget, denoise } from './denoise/command.js';
import { pullModels } from './models.js';
import { LensCommands } from './lens.js';
import { type Target as PredictTarget, predict } from './predict/command.js';
import { registerPreviews } from './preview/preview.js';
import * as protocol from './protocol.js';
import { type Target, relax } from './relax/command.js';
import { statusView } from './status.js';
import { type Target as SubstituteTarget, substitute } from './substitute/command.js';

interface Place {
  line: number;
  character: number;
}

let stop: (() => Promise<void>) | undefined;

export async function activate(context: ExtensionContext): Promise<void> {
  const output = window.createOutputChannel('Cellwright', { log: true });
  const item = window.createStatusBarItem('cellwright.status', StatusBarAlignment.Right, 90);
  item.name = 'Cellwright';
  const lenses = new LensCommands();
  let status: protocol.Status = { state: 'starting', message: 'The server is starting.' };
  let client: LanguageClient | undefined;

  const show = (next: protocol.Status): void => {
    status = next;
    present(item, status);
  };
  const start = async (): Promise<void> => {
    const program = findServer(context);
    if ('missing' in program) {
      show({ state: 'failed', message: program.missing });
      void tellMissing(program.missing);
      return;
    }
    const fresh = makeClient(program.path, output, lenses);
    client = fresh;
    fresh.onNotification(protocol.status, show);
    fresh.onDidChangeState(({ newState }) => {
      if (newState === State.Stopped && client === fresh) show({ state: 'failed', message: 'The server has stopped. "Cellwright: Restart the Server" starts it again.' });
    });
    try {
      await fresh.start();
    } catch (error) {
      show({ state: 'failed', message: `The server does not start: ${error instanceof Error ? error.message : String(error)}` });
    }
  };
  stop = async () => {
    const old = client;
    client = undefined;
    await old?.dispose();
  };
  const restart = async (): Promise<void> => {
    await stop?.();
    show({ state: 'starting', message: 'The server is starting.' });
    await start();
  };
  const previews = registerPreviews(context, output);
  const whenRunning = async (act: (running: LanguageClient) => Promise<void>): Promise<void> => {
    if (client?.isRunning()) await act(client);
    else void window.showErrorMessage('The server is not running. "Cellwright: Restart the Server" starts it.');
  };
  const relaxAt = (target: Target): Promise<void> =>
    whenRunning((running) => relax(running, previews, output, target, () => status.state !== 'notInstalled'));
  const denoiseAt = (target: DenoiseTarget): Promise<void> => whenRunning((running) => denoise(running, previews, output, target));
  const substituteAt = (target: SubstituteTarget): Promise<void> => whenRunning((running) => substitute(running, previews, output, target));
  const predictAt = (target: PredictTarget): Promise<void> => whenRunning((running) => predict(running, previews, output, target));

  context.subscriptions.push(
    output,
    item,
    lenses,
    commands.registerCommand('cellwright.relax', (uri?: unknown, block?: unknown) =>
      relaxAt(typeof uri === 'string' ? { uri, ...(typeof block === 'number' && { block }) } : {})),
    commands.registerCommand('cellwright.relaxAt', (uri: string, position: Place, title: string) => relaxAt({ uri, position, title })),
    commands.registerCommand('cellwright.predict', (uri?: unknown, line?: unknown) =>
      predictAt(typeof uri === 'string' ? { uri, ...(typeof line === 'number' && { line }) } : {})),
    commands.registerCommand('cellwright.predictAt', (uri: string, position: Place) => predictAt({ uri, position })),
    commands.registerCommand('cellwright.denoise', () => denoiseAt({})),
    commands.registerCommand('cellwright.denoiseAt', (uri: string, start: Place, _title: string, end: Place) => denoiseAt({ uri, range: { start, end } })),
    commands.registerCommand('cellwright.substitute', () => substituteAt({})),
    commands.registerCommand('cellwright.substituteAt', (uri: string, position: Place) => substituteAt({ uri, position })),
    commands.registerCommand('cellwright.restartServer', restart),
    commands.registerCommand('cellwright.showOutput', () => output.show()),
    commands.registerCommand('cellwright.pullModels', async () => {
      const program = findServer(context);
      if ('missing' in program) await tellMissing(program.missing);
      else if (await pullModels(program.path, output)) await client?.sendNotification(protocol.modelsChanged, {});
    }),
    workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration('cellwright.server.path')) void restart();
    }),
    window.onDidChangeActiveTextEditor(() => present(item, status)),
  );
  present(item, status);
  await start();
}

export async function deactivate(): Promise<void> {
  await stop?.();
}

// The item is there while a crystal file is, and when something is wrong.
function present(item: StatusBarItem, status: protocol.Status): void {
  const view = statusView(status);
  item.text = view.text;
  item.tooltip = view.tooltip;
  item.command = view.command;
  item.backgroundColor = view.warning ? new ThemeColor('statusBarItem.warningBackground') : undefined;
  if (view.warning || served(window.activeTextEditor?.document)) item.show();
  else item.hide();
}
