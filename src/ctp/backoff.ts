const firstDelayMs = 1_000;
const maxDelayMs = 60_000;

/**
 * The wait before a retry: doubling from one second to one minute, never below `minDelayMs`, and shortened by up
 * to a quarter so that many sessions do not retry in step.
 *
 * @param attempt failures in a row, from 1
 * @param spread 0 to 1, the session's own
 */
export function retryDelayMs(attempt: number, minDelayMs: number, spread: number): number {
  const doubled = Math.min(maxDelayMs, firstDelayMs * 2 ** Math.min(attempt - 1, 16));
  return Math.max(minDelayMs, Math.round(doubled * (1 - spread / 4)));
}
