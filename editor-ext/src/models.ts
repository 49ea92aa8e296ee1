// Installs the weights of the energy model by running the server binary's own command.
import { spawn } from 'node:child_process';
import { type LogOutputChannel, ProgressLocation, commands, window } from 'vscode';

/**
 * Runs `cellwright models pull` with a notification that shows what it says and can cancel it.
 * @returns whether the weights are installed now
 */
export async function pullModels(server: string, output: LogOutputChannel): Promise<boolean> {
  const options = { location: ProgressLocation.Notification, title: 'Installing the energy model', cancellable: true };
  const outcome = await window.withProgress(options, (progress, cancelled) => {
    return new Promise<string | undefined>((resolve) => {
      const child = spawn(server, ['models', 'pull'], { stdio: ['ignore', 'pipe', 'pipe'] });
      let last = '';
      const hear = (chunk: Buffer): void => {
        for (const line of String(chunk).split(/[\r\n]+/).filter((text) => text.trim() !== '')) {
          last = line.trim();
          output.info(`models pull: ${last}`);
          progress.report({ message: last });
        }
      };
      child.stdout.on('data', hear);
      child.stderr.on('data', hear);
      child.on('error', (error) => resolve(error.message));
      child.on('close', (status) => resolve(status === 0 ? undefined : cancelled.isCancellationRequested ? 'cancelled' : last || `ended with status ${status}`));
      cancelled.onCancellationRequested(() => child.kill());
    });
  });
  if (outcome === undefined) {
    void window.showInformationMessage('The energy model is installed.');
    return true;
  }
  if (outcome !== 'cancelled') {
    const show = 'Show the Output';
    void window.showErrorMessage(`The energy model could not be installed: ${outcome}`, show).then((answer) => {
      if (answer === show) void commands.executeCommand('cellwright.showOutput');
    });
  }
  return false;
}
