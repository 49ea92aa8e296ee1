// Tells the user why a request gave nothing.
import { CancellationError, type LogOutputChannel, commands, window } from 'vscode';
import { LSPErrorCodes, ResponseError } from 'vscode-languageclient';
import { brief } from './words.js';

/** Says what went wrong and offers what helps. Who has cancelled knows. */
export async function tell(error: unknown, output: LogOutputChannel, modelInstalled: boolean): Promise<void> {
  if (error instanceof CancellationError || (error instanceof ResponseError && error.code === LSPErrorCodes.RequestCancelled)) return;
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof ResponseError && error.code === LSPErrorCodes.ContentModified) {
    void window.showWarningMessage(message);
    return;
  }
  output.error(message);
  const [button, command] = modelInstalled ? ['Show the Output', 'cellwright.showOutput'] : ['Install the Energy Model', 'cellwright.pullModels'];
  if ((await window.showErrorMessage(brief(message), button)) === button) await commands.executeCommand(command);
}
