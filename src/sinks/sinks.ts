import type { GatewayConfig } from '../config/gatewayConfig.js';
import { History, type HistoryStatus } from '../history/history.js';
import type { Logger } from '../log/logging.js';
import { calendarOf } from '../market/calendar/holidayCalendar.js';
import { fieldCount } from '../market/quotes/quoteFields.js';
import { allocateTape, TapeWriter, type StateSource } from '../tape/tape.js';
import type { TapeConsumer } from '../tape/tapeConsumer.js';
import type { TickRecord } from '../ring/tickRecord.js';
import type { RedisStatus } from './redisStatus.js';
import { Recorder, type RecorderStatus } from '../recorder/recorder.js';
import { PersisterHost } from '../storage/thread/persisterHost.js';
import { LossWatch } from './lossWatch.js';
import type { StoredQuote } from '../storage/quotes/quoteScan.js';

/** Ticks that a reader of the tape may be late by: 6 s at 10,000 a second, or two ticks of 30,000 instruments at once. */
const tapeRecords = 65_536;

export interface StorageParts {
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

/** What /health shows. */
export interface StorageStatus {
  readonly redis: RedisStatus;
  /** Absent where no ticks are kept for queries. */
  readonly history?: HistoryStatus;
  /** Absent where nothing is recorded. */
  readonly recorder?: RecorderStatus;
}

/**
 * Everything that keeps ticks. The main thread writes each tick that the quote book has accepted onto a tape, where
 * somebody reads it at all, and waits for nobody; all else happens in the readers' threads.
 */
export class Storage {
  /** Stored ticks for whoever asks. */
  readonly history: History;
  readonly #parts: StorageParts;
  readonly #consumers: readonly TapeConsumer[];
  readonly #persister: PersisterHost | undefined;
  readonly #losses: LossWatch | undefined;
  readonly #recorder: Recorder | undefined;
  #tape: TapeWriter | undefined;

  constructor(parts: StorageParts) {
    this.#parts = parts;
    const { config, log, onQuotes } = parts;
    this.history = new History(config, log);
    if (config.redisEnabled) {
      const persister = new PersisterHost(config, log, onQuotes);
      this.#persister = persister;
      this.#losses = new LossWatch(log, () => persister.status().lost, config.maintenanceInterval * 1000);
    }
    this.#recorder = recorderFor(parts);
    this.#consumers = [this.#persister, this.history.window, this.#recorder].filter(
      (each) => each !== undefined,
    );
  }

  /** Before the first tick. */
  start(): void {
    this.#losses?.start();
    if (this.#consumers.length === 0) return;
    const records = this.#consumers.map((each) => each.tapeRecords ?? tapeRecords);
    const wholeTicks = this.#consumers.some((each) => each.wholeTicks === true);
    const tape = allocateTape(Math.max(...records), fieldCount, { wholeTicks });
    this.#tape = new TapeWriter(tape, this.#parts.book, this.#parts.keyOf);
    this.history.start(tape);
    for (const consumer of this.#consumers) consumer.start(tape);
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

  status(): StorageStatus {
    const history = this.history.status();
    const recorder = this.#recorder?.status();
    return {
      redis: this.#redisStatus(),
      ...(history === undefined ? {} : { history }),
      ...(recorder === undefined ? {} : { recorder }),
    };
  }

  /** After the last tick: has all readers finish. Returns the names of those that did not within the deadline. */
  async stop(deadlineMs: number): Promise<string[]> {
    await this.history.close();
    const started = this.#tape === undefined ? [] : this.#consumers;
    this.#tape?.endBatch();
    const hung = await Promise.all(
      started.map(async (each) => ((await each.stop(deadlineMs)) ? [] : [each.name])),
    );
    this.#losses?.close();
    return hung.flat();
  }

  #redisStatus(): RedisStatus {
    if (this.#persister === undefined) return disabled;
    const { connected, latencyMs, trouble, spillTrouble, stored, waiting, spilled, lost, lagMs } =
      this.#persister.status();
    return {
      enabled: true,
      connected,
      latency: latencyMs === null ? '' : `${latencyMs.toFixed(1)}ms`,
      trouble,
      spill_trouble: spillTrouble,
      stored,
      waiting,
      spilled,
      lost,
      lag_ms: Math.round(lagMs),
      restarts: this.#persister.restarts,
    };
  }
}

function recorderFor({ config, log }: StorageParts): Recorder | undefined {
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
