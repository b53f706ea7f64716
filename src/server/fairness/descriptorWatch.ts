import { closeSync, openSync, readFileSync } from 'node:fs';
import type { LimitedLog } from '../../log/limitedLog.js';
import { marked } from '../../base/logEvents.js';

/** Descriptors that are left to files, Redis and fronts when clients have taken all others. */
const spareDescriptors = 32;
/** Free descriptors, beyond the spare ones, at which clients are let in again. */
const resumeAt = 32;
/** ms between two looks. */
const checkMs = 20;
/** Share of all descriptors that is to be free: with fewer, room is made for twice as many. */
const freeShare = 1 / 8;

export interface DescriptorParts {
  /** Makes room for so many clients, as far as others can be closed. */
  relieve(connections: number): void;
  /** Lets nobody in from now on. */
  pause(): void;
  /** Lets clients in again. */
  resume(): void;
  readonly limitedLog: LimitedLog;
}

/** Descriptors that each connection to a front takes, at most. */
const descriptorsPerConnection = 8;
/** Descriptors of the program itself: libraries, logs, Redis, recordings. */
const ownDescriptors = 96;

/** Clients that there are descriptors for, beside so many connections to fronts. */
export function clientsThatFit(limit: number, connections: number): number {
  return Math.max(1, limit - ownDescriptors - spareDescriptors - connections * descriptorsPerConnection);
}

/** Most files and sockets that this process may have open at once. */
export function descriptorLimit(): number {
  const soft = /^Max open files\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
  return soft === undefined || soft === 'unlimited' ? Infinity : Number(soft);
}

/**
 * Has room made for clients when few descriptors are left, and stops letting connections in before the last descriptor is taken. Without it the kernel refuses the next one, keeps it in
 * the queue, and the event loop spins on it while nothing else can open a file.
 */
export class DescriptorWatch {
  /** Times that connections were let wait. */
  pauses = 0;
  readonly #parts: DescriptorParts;
  readonly #limit = descriptorLimit();
  readonly #timer: NodeJS.Timeout;
  #isPaused = false;

  constructor(parts: DescriptorParts) {
    this.#parts = parts;
    this.#timer = setInterval(() => this.#check(), checkMs);
    this.#timer.unref();
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #check(): void {
    const free = this.#limit - lowestFree() - spareDescriptors;
    const wanted = this.#limit * freeShare;
    if (free < wanted) this.#parts.relieve(Math.ceil(2 * wanted - Math.max(0, free)));
    if (!this.#isPaused && free <= 0) {
      this.#isPaused = true;
      this.pauses++;
      this.#parts.limitedLog.write(
        'accept pauses',
        'warn',
        marked('accept_paused', { limit: this.#limit }),
        `no connections are accepted for now: the process may have ${this.#limit} files and sockets open, and has almost all of them`,
      );
      this.#parts.pause();
    } else if (this.#isPaused && free >= Math.min(resumeAt, this.#limit / 8)) {
      this.#isPaused = false;
      this.#parts.limitedLog.write('accept pauses', 'info', {}, 'connections are accepted again');
      this.#parts.resume();
    }
  }
}

/** The lowest free descriptor: as many, or nearly, are in use. Infinity where there is none. */
function lowestFree(): number {
  try {
    const descriptor = openSync('/dev/null', 'r');
    closeSync(descriptor);
    return descriptor;
  } catch (error) {
    if (isOutOfDescriptors(error)) return Infinity;
    throw error;
  }
}

/** Whether a system call has failed because the process, or the machine, has no descriptor left. */
export function isOutOfDescriptors(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'EMFILE' || error.code === 'ENFILE');
}
