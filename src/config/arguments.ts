import type { TextLayer } from './environment.js';
import { gatewayOptions } from './options.js';

/** Configuration on the command line; absent if not given. */
export interface ConfigArguments {
  readonly port?: string;
  readonly strategy?: string;
  readonly logLevel?: string;
  /** Single connection: its fronts and broker. */
  readonly frontAddr?: readonly string[];
  readonly brokerId?: string;
}

/** Name of the one connection that --front-addr makes. */
export const singleConnectionId = 'single';

/** The option that gave a key of the one connection; an index into its fronts says nothing that the value does not. */
export function argumentOf(path: string): string {
  return path === 'broker_id' ? '--broker-id' : '--front-addr';
}

export function readArguments(given: ConfigArguments): TextLayer {
  const layer = new Map<string, unknown>();
  const labels = new Map<string, string>();
  const take = (path: keyof typeof gatewayOptions, label: string, text: string | undefined): void => {
    if (text === undefined) return;
    labels.set(path, label);
    layer.set(path, gatewayOptions[path].format.parse(text));
  };
  take('websocket_port', '--port', given.port);
  take('load_balance_strategy', '--strategy', given.strategy);
  take('log_level', '--log-level', given.logLevel);
  if (given.frontAddr !== undefined) {
    labels.set('connections', '--front-addr');
    layer.set('connections', [
      { connection_id: singleConnectionId, front_addr: given.frontAddr, broker_id: given.brokerId ?? '' },
    ]);
  }
  return { layer, labels, faults: [] };
}
