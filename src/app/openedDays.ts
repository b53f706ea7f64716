import type { Logger } from 'pino';
import type { GatewayConfig } from '../config/gatewayConfig.js';
import { OffSessionWatch, withoutOpened } from '../market/sessions/offSessionWatch.js';
import type { InstrumentDirectory } from '../market/instruments/instrumentDirectory.js';
import type { QuoteBook } from '../market/quotes/quoteBook.js';
import { Field } from '../market/quotes/quoteFields.js';
import { TickFlag } from '../market/quotes/tickFlags.js';
import type { TradingCalendar } from '../market/calendar/tradingCalendar.js';
import { intWord, type TickRecord } from '../ring/tickRecord.js';
import type { OffSessionHealth } from '../server/http/health.js';
import { marked } from '../base/logEvents.js';

/** A tick with one of them is not of its time. */
const notLive = TickFlag.stale | TickFlag.repairedTime;

/** The holidays of the calendar that have turned out to be trading days, and the ticks that show it. */
export class OpenedDays {
  readonly #days = new Set<number>();
  readonly #watch: OffSessionWatch;
  readonly #book: QuoteBook;
  readonly #directory: InstrumentDirectory;
  readonly #log: Logger;

  constructor(calendar: TradingCalendar, book: QuoteBook, directory: InstrumentDirectory, log: Logger) {
    this.#watch = new OffSessionWatch(calendar, (text) => log.warn(marked('off_session'), text));
    this.#book = book;
    this.#directory = directory;
    this.#log = log;
  }

  /** Notes the tick that the book had last, which it did not take for one of a session. */
  note({ slot, i32 }: TickRecord): void {
    const { tickRow, tickFlags } = this.#book;
    this.#watch.note({
      instrument: this.#directory.bySlot(slot),
      statedDay: i32[intWord.tradingDay]!,
      tradingDay: tickRow[Field.tradingDay]!,
      timeMs: tickRow[Field.timestamp]!,
      volume: tickRow[Field.volume]!,
      isLive: (tickFlags & TickFlag.offSession) !== 0 && (tickFlags & notLive) === 0,
    });
  }

  /** Makes a trading day of a holiday on which there is trading; true when there is one more. */
  openDue(calendarPath: string): boolean {
    const day = this.#watch.opening;
    if (day === undefined || this.#days.has(day)) return false;
    this.#days.add(day);
    this.#log.warn(
      marked('holiday_opened', { day }),
      `${day} is a holiday in ${calendarPath}, but many instruments trade: it counts as a trading day from now on, and what came before is not stored; the file should be put right`,
    );
    return true;
  }

  /** A configuration in which these days are none of the holidays. */
  applyTo(config: GatewayConfig): GatewayConfig {
    return { ...config, holidays: withoutOpened(config.holidays, this.#days) };
  }

  /** Continues with a calendar that has these days, or, after `forget`, with another one. */
  useCalendar(calendar: TradingCalendar): void {
    this.#watch.useCalendar(calendar);
  }

  /** The calendar was put right. */
  forget(): void {
    this.#days.clear();
  }

  status(): OffSessionHealth {
    return { instruments: this.#watch.instruments, opened_days: [...this.#days] };
  }
}
