import { Field, fieldCount } from '../../src/market/quotes/quoteFields.js';
import { allocateTape, TapeWriter } from '../../src/tape/tape.js';
import { makeTick } from '../market/ticks.js';

/**
 * A tape that ticks are written to as the main thread does. An instrument's ticks are numbered from 1 on by their volume,
 * 500 ms apart.
 */
export class TapeMarket {
  readonly tape: SharedArrayBuffer;
  readonly keys: readonly string[];
  /** Volume of the newest tick, by instrument. */
  readonly volumes: number[];
  /** Exchange time of an instrument's first tick, ms since the epoch. */
  beginMs = Date.now() - 10 * 3_600_000;
  /** Changes the next row before it is written. */
  alter: (row: Float64Array) => void = () => undefined;
  /** When the newest tick was received, ms since the epoch. */
  lastReceivedMs = 0;
  readonly #writer: TapeWriter;
  readonly #row = new Float64Array(fieldCount);

  constructor(keys: readonly string[], records = 65_536) {
    this.keys = keys;
    this.volumes = keys.map(() => 0);
    this.tape = allocateTape(records, fieldCount);
    const states = {
      version: (slot: number) => this.volumes[slot]!,
      flags: () => 0,
      copyRow: (_slot: number, into: Float64Array, at: number) => into.set(this.#row, at),
    };
    this.#writer = new TapeWriter(this.tape, states, (slot) => keys[slot]!);
  }

  /** Ticks written so far. */
  get written(): number {
    return this.volumes.reduce((sum, volume) => sum + volume, 0);
  }

  /** Writes the next tick of an instrument. */
  tick(slot = 0, receivedAt = Date.now()): void {
    const volume = ++this.volumes[slot]!;
    this.lastReceivedMs = receivedAt;
    this.#row.fill(NaN);
    this.#row[Field.lastPrice] = 3500 + (volume % 10) / 2;
    this.#row[Field.volume] = volume;
    this.#row[Field.timestamp] = this.beginMs + volume * 500;
    this.#row[Field.tradingDay] = 20240411;
    if (volume % 2 === 0) this.#row[Field.bidPrice1] = 3499;
    this.alter(this.#row);
    this.#writer.append(makeTick({ slot, volume, receivedAt }));
  }

  /** Writes so many ticks, of all instruments in turn, as one batch. */
  batch(count: number): void {
    for (let i = 0; i < count; i++) this.tick(i % this.keys.length);
    this.#writer.endBatch();
  }
}
