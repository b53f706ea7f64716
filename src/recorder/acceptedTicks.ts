import { HistoryRow } from '../history/storedRow.js';
import { ExchangeClock } from '../market/quotes/exchangeClock.js';
import { InstrumentDirectory } from '../market/instruments/instrumentDirectory.js';
import { matches, type InstrumentPattern } from '../market/instruments/instrumentPattern.js';
import type { BookCounters } from '../market/quotes/rejections.js';
import { QuoteBook } from '../market/quotes/quoteBook.js';
import { Field } from '../market/quotes/quoteFields.js';
import { tradingCalendar, type MarketSettings } from '../market/hours/marketTime.js';
import { SessionStates } from '../market/hours/sessionStates.js';
import { intWord } from '../ring/tickRecord.js';
import { recordedFlags } from './blockCodec.js';
import type { RecordedTicks } from './recordedTicks.js';

/** More than all exchanges list at a time by far; a file that names more is up to no good. */
const maxInstruments = 500_000;
/** Streams are numbered apart from sources. */
const firstStream = 1 << 30;

export interface AcceptedTicksSettings {
  /** The recorded one. */
  readonly market: MarketSettings;
  /** Is given one line for each year that the calendar lacks and a tick is of. */
  readonly warn: (text: string) => void;
  /** Empty: all instruments. */
  readonly patterns: readonly InstrumentPattern[];
}

/**
 * Recorded ticks as clients were sent them: taken by a quote book of their own, which gives them their dates and absent
 * values, and takes what several recorders have of one tick once. What one recorder has is in the order in which clients were
 * sent it, and none of it is judged again.
 */
export class AcceptedTicks {
  /** The present tick's state. */
  readonly row = new HistoryRow();
  /** Instrument of the tick, `EXCHANGE.id`. */
  key = '';
  /** Ticks of instruments that cannot be. */
  unknown = 0;
  readonly #ticks: RecordedTicks;
  readonly #patterns: readonly InstrumentPattern[];
  readonly #directory: InstrumentDirectory;
  readonly #book: QuoteBook;
  readonly #warn: (text: string) => void;
  /** Years that the calendar lacks, and what is to be said where a tick is of one: the next trading day may be of the next. */
  readonly #lacking = new Map<number, string>();
  /** By key: the slot; -1 where it is not wanted, -2 where there can be no such instrument. */
  readonly #slots = new Map<string, number>();

  constructor(ticks: RecordedTicks, options: AcceptedTicksSettings) {
    this.#ticks = ticks;
    const { market, warn, patterns } = options;
    this.#patterns = patterns;
    this.#directory = new InstrumentDirectory({ products: market.products, maxInstruments });
    this.#directory.setImported(market.importedInstruments);
    const { tradingHours } = market;
    this.#warn = warn;
    const calendar = tradingCalendar(market, (text, year) => void this.#lacking.set(year, text));
    this.#book = new QuoteBook(
      this.#directory,
      new ExchangeClock(calendar, tradingHours === 'always'),
      new SessionStates(tradingHours, calendar),
    );
    ticks.onEnd = (file) => {
      for (const slot of this.#slots.values()) if (slot >= 0) this.#book.lineGone(slot, firstStream + file);
    };
  }

  /** Counters of the ticks. */
  get counters(): Readonly<BookCounters> {
    return this.#book.counters;
  }

  /**
   * Takes the next tick that clients got; false at the end.
   *
   * @param most ticks that are looked at; undefined where there is none among them
   */
  next(most = Infinity): boolean | undefined {
    for (let looked = 0; looked < most; looked++) {
      if (!this.#ticks.next()) return false;
      const { record, key } = this.#ticks;
      const slot = this.#slots.get(key) ?? this.#slotOf(key);
      if (slot < 0) {
        if (slot === -2) this.unknown++;
        continue;
      }
      record.i32[intWord.slot] = slot;
      if (!this.#book.apply(record, firstStream + this.#ticks.file)) continue;
      this.key = key;
      this.#book.copyRow(slot, this.row.values, 0);
      this.row.flags = recordedFlags(record.i32[intWord.sequence]!) ?? this.#book.flags(slot);
      this.row.receiveMs = record.receiveTimeMs;
      if (this.#lacking.size > 0) this.#tellLacking();
      return true;
    }
    return undefined;
  }

  #tellLacking(): void {
    const year = Math.trunc(this.row.values[Field.tradingDay]! / 10_000);
    const text = this.#lacking.get(year);
    if (text === undefined) return;
    this.#lacking.delete(year);
    this.#warn(text);
  }

  #slotOf(key: string): number {
    const patterns = this.#patterns;
    const instrument = this.#directory.resolve(key);
    const wanted =
      instrument === undefined
        ? -2
        : patterns.length === 0 || patterns.some((pattern) => matches(pattern, instrument))
          ? instrument.slot
          : -1;
    if (this.#slots.size < maxInstruments) this.#slots.set(key, wanted);
    return wanted;
  }
}
