import type { Logger } from 'pino';
import type { ConnectionConfig } from './config/gatewayConfig.js';
import { openVendorLibrary } from './ctp/bridge.js';

/**
 * Opens every library that the connections use, and logs what each says it is. A connection whose library cannot be
 * opened reports it by itself later on.
 *
 * @throws with one line for the user when none of them can be opened
 */
export function openLibraries(connections: readonly ConnectionConfig[], log: Logger): void {
  const choices = connections.map(({ ctpLibrary, ctpVersion, productionMode }) => ({
    library: ctpLibrary,
    libraryVersion: ctpVersion,
    production: productionMode,
  }));
  const distinct = new Map(choices.map((choice) => [JSON.stringify(choice), choice]));
  const failures: unknown[] = [];
  for (const choice of distinct.values()) {
    try {
      const { version, warning } = openVendorLibrary(choice);
      log.info({ library: choice.library, version }, 'vendor library loaded');
      if (warning !== '') log.warn({ library: choice.library }, `${choice.library}: ${warning}`);
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length === distinct.size) throw failures[0];
  for (const failure of failures) log.error(failure instanceof Error ? failure.message : String(failure));
}
