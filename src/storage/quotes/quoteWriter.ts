import { Fifo } from '../../base/fifo.js';
import { fieldCount } from '../../market/quotes/quoteFields.js';
import type { CommandBytes } from '../../redis/commandBytes.js';
import { writeQuote } from './quoteHash.js';
import type { StoredInstrument, StoredInstruments } from './storedInstrument.js';

/** A hash is written this often at most: of an instrument that ticks faster, its newest state. */
const quoteIntervalMs = 250;

/** Keeps the hashes at the newest states. */
export class QuoteWriter {
  readonly #instruments: StoredInstruments;
  /** Hashes that are not up to date, in the order in which they came to be so. */
  readonly #dirty = new Fifo<StoredInstrument>();
  /** By key: when the states were received that the hashes held at the start. */
  readonly #heldSince = new Map<string, number>();
  /** States of an earlier run that wait until it is known what their hashes hold; undefined when it is. */
  #undecided: Set<StoredInstrument> | undefined = new Set();

  /** Somebody else writes to the hashes too: they are written as a whole each time, so that none is half of each. */
  isShared = false;

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

  /** A hash held a state at the start that was received then, ms since the epoch. */
  held(key: string, receivedMs: number): void {
    this.#heldSince.set(key, receivedMs);
  }

  /** The contents of all hashes at the start are known, as far as they can be. */
  allHeld(): void {
    const undecided = this.#undecided ?? [];
    this.#undecided = undefined;
    for (const instrument of undecided) this.changed(instrument);
  }

  /** Hashes may hold something else than was written: all are to be written again. */
  forget(): void {
    for (const instrument of this.#instruments.all) {
      if (instrument.state === 0) continue;
      instrument.unwritten.fill(1);
      this.changed(instrument);
    }
  }

  /**
   * Takes out what is to be written now, at most so many. Whatever has its time first goes first, so that hashes of many
   * instruments are spread over the interval.
   *
   * @param isLast whatever is not up to date, at once
   */
  due(most: number, isLast: boolean): readonly StoredInstrument[] {
    const now = performance.now();
    const taken: StoredInstrument[] = [];
    for (
      let next = this.#dirty.peek();
      next !== undefined && taken.length < most;
      next = this.#dirty.peek()
    ) {
      if (!isLast && now < next.quoteDueAt) break;
      this.#dirty.shift();
      next.isDirty = false;
      if (!next.isLive && !this.#isNewest(next)) continue;
      next.quoteDueAt = now + quoteIntervalMs;
      taken.push(next);
    }
    return taken;
  }

  /** Adds the commands that bring a hash up to date. */
  write(instrument: StoredInstrument, commands: CommandBytes): void {
    if (this.isShared) instrument.unwritten.fill(1);
    writeQuote(commands, instrument.quoteArgument, instrument.line, instrument.unwritten);
    const { unwritten, sent } = instrument;
    instrument.sent = unwritten;
    instrument.unwritten = sent.fill(0);
  }

  /** A write was not accepted: it is repeated. */
  refused(instrument: StoredInstrument): void {
    const { unwritten, sent } = instrument;
    for (let field = 0; field < fieldCount; field++) unwritten[field]! |= sent[field]!;
    this.changed(instrument);
  }

  /** The contents of a hash are no longer known. */
  unknown(instrument: StoredInstrument): void {
    instrument.unwritten.fill(1);
    this.changed(instrument);
  }

  /**
   * Whether a state that an earlier run has left on disk is not older than what the hash held: it never steps back. Where
   * that is not known yet, the state waits.
   */
  #isNewest(instrument: StoredInstrument): boolean {
    this.#undecided?.add(instrument);
    return (
      this.#undecided === undefined && instrument.receivedMs >= (this.#heldSince.get(instrument.key) ?? 0)
    );
  }
}
