import { PerformanceObserver, monitorEventLoopDelay } from 'node:perf_hooks';
import { doubleWord, intWord, type TickRecord } from '../ring/tickRecord.js';
import { epochOffsetMs } from './epochClock.js';

/** Numbers per sample: slot, volume, open interest, and times in ms since the epoch. */
const Column = {
  slot: 0,
  volume: 1,
  openInterest: 2,
  received: 3,
  begun: 4,
  taken: 5,
  applied: 6,
  published: 7,
  ended: 8,
  written: 9,
} as const;
const columns = 10;
/** Names of the columns in a report; the instrument takes the place of the slot. */
const columnNames = Object.keys(Column).map((name) =>
  name === 'slot' ? 'instrument' : name === 'openInterest' ? 'open_interest' : name,
);
/** Samples of one recording; ticks past them are not followed. */
const maxSamples = 65_536;
const loopDelayResolutionMs = 5;
const nsPerMs = 1e6;

/** Result of a trace; times of samples are ms since the epoch. */
export interface TickTraceReport {
  /** One in so many ticks was followed. */
  readonly one_in: number;
  readonly columns: readonly string[];
  /** The instrument, then the numbers that `columns` names. */
  readonly samples: readonly (readonly [string, ...number[]])[];
  /** How late timers were on this thread, in ms. */
  readonly loop_delay_ms: { readonly p50: number; readonly p99: number; readonly max: number };
  readonly gc: { readonly count: number; readonly total_ms: number; readonly max_ms: number };
}

/**
 * Follows a sample of ticks through the main thread, to find where their time goes. While nothing is recorded, a tick
 * costs three comparisons; while something is, a sampled tick costs three looks at the clock, and a batch three.
 *
 *   received   the vendor's callback began (the bridge's stamp in the record)
 *   begun      the batch that the tick belongs to began to be taken from the rings
 *   taken      the tick was copied from its ring
 *   applied    the quote book has it
 *   published  it is encoded and handed to the clients that get pushes
 *   ended      its batch is complete; answers to peeks follow
 *   written    the sockets' writes of the batch have been made
 */
export class TickTrace {
  readonly #nameOf: (slot: number) => string;
  #samples = new Float64Array(0);
  #count = 0;
  /** First sample whose batch has not ended, and first one whose batch is not written. */
  #unended = 0;
  #unwritten = 0;
  /** When the batch at hand began; 0 before its first tick. */
  #begun = 0;
  #oneIn = 0;
  #countdown = 0;
  #recording = false;
  /** The tick at hand, when it is sampled: what was held back may be taken in between. */
  #followed: TickRecord | undefined;
  #random = 1;
  /** Difference of ms since the epoch and performance.now(). */
  #epochMs = 0;

  /** @param nameOf the instrument of a slot */
  constructor(nameOf: (slot: number) => string) {
    this.#nameOf = nameOf;
  }

  /** A tick was taken from its ring. */
  taken(tick: TickRecord): void {
    if (!this.#recording) return;
    this.#followed = undefined;
    if (this.#begun === 0) this.#begun = this.#now();
    if (--this.#countdown > 0) return;
    this.#countdown = this.#nextCountdown();
    if (this.#count === maxSamples) return;
    const at = this.#count * columns;
    const samples = this.#samples;
    samples[at + Column.slot] = tick.slot;
    samples[at + Column.volume] = tick.i32[intWord.volume]!;
    samples[at + Column.openInterest] = tick.f64[doubleWord.openInterest]!;
    samples[at + Column.received] = tick.receiveTimeMs;
    samples[at + Column.begun] = this.#begun;
    samples[at + Column.taken] = this.#now();
    this.#followed = tick;
  }

  /** The book has accepted the tick; one that it skipped is not followed further. */
  applied(tick: TickRecord): void {
    if (this.#followed === tick) this.#samples[this.#count * columns + Column.applied] = this.#now();
  }

  /** The tick is on its way to the clients that get pushes. */
  published(tick: TickRecord): void {
    if (this.#followed !== tick) return;
    this.#samples[this.#count * columns + Column.published] = this.#now();
    this.#count++;
    this.#followed = undefined;
  }

  /** All ticks of the batch are in. Their writes are made before the next turn of the event loop. */
  batchEnd(): void {
    if (!this.#recording) return;
    this.#followed = undefined;
    this.#begun = 0;
    if (this.#unended === this.#count) return;
    const now = this.#now();
    for (; this.#unended < this.#count; this.#unended++)
      this.#samples[this.#unended * columns + Column.ended] = now;
    setImmediate(this.#stampWritten);
  }

  /**
   * Records for a time, or until `signal` aborts. One recording at a time.
   *
   * @param oneIn follow one in so many ticks on average, so that no pattern of the ticks is met again and again
   */
  async record(seconds: number, oneIn: number, signal: AbortSignal): Promise<TickTraceReport> {
    if (this.#recording) throw new Error('ticks are being recorded already');
    this.#begin(oneIn);
    const loopDelay = monitorEventLoopDelay({ resolution: loopDelayResolutionMs });
    loopDelay.enable();
    const pauses: number[] = [];
    const collections = new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) pauses.push(duration);
    });
    collections.observe({ entryTypes: ['gc'] });
    try {
      await passed(seconds * 1000, signal);
    } finally {
      this.#recording = false;
      this.#followed = undefined;
      loopDelay.disable();
      collections.disconnect();
    }
    return {
      one_in: oneIn,
      columns: columnNames,
      samples: this.#takeSamples(),
      loop_delay_ms: {
        p50: loopDelay.percentile(50) / nsPerMs,
        p99: loopDelay.percentile(99) / nsPerMs,
        max: loopDelay.max / nsPerMs,
      },
      gc: {
        count: pauses.length,
        total_ms: pauses.reduce((sum, each) => sum + each, 0),
        max_ms: pauses.reduce((most, each) => Math.max(most, each), 0),
      },
    };
  }

  #begin(oneIn: number): void {
    this.#samples = new Float64Array(maxSamples * columns);
    this.#count = 0;
    this.#unended = 0;
    this.#unwritten = 0;
    this.#begun = 0;
    this.#oneIn = oneIn;
    this.#countdown = 1;
    this.#followed = undefined;
    this.#epochMs = epochOffsetMs();
    this.#recording = true;
  }

  #takeSamples(): (readonly [string, ...number[]])[] {
    const found: [string, ...number[]][] = [];
    for (let at = 0; at < this.#unwritten * columns; at += columns) {
      const [slot, ...values] = this.#samples.subarray(at, at + columns);
      found.push([this.#nameOf(slot!), ...values]);
    }
    this.#samples = new Float64Array(0);
    return found;
  }

  readonly #stampWritten = (): void => {
    if (this.#samples.length === 0) return;
    const now = this.#now();
    for (; this.#unwritten < this.#unended; this.#unwritten++)
      this.#samples[this.#unwritten * columns + Column.written] = now;
  };

  #now(): number {
    return this.#epochMs + performance.now();
  }

  /** 1 to 2 × oneIn - 1, by a small generator of pseudo-random numbers. */
  #nextCountdown(): number {
    let random = this.#random;
    random ^= random << 13;
    random ^= random >>> 17;
    random ^= random << 5;
    this.#random = random;
    return 1 + ((random >>> 0) % (2 * this.#oneIn - 1));
  }
}

function passed(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const finish = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', finish);
      resolve();
    };
    const timer = setTimeout(finish, ms);
    if (signal.aborted) finish();
    else signal.addEventListener('abort', finish);
  });
}
