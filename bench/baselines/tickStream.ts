import { epochOffsetMs } from '../../src/profile/epochClock.js';
import { firstIntendedUs, firstSequence } from './frameTemplate.js';

/** Ticks in one turn of the event loop, so that sockets are served between turns under any load. */
const turnBudget = 4096;

/** Takes the ticks of a baseline server, where the gateway has a vendor library, a ring and a book. */
export interface StreamSink {
  onTick(instrument: number, sequence: number, intendedUs: number): void;
  onTurnEnd(): void;
}

/**
 * Ticks at Poisson times, made in the process that serves them: the baselines get theirs for nothing. Open loop: what
 * a busy process is late with comes with its intended time.
 */
export class TickStream {
  /** µs since the epoch at which intended times are 0. */
  readonly startUs: number;
  readonly #sink: StreamSink;
  readonly #sequences: Float64Array;
  readonly #offsetMs = epochOffsetMs();
  #ratePerUs = 0;
  #dueUs = 0;
  #timer: NodeJS.Timeout | undefined;
  #next: NodeJS.Immediate | undefined;

  constructor(instruments: number, sink: StreamSink) {
    this.#sink = sink;
    this.#sequences = new Float64Array(instruments).fill(firstSequence);
    this.startUs = Math.round((this.#offsetMs + performance.now()) * 1000) - firstIntendedUs;
  }

  /** Number of the newest tick of an instrument. */
  sequence(instrument: number): number {
    return this.#sequences[instrument]!;
  }

  /** µs since the run's start. */
  nowUs(): number {
    return (this.#offsetMs + performance.now()) * 1000 - this.startUs;
  }

  /** From now on so many ticks per second over all instruments; 0 stops. */
  setRate(ticksPerS: number): void {
    clearTimeout(this.#timer);
    clearImmediate(this.#next);
    this.#ratePerUs = ticksPerS / 1e6;
    if (ticksPerS === 0) return;
    this.#dueUs = this.nowUs();
    this.#turn();
  }

  readonly #turn = (): void => {
    const now = this.nowUs();
    let left = turnBudget;
    while (this.#dueUs <= now && left-- > 0) {
      const instrument = Math.floor(Math.random() * this.#sequences.length);
      const sequence = ++this.#sequences[instrument]!;
      this.#sink.onTick(instrument, sequence, Math.floor(this.#dueUs));
      this.#dueUs -= Math.log(1 - Math.random()) / this.#ratePerUs;
    }
    this.#sink.onTurnEnd();
    if (left < 0) this.#next = setImmediate(this.#turn);
    else this.#timer = setTimeout(this.#turn, 1);
  };
}
