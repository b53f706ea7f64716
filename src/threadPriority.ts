import { setPriority } from 'node:os';

const niceness = 10;

/**
 * Lets others of this process go first on a busy machine. On Linux that is about the thread that calls it: one that nobody
 * waits for, and that keeps up all the same.
 */
export function stepBack(): void {
  try {
    setPriority(niceness);
  } catch {
    // The process was begun with less priority than that, or a sandbox forbids it.
  }
}
