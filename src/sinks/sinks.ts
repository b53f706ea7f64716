import type { GatewayConfig } from '../config/gatewayConfig.js';
import { History, keepsHistory, type HistoryStatus } from '../history/history.js';
import type { Logger } from 'pino';
import { calendarOf } from '../market/calendar/holidayCalendar.js';
import { fieldCount } from '../market/quotes/quoteFields.js';
import { allocateTape, TapeWriter, type StateSource } from '../tape/tape.js';
import type { Sink } from '../tape/sink.js';
import type { TickRecord } from '../ring/tickRecord.js';
import type { RedisStatus } from '../storage/shared/redisStatus.js';
import { Recorder, type RecorderStatus } from '../recorder/recorder.js';
import { PersisterHost } from '../storage/thread/persisterHost.js';
import { LossWatch } from './lossWatch.js';
import type { StoredQuote } from '../storage/quotes/quoteScan.js';

/** Ticks that a reader of the tape may be late by: 6 s at 10,000 a second, or two ticks of 30,000 instruments at once. */
const tapeRecords = 65_536;

export interface SinksParts {
  readonly config: GatewayConfig;
  readonly book: StateSource;
  /** `EXCHANGE.id` of an instrument. */
  readonly keyOf: (slot: number) => string;
  /** Newest states from before the start, to be shown until there are newer ones. */
  readonly onQuotes: (quotes: readonly StoredQuote[]) => void;
  readonly log: Logger;
}

const disabled: RedisStatus = {
  enabled: false,
  connected: false,
  latency: '',
  trouble: '',
  spill_trouble: '',
  stored: 0,
  waiting: 0,
  spilled: 0,
  lost: 0,
  lag_ms: 0,
  restarts: 0,
};

/** The sinks' members of /health, one for each. */
export interface SinkReports {
  readonly redis: RedisStatus;
  /** Absent where no ticks are kept for queries. */
  readonly history?: HistoryStatus;
  /** Absent where nothing is recorded. */
  readonly recorder?: RecorderStatus;
}

/** How the sinks are. */
export interface SinksHealth {
  /** By name: why a sink does not keep ticks at the moment. */
  readonly failures: ReadonlyMap<string, string>;
  readonly reports: SinkReports;
}

/** The sinks by the member of /health that reports each; undefined where a configuration has none. */
type SinkRows = { readonly [Member in keyof SinkReports]-?: Sink<Required<SinkReports>[Member]> | undefined };

/**
 * Everything that keeps ticks. The main thread writes each tick that the quote book has accepted onto a tape, where
 * somebody reads it at all, and waits for nobody; all else happens in the readers' threads.
 */
export class Sinks {
  /** Stored ticks for clients that ask; undefined where none are kept. */
  readonly history: History | undefined;
  readonly #parts: SinksParts;
  readonly #rows: SinkRows;
  readonly #persister: PersisterHost | undefined;
  readonly #recorder: Recorder | undefined;
  readonly #losses: LossWatch | undefined;
  #tape: TapeWriter | undefined;

  constructor(parts: SinksParts) {
    this.#parts = parts;
    const { config, log, onQuotes } = parts;
    if (keepsHistory(config)) this.history = new History(config, log);
    if (config.redisEnabled) {
      const persister = new PersisterHost(config, log, onQuotes);
      this.#persister = persister;
      this.#losses = new LossWatch(log, () => persister.status().lost, config.maintenanceInterval * 1000);
    }
    this.#recorder = recorderFor(parts);
    this.#rows = { redis: this.#persister, history: this.history, recorder: this.#recorder };
  }

  /** Before the first tick. */
  start(): void {
    this.#losses?.start();
    const sinks = this.#all();
    if (sinks.length === 0) return;
    const records = sinks.map((each) => each.tapeRecords ?? tapeRecords);
    const wholeTicks = sinks.some((each) => each.wholeTicks === true);
    const tape = allocateTape(Math.max(...records), fieldCount, { wholeTicks });
    this.#tape = new TapeWriter(tape, this.#parts.book, this.#parts.keyOf);
    for (const sink of sinks) sink.start(tape);
  }

  /** Takes over the trading days of a configuration. */
  useCalendar(config: GatewayConfig): void {
    this.#recorder?.useHolidays(holidaysOf(config));
  }

  /** A tick that the book has just accepted. */
  onTick(tick: TickRecord): void {
    this.#tape?.append(tick);
  }

  onBatchEnd(): void {
    this.#tape?.endBatch();
  }

  /** Resolves when states from before the start have been read, or are not to be waited for any longer. */
  async restore(patienceMs: number): Promise<void> {
    if (this.#persister === undefined) return;
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<void>((resolve) => (timer = setTimeout(resolve, patienceMs)));
    await Promise.race([this.#persister.restored, patience]);
    clearTimeout(timer);
  }

  health(): SinksHealth {
    const failures = new Map<string, string>();
    const reports: Partial<Record<keyof SinkReports, object>> = { redis: disabled };
    for (const member of Object.keys(this.#rows) as (keyof SinkReports)[]) {
      const sink = this.#rows[member];
      if (sink === undefined) continue;
      const { failure, report } = sink.health();
      reports[member] = report;
      if (failure !== '') failures.set(sink.name, failure);
    }
    return { failures, reports: reports as SinkReports };
  }

  /** After the last tick: has all sinks finish. Returns the names of those that did not within the deadline. */
  async stop(deadlineMs: number): Promise<string[]> {
    const started = this.#tape === undefined ? [] : this.#all();
    this.#tape?.endBatch();
    const hung = await Promise.all(
      started.map(async (each) => ((await each.stop(deadlineMs)) ? [] : [each.name])),
    );
    this.#losses?.close();
    return hung.flat();
  }

  #all(): Sink[] {
    return Object.values(this.#rows).filter((each) => each !== undefined);
  }
}

function recorderFor({ config, log }: SinksParts): Recorder | undefined {
  const { recordPath, recordInstruments, recordInterval, recordFileSize } = config;
  if (recordPath === '') return undefined;
  const settings = {
    folder: recordPath,
    fileBytes: recordFileSize * 1024 * 1024,
    intervalMs: recordInterval * 1000,
    patterns: recordInstruments,
    holidays: holidaysOf(config),
  };
  return new Recorder(settings, log);
}

/** Weekdays without trading, yyyymmdd. */
function holidaysOf({ tradingHours, holidays }: GatewayConfig): readonly number[] {
  return tradingHours === 'always' ? [] : calendarOf(holidays).holidays;
}
