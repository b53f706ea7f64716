import { tradingDayAt } from '../market/instruments/contracts.js';
import { RecordedTicks, wholeRange } from '../recorder/recordedTicks.js';
import { RecordingError } from '../recorder/recordingFormat.js';
import { RecordingReader } from '../recorder/recordingReader.js';
import type { TickRecord } from '../ring/tickRecord.js';

/** A source that can be read but not replayed. */
class ReplayError extends Error {}

/** Ticks of the past, in the order in which they were received. */
export interface ReplaySource {
  /** Every instrument there is, EXCHANGE.id. */
  readonly keys: readonly string[];
  /** yyyymmdd. */
  readonly tradingDay: number;
  /** The present tick. */
  readonly record: TickRecord;
  readonly key: string;
  /** Takes the next tick; false when more has to be loaded. */
  next(): boolean;
  /** Loads more; false at the end. */
  load(): Promise<boolean>;
  close(): void;
}

/** Recordings as a source, merged by receive time. */
export class RecordedSource implements ReplaySource {
  readonly keys: readonly string[];
  readonly tradingDay: number;
  readonly #readers: RecordingReader[] = [];
  readonly #ticks: RecordedTicks;

  /**
   * @param onDamage learns of each part that cannot be read, in one line; it is skipped
   * @throws RecordingError, naming the file, for what cannot be opened or is no recording
   */
  constructor(paths: readonly string[], onDamage: (text: string) => void) {
    try {
      for (const path of paths) this.#readers.push(new RecordingReader(path));
      for (const { path, damages, torn } of this.#readers) {
        for (const { offset, bytes, reason } of damages)
          onDamage(`${path}: at byte ${offset}: ${reason}; ${bytes} bytes are left out`);
        if (torn !== undefined)
          onDamage(
            `${path}: at byte ${torn.offset}: ${torn.reason}; the last ${torn.bytes} bytes are left out`,
          );
      }
      this.keys = keysOf(this.#readers);
      this.tradingDay = Math.max(...this.#readers.map(dayOf));
      if (this.keys.length === 0) throw new RecordingError(`${paths.join(', ')}: there is no tick to replay`);
    } catch (error) {
      this.close();
      throw error;
    }
    this.#ticks = new RecordedTicks(this.#readers, wholeRange, (error) =>
      onDamage(`${error.message}; the block is left out`),
    );
  }

  get record(): TickRecord {
    return this.#ticks.record;
  }

  get key(): string {
    return this.#ticks.key;
  }

  next(): boolean {
    return this.#ticks.next();
  }

  /** All is there already. */
  load(): Promise<boolean> {
    return Promise.resolve(false);
  }

  close(): void {
    for (const reader of this.#readers) reader.close();
    this.#readers.length = 0;
  }
}

/** The day of a file, by its first tick where the file header is damaged. */
function dayOf({ tradingDay, firstNs = 0n }: RecordingReader): number {
  return tradingDay ?? tradingDayAt(new Date(Number(firstNs / 1_000_000n)));
}

/** More than all exchanges list by far; a front keeps some kB for each. */
const maxInstruments = 200_000;

/** Only the lists of instruments are unpacked. What cannot be read is told when its turn comes. */
function keysOf(readers: readonly RecordingReader[]): string[] {
  const keys = new Set<string>();
  for (const reader of readers) {
    for (let block = 0; block < reader.blocks.length; block++) {
      try {
        for (const key of reader.readKeys(block)) keys.add(key);
        if (keys.size > maxInstruments)
          throw new ReplayError(`${reader.path}: more than ${maxInstruments} instruments cannot be replayed`);
      } catch (error) {
        if (!(error instanceof RecordingError)) throw error;
      }
    }
  }
  return [...keys];
}
