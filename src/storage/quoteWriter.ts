import { fieldCount } from '../market/quoteFields.js';
import type { CommandBytes } from './commandBytes.js';
import { writeQuote } from './quoteHash.js';
import type { StoredInstrument, StoredInstruments } from './storedInstrument.js';

/** Hashes are written this often at most: of an instrument that ticks faster, its newest state. */
const quoteIntervalMs = 100;

/** Keeps the hashes at the newest states. */
export class QuoteWriter {
  readonly #instruments: StoredInstruments;
  /** Hashes that are not up to date, in the order in which they came to be so. */
  #dirty: StoredInstrument[] = [];
  /** performance.now() */
  #dueAt = 0;

  constructor(instruments: StoredInstruments) {
    this.#instruments = instruments;
  }

  get hasWork(): boolean {
    return this.#dirty.length > 0;
  }

  /** An instrument has a new state. */
  changed(instrument: StoredInstrument): void {
    if (instrument.isDirty) return;
    instrument.isDirty = true;
    this.#dirty.push(instrument);
  }

  /** Hashes may hold something else than was written: all are to be written anew. */
  forget(): void {
    for (const instrument of this.#instruments.all) {
      if (instrument.state === 0) continue;
      instrument.unwritten.fill(1);
      this.changed(instrument);
    }
  }

  /**
   * Takes out what is to be written now, at most so many.
   *
   * @param isLast whatever is not up to date, at once
   */
  due(most: number, isLast: boolean): readonly StoredInstrument[] {
    const now = performance.now();
    if (this.#dirty.length === 0 || (!isLast && now < this.#dueAt)) return [];
    const taken = this.#dirty.splice(0, most);
    // Where some are left, they are next.
    if (this.#dirty.length === 0) this.#dueAt = now + quoteIntervalMs;
    for (const instrument of taken) instrument.isDirty = false;
    return taken;
  }

  /** Adds the commands that bring a hash up to date. */
  write(instrument: StoredInstrument, commands: CommandBytes): void {
    writeQuote(commands, instrument.quoteArgument, instrument.line, instrument.unwritten);
    const { unwritten, sent } = instrument;
    instrument.sent = unwritten;
    instrument.unwritten = sent.fill(0);
  }

  /** What was sent was not taken: it is to be written again. */
  refused(instrument: StoredInstrument): void {
    const { unwritten, sent } = instrument;
    for (let field = 0; field < fieldCount; field++) unwritten[field]! |= sent[field]!;
    this.changed(instrument);
  }

  /** What a hash holds is not known any more. */
  unknown(instrument: StoredInstrument): void {
    instrument.unwritten.fill(1);
    this.changed(instrument);
  }
}
