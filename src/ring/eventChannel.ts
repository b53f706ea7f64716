import { Doorbell, type DoorbellHandle } from './doorbell.js';
import { allocateEventRing } from './eventRing.js';
import { ringNatives } from './native.js';

/** 2 MB: every session of a worker may have a whole batch refused at once. */
const eventCapacity = 8192;
const eventReserve = 512;

/** The memory of an event channel, for the worker that reads it. */
export interface EventChannelHandle {
  /** The bridge's number for anyone who receives the events. */
  readonly owner: number;
  readonly ring: SharedArrayBuffer;
  readonly doorbell: DoorbellHandle;
}

/**
 * The way of control events from the bridge to one connection worker. It belongs to the thread that starts the
 * worker and outlives it: native code may write to it until release() has returned, however the worker ended.
 */
export class EventChannel {
  readonly handle: EventChannelHandle;
  readonly #doorbell = new Doorbell();
  #released = false;

  constructor() {
    const ring = allocateEventRing(eventCapacity, eventReserve);
    const bytes = new Uint8Array(ring);
    const doorbell = this.#doorbell.handle;
    const owner = ringNatives().openOwner(
      bytes,
      bytes.byteLength,
      new Int32Array(doorbell.parked),
      doorbell.eventFd,
    );
    if (owner < 0) throw new Error('the bridge refused an event ring');
    this.handle = { owner, ring, doorbell };
  }

  /** Sessions of this channel that the vendor's library has not let go of yet. */
  get unreleased(): number {
    return ringNatives().unreleased(this.handle.owner);
  }

  /** Sessions of one connection that are not released yet. */
  unreleasedOf(connection: number): number {
    return ringNatives().unreleasedOf(this.handle.owner, connection);
  }

  /** The connection has a session, for which no call into the library is under way. */
  isIdle(connection: number): boolean {
    return ringNatives().connectionIdle(this.handle.owner, connection) === 1;
  }

  /** Silences and closes the session of one connection, in the background. */
  closeConnection(connection: number): void {
    ringNatives().closeConnection(this.handle.owner, connection);
  }

  /** For the end of the process: native code writes nothing here any more, and the sessions stay as they are. */
  detach(): void {
    ringNatives().detachOwner(this.handle.owner);
  }

  /** Silences and closes the sessions that are left, in the background; their tick rings are free at once. */
  release(): void {
    if (this.#released) return;
    this.#released = true;
    ringNatives().closeOwner(this.handle.owner);
    this.#doorbell.close();
  }
}
