import koffi from 'koffi';
import { packagePath } from '../paths.js';

/** Ticks that one native call hands over at most. */
const batchTicks = 1024;

function bind() {
  const library = koffi.load(packagePath('libs', 'simulator', 'build', 'libqactpmd_model.so'));
  return {
    longestFrame: library.func('int qm_longest_frame()') as () => number,
    create: library.func('void *qm_feed_new(uint64_t seed, double rate)') as (
      seed: bigint,
      rate: number,
    ) => unknown,
    free: library.func('void qm_feed_free(void *feed)') as (feed: unknown) => void,
    add: library.func('int qm_add(void *feed, const char *id)') as (feed: unknown, id: string) => number,
    setActive: library.func('void qm_set_active(void *feed, int index, int active, double now)') as (
      feed: unknown,
      index: number,
      active: number,
      now: number,
    ) => void,
    newestStep: library.func('double qm_newest_step(void *feed, int index, double now)') as (
      feed: unknown,
      index: number,
      now: number,
    ) => number,
    tick: library.func('int qm_tick(void *feed, int index, double step, void *out)') as (
      feed: unknown,
      index: number,
      step: number,
      out: Uint8Array,
    ) => number,
    collect: library.func(
      'int qm_collect(void *feed, double now, int limit, void *indices, void *ends, void *frames)',
    ) as (
      feed: unknown,
      now: number,
      limit: number,
      indices: Int32Array,
      ends: Uint32Array,
      frames: Uint8Array,
    ) => number,
    nextDue: library.func('double qm_next_due(void *feed)') as (feed: unknown) => number,
  };
}

let native: ReturnType<typeof bind> | undefined;

/**
 * The tick model and its schedule, from libs/simulator. Times are in ms since the epoch. A tick is a pure function
 * of (seed, instrument, step) and its step one of (seed, instrument, rate): feeds of any number of processes agree.
 */
export class TickFeed {
  readonly #native: ReturnType<typeof bind>;
  readonly #feed: unknown;
  readonly #indices = new Int32Array(batchTicks);
  readonly #ends = new Uint32Array(batchTicks);
  readonly #frames: Buffer;

  /** `rate` is the ticks per second of each instrument, at most 1000. Throws when the library cannot be loaded. */
  constructor(seed: number, rate: number) {
    this.#native = native ??= bind();
    this.#feed = this.#native.create(BigInt(seed), rate);
    this.#frames = Buffer.alloc(batchTicks * this.#native.longestFrame());
  }

  /** Index of an instrument from 0 on; -1 for an id that the model does not know. */
  add(id: string): number {
    return this.#native.add(this.#feed, id);
  }

  /** Begins or stops to schedule an instrument. */
  setActive(index: number, active: boolean, now: number): void {
    this.#native.setActive(this.#feed, index, active ? 1 : 0, now);
  }

  /** Step of an instrument's newest scheduled tick. */
  newestStep(index: number, now: number): number {
    return this.#native.newestStep(this.#feed, index, now);
  }

  /** One tick as a frame of the wire protocol. */
  tickFrame(index: number, step: number): Buffer {
    const length = this.#native.tick(this.#feed, index, step, this.#frames);
    return Buffer.from(this.#frames.subarray(0, length));
  }

  /**
   * Hands over every due tick: `deliver(index, frames, start, end)`, the frame being bytes start to end of `frames`,
   * valid during the call.
   */
  collect(now: number, deliver: (index: number, frames: Buffer, start: number, end: number) => void): void {
    let count = batchTicks;
    while (count === batchTicks) {
      count = this.#native.collect(this.#feed, now, batchTicks, this.#indices, this.#ends, this.#frames);
      for (let i = 0; i < count; i++) {
        deliver(this.#indices[i]!, this.#frames, i === 0 ? 0 : this.#ends[i - 1]!, this.#ends[i]!);
      }
    }
  }

  /** When the next tick is due, undefined when no instrument is scheduled. */
  get nextDue(): number | undefined {
    const due = this.#native.nextDue(this.#feed);
    return due < 0 ? undefined : due;
  }

  /** Frees the native side; the feed must not be used after it. */
  close(): void {
    this.#native.free(this.#feed);
  }
}
