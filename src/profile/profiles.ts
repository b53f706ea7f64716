import { Session } from 'node:inspector/promises';
import { Readable } from 'node:stream';
import { getHeapSnapshot } from 'node:v8';

/**
 * Samples this thread's CPU use for a time, or until `signal` aborts. The answer is the content of a .cpuprofile
 * file, for Chrome's developer tools.
 */
export async function recordCpuProfile(seconds: number, signal: AbortSignal): Promise<Readable> {
  const session = new Session();
  session.connect();
  try {
    await session.post('Profiler.enable');
    await session.post('Profiler.start');
    await new Promise<void>((resolve) => {
      const finish = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', finish);
        resolve();
      };
      const timer = setTimeout(finish, seconds * 1000);
      if (signal.aborted) finish();
      else signal.addEventListener('abort', finish);
    });
    const { profile } = await session.post('Profiler.stop');
    return Readable.from([JSON.stringify(profile)]);
  } finally {
    session.disconnect();
  }
}

/**
 * The content of a .heapsnapshot file. The thread stands still while it is made, about a second per 100 MB of heap;
 * it is then read in pieces as fast as the reader takes them.
 */
export function takeHeapSnapshot(): Readable {
  return getHeapSnapshot();
}
