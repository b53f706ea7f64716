/** Tests end after 60 s: what is waited for in vain is named before. */
const defaultDeadlineMs = 20_000;
const pollMs = 5;
const mostShown = 600;

/** What is waited for; a function says it as it is at the deadline. */
export type Subject = string | (() => string);

/** Is given what ends the pause between two looks. */
export type WakeUp = (woken: () => void) => void;

/**
 * Reads a value again and again, 5 ms apart, until it is as wanted.
 *
 * @param wanted throws where the value cannot become right any more
 * @returns the value
 * @throws after deadlineMs, naming what was waited for and the value that was read last
 */
export async function untilReads<T>(
  what: Subject,
  read: () => T | Promise<T>,
  wanted: (value: T) => boolean,
  deadlineMs = defaultDeadlineMs,
  onWake?: WakeUp,
): Promise<T> {
  const deadline = performance.now() + deadlineMs;
  for (;;) {
    // A late first look counts: a machine that stood still has not shown that the condition fails.
    const isLast = performance.now() > deadline;
    const value = await read();
    if (wanted(value)) return value;
    if (isLast) throw new Error(`waited ${deadlineMs} ms for ${nameOf(what)}${shown(value)}`);
    await pause(onWake);
  }
}

/** Waits until `check` gives something truthy. */
export async function until<T>(
  what: Subject,
  check: () => T | Promise<T>,
  deadlineMs?: number,
  onWake?: WakeUp,
): Promise<NonNullable<Awaited<T>>> {
  return (await untilReads<unknown>(what, check, Boolean, deadlineMs, onWake)) as NonNullable<Awaited<T>>;
}

/** Waits until a value is the given one, which it keeps until the test continues. */
export async function untilIs<T extends string | number | boolean | null>(
  what: Subject,
  read: () => T | Promise<T>,
  expected: T,
  deadlineMs?: number,
): Promise<void> {
  const named = (): string => `${nameOf(what)} (${expected})`;
  await untilReads(named, read, (value) => value === expected, deadlineMs);
}

/** Waits until a number that only grows has come to `count`, and fails at once where it has gone beyond. */
export async function untilCounted(
  what: Subject,
  read: () => number | Promise<number>,
  count: number,
  deadlineMs?: number,
): Promise<void> {
  const isThere = (value: number): boolean => {
    if (value > count) throw new Error(`${nameOf(what)}: counted ${value}, which is more than ${count}`);
    return value === count;
  };
  await untilReads(() => `${nameOf(what)} (${count})`, read, isThere, deadlineMs);
}

function pause(onWake: WakeUp | undefined): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, pollMs);
    onWake?.(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}

function nameOf(what: Subject): string {
  return typeof what === 'string' ? what : what();
}

function shown(value: unknown): string {
  if (value === undefined || typeof value === 'boolean') return '';
  return `; at last ${JSON.stringify(value).slice(0, mostShown)}`;
}
