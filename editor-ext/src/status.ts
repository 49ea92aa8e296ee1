// The status-bar item: whether energies can be computed, by which model, on which device.
import type { Status } from './protocol.js';

export interface StatusView {
  text: string;
  tooltip: string;
  /** What a click does. */
  command: string;
  warning: boolean;
}

const ICONS: Record<Status['state'], string> = {
  off: 'circle-slash',
  stopped: 'circle-outline',
  starting: 'loading~spin',
  ready: 'check',
  busy: 'sync~spin',
  notInstalled: 'cloud-download',
  failed: 'error',
};

/** How the status bar shows what the server has said of its model. */
export function statusView(status: Status): StatusView {
  const { state, model, device, message } = status;
  const who = model ? (device ? `${model} (${device})` : model) : 'Cellwright';
  const text = state === 'notInstalled' ? 'Cellwright: no energy model' : who;
  return {
    text: `$(${ICONS[state]}) ${text}`,
    tooltip: state === 'notInstalled' ? `${message}\n\nClick to install it.` : `${message}\n\nClick for the output.`,
    command: state === 'notInstalled' ? 'cellwright.pullModels' : 'cellwright.showOutput',
    warning: state === 'failed',
  };
}
