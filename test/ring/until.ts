import { setTimeout as delay } from 'node:timers/promises';

const pollMs = 2;

/** Waits for a condition; fails when it does not come true in time. */
export async function until(condition: () => boolean, what: string, deadlineMs = 15_000): Promise<void> {
  const end = performance.now() + deadlineMs;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`not within ${deadlineMs} ms: ${what}`);
    await delay(pollMs);
  }
}
