import type { Logger } from 'pino';
import { ConfigError } from '../config/configError.js';
import type { ReloadPlan, ReloadSummary } from '../config/reload.js';
import { errorText } from '../base/errorText.js';
import { marked } from '../base/logEvents.js';

/** Names that a line has at most; the rest is counted. */
const longestList = 20;

const beginnings = {
  added: 'connections added',
  removed: 'connections removed',
  reopened: 'connections that log in anew',
  adjusted: 'connections changed without a new login',
  settings: 'settings changed',
} as const satisfies Partial<Record<keyof ReloadPlan, string>>;

/**
 * Carries a reload out and logs what has changed, a line for each kind, or why nothing has. `cause` begins the lines, such
 * as SIGHUP. What `reload` throws is thrown again.
 */
export function loggedReload(log: Logger, cause: string, reload: () => ReloadSummary): ReloadSummary {
  try {
    const summary = reload();
    logReload(log, cause, summary);
    return summary;
  } catch (error) {
    logRefusedReload(log, cause, error);
    throw error;
  }
}

function logReload(log: Logger, cause: string, summary: ReloadSummary): void {
  const kinds = (Object.keys(beginnings) as (keyof typeof beginnings)[]).filter(
    (kind) => summary[kind].length > 0,
  );
  for (const kind of kinds) log.info(`${cause}: ${beginnings[kind]}: ${listed(summary[kind])}`);
  if (summary.restart.length > 0)
    log.warn(
      marked('restart_needed', { settings: summary.restart }),
      `${cause}: these need a restart and stay as they were: ${listed(summary.restart)}`,
    );
  else if (kinds.length === 0) log.info(`${cause}: nothing has changed`);
}

/** A line for each of the first things that are wrong. */
function logRefusedReload(log: Logger, cause: string, error: unknown): void {
  if (error instanceof ConfigError)
    for (const text of error.lines)
      log.error(marked('reload_refused'), `${cause}: refused, nothing was changed: ${text}`);
  else log.error(marked('reload_failed'), `${cause}: no reload: ${errorText(error)}`);
}

function listed(names: readonly string[]): string {
  const more = names.length - longestList;
  return names.slice(0, longestList).join(', ') + (more > 0 ? ` and ${more} more` : '');
}
