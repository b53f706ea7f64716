import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { ConnectionConfig } from '../config/gatewayConfig.js';
import type { LibraryLog } from './libraryLog.js';
import { libraryUnderTrial, openVendorLibrary, type LibraryChoice } from '../ctp/bridge.js';
import { errorText } from '../base/errorText.js';
import { marked } from '../base/logEvents.js';

const trialPollMs = 20;

/**
 * Opens every library that the connections use, side by side, and logs what each says it is. Returns as soon as one is
 * open, or when `shutdown` is aborted; the others follow. A connection whose library cannot be opened reports it by
 * itself later on.
 *
 * @throws with one line for the user when none of them can be opened
 */
export async function openLibraries(
  connections: readonly ConnectionConfig[],
  libraryLog: LibraryLog,
  log: Logger,
  shutdown: AbortSignal,
): Promise<void> {
  const choices = connections.map(({ ctpLibrary, ctpVersion, productionMode }) => ({
    library: ctpLibrary,
    libraryVersion: ctpVersion,
    production: productionMode,
  }));
  const distinct = new Map(choices.map((choice) => [JSON.stringify(choice), choice]));
  if (distinct.size === 0) return;
  const failures: unknown[] = [];
  let opened = false;
  const attempts = [...distinct.values()].map(async (choice) => {
    try {
      await open(choice, libraryLog, shutdown);
      opened = true;
    } catch (error) {
      failures.push(error);
      throw error;
    } finally {
      // While none is open, the first failure may yet be the user's answer.
      if (opened)
        for (const failure of failures.splice(0)) log.error(marked('library_failed'), errorText(failure));
    }
  });
  try {
    await Promise.any(attempts);
  } catch {
    throw failures[0];
  }
}

async function open(choice: LibraryChoice, log: LibraryLog, shutdown: AbortSignal): Promise<void> {
  while (libraryUnderTrial(choice.library)) {
    if (shutdown.aborted) return;
    await delay(trialPollMs);
  }
  const { version, warning } = openVendorLibrary(choice);
  log.loaded(choice.library, version, warning);
}
