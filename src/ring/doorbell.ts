import koffi from 'koffi';
import { ringNatives } from './native.js';

/** A parked flag in shared memory and the eventfd to write when it is set. */
export interface DoorbellHandle {
  readonly parked: SharedArrayBuffer;
  readonly eventFd: number;
}

/** Where native writers look: libs/bridge/doorbell.h. */
const Word = { parked: 0, ringing: 1 } as const;

/**
 * Lets a reader sleep in its event loop until a native writer has something for it: an eventfd that is written
 * only while the reader is parked, so a busy reader costs its writers one load each and no system call.
 *
 * The reader drains all it reads from and calls park(). If that returns true it sleeps, and onRing is called
 * once, after which it drains and parks again. If it returns false there is more to drain.
 */
export class Doorbell {
  /** For writers. The shared memory must live as long as any of them. */
  readonly handle: DoorbellHandle;
  readonly #memory: Int32Array;
  readonly #ownsFd: boolean;
  #poll: ReturnType<typeof koffi.node.poll> | undefined;
  #turn: NodeJS.Immediate | undefined;
  #closed = false;

  /**
   * @param shared a doorbell that another thread made and will close; only listened to here
   * @throws when the process has no descriptor left
   */
  constructor(shared?: DoorbellHandle) {
    this.#ownsFd = shared === undefined;
    this.handle = shared ?? { parked: new SharedArrayBuffer(8), eventFd: ringNatives().openEventFd() };
    if (this.handle.eventFd < 0) throw new Error('no eventfd: too many open files in this process');
    this.#memory = new Int32Array(this.handle.parked);
  }

  /** Calls onRing for each wake-up, as a task of its own: it may throw and use promises like any other. */
  listen(onRing: () => void): void {
    if (this.#poll !== undefined || this.#closed)
      throw new Error('the doorbell is already listened to or closed');
    this.#poll = koffi.node.poll(this.handle.eventFd, () => {
      ringNatives().drainEventFd(this.handle.eventFd);
      // koffi's call runs outside Node's task queue: promises would wait, exceptions would be lost.
      this.#turn ??= setImmediate(() => {
        this.#turn = undefined;
        onRing();
      });
    });
  }

  /**
   * Says that this reader is about to sleep.
   *
   * @param isEmpty looks whether there is nothing to read; called after the flag is set, so that a writer either
   *   sees the flag or is seen here
   * @returns false, and not parked, if there is something to read
   */
  park(isEmpty: () => boolean): boolean {
    Atomics.store(this.#memory, Word.parked, 1);
    if (isEmpty()) return true;
    Atomics.store(this.#memory, Word.parked, 0);
    return false;
  }

  /** Wakes the listener from JS, as a writer would. */
  ring(): void {
    ringNatives().ringDoorbell(this.#memory, this.handle.eventFd);
  }

  /** No wake-ups from here on. Writers may keep the handle: they will never write to its descriptor again. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#poll?.close();
    clearImmediate(this.#turn);
    Atomics.store(this.#memory, Word.parked, 0);
    if (!this.#ownsFd) return;
    // A writer that saw the flag before is within one write; its number must not be reused under it.
    while (Atomics.load(this.#memory, Word.ringing) !== 0);
    ringNatives().closeEventFd(this.handle.eventFd);
  }
}
