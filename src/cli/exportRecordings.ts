import { closeSync, openSync, unlinkSync } from 'node:fs';
import { resolve } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import type { MarketConfig } from '../config/load.js';
import { AcceptedTicks } from '../recorder/acceptedTicks.js';
import { CsvExport } from '../recorder/csvExport.js';
import { ParquetExport } from '../recorder/parquetExport.js';
import { RecordedTicks } from '../recorder/recordedTicks.js';
import { RecordingError } from '../recorder/recordingFormat.js';
import { RecordingReader } from '../recorder/recordingReader.js';
import type { RowWriter } from '../recorder/rowWriter.js';
import type { ExportCommand } from './exportOptions.js';
import type { CliContext } from './cliContext.js';

/** Ticks between two looks at signals. */
const ticksPerTurn = 10_000;
const signals = ['SIGINT', 'SIGTERM'] as const;

/** Ends an export with exit code 1; the message is one line. */
class ExportError extends Error {}

/**
 * Writes recordings as CSV or Parquet into a new file, in the light of the market that they are from. What cannot be read,
 * and a summary, go to the error output. Returns the exit code: 0, also where damaged parts were skipped; or 1 with one
 * line that says why, and no file.
 */
export async function exportRecordings(
  command: ExportCommand,
  market: MarketConfig,
  { err, cwd }: CliContext,
): Promise<number> {
  const say = (text: string): void => err(`qactpmdgateway: ${text}\n`);
  for (const warning of market.warnings) say(warning);
  const readers: RecordingReader[] = [];
  try {
    for (const file of command.files) readers.push(open(resolve(cwd, file), file));
    for (const reader of readers) tellDamages(reader, say);
    const ticks = new AcceptedTicks(
      new RecordedTicks(readers, command.range, (error) => say(`${error.message}; the block is left out`)),
      {
        market: { ...market, tradingHours: command.tradingHours ?? market.tradingHours },
        warn: say,
        patterns: command.patterns,
      },
    );
    const rows = await write(ticks, resolve(cwd, command.output), command);
    say(`${command.output}: ${rows} ticks written${rejectedText(ticks)}`);
    return 0;
  } catch (error) {
    if (!(error instanceof ExportError)) throw error;
    say(error.message);
    return 1;
  } finally {
    for (const reader of readers) reader.close();
  }
}

/** @param name the path as it was given */
function open(path: string, name: string): RecordingReader {
  try {
    return new RecordingReader(path);
  } catch (error) {
    if (!(error instanceof RecordingError)) throw error;
    throw new ExportError(
      error.message.replace(path, () => name),
      { cause: error },
    );
  }
}

function tellDamages({ path, damages, torn }: RecordingReader, say: (text: string) => void): void {
  for (const { offset, bytes, reason } of damages)
    say(`${path}: at byte ${offset}: ${reason}; ${bytes} bytes are left out`);
  if (torn !== undefined)
    say(`${path}: at byte ${torn.offset}: ${torn.reason}; the last ${torn.bytes} bytes are left out`);
}

/** Gives the number of rows. Whatever goes wrong, no half file stays. */
async function write(ticks: AcceptedTicks, path: string, { output, format }: ExportCommand): Promise<number> {
  const descriptor = create(path, output);
  let interrupted = false;
  const interrupt = (): void => {
    interrupted = true;
  };
  for (const signal of signals) process.on(signal, interrupt);
  let done = false;
  try {
    const writer: RowWriter = format === 'csv' ? new CsvExport(descriptor) : new ParquetExport(descriptor);
    let rows = 0;
    for (;;) {
      const isFound = ticks.next(ticksPerTurn);
      if (isFound === false) break;
      if (isFound === true) {
        writer.add(ticks.key, ticks.row);
        if (++rows % ticksPerTurn !== 0) continue;
      }
      await turn();
      // Set by a signal during the turn.
      if (interrupted as boolean) throw new ExportError(`${output}: interrupted, nothing is written`);
    }
    writer.finish();
    done = true;
    return rows;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw new ExportError(`${output}: cannot be written (${code})`, { cause: error });
  } finally {
    for (const signal of signals) process.off(signal, interrupt);
    closeSync(descriptor);
    if (!done) unlinkSync(path);
  }
}

function create(path: string, name: string): number {
  try {
    return openSync(path, 'wx');
  } catch (error) {
    const { code = 'unknown cause' } = error as NodeJS.ErrnoException;
    const why =
      code === 'EEXIST'
        ? 'is there already and is left as it is; give another name'
        : `cannot be written (${code})`;
    throw new ExportError(`${name}: ${why}`, { cause: error });
  }
}

/** Recorded ticks that are not in the file, in words. */
function rejectedText({ counters, unknown }: AcceptedTicks): string {
  const parts = [
    [counters.duplicate, 'twice'],
    [counters.regressed + counters.falling_volume, 'older than the one before'],
    [counters.untimed, 'without a time'],
    [counters.off_day, 'of a day without trading'],
    [counters.garbage, 'of a negative volume'],
    [unknown, 'of instruments that cannot be'],
  ] as const;
  const some = parts.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`);
  return some.length === 0 ? '' : `; left out: ${some.join(', ')}`;
}
