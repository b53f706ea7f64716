import { crc32 } from 'node:zlib';

/**
 * A segment of a spill folder, such as ticks-500000000.spill: the name of one run in its first line, and then a line for
 * each tick.
 *
 *   qactpmd-spill 1 <run>
 *   <crc32 of the rest, hex> TAB <n> TAB <EXCHANGE.id> TAB <tick>
 */
const headerForm = /^qactpmd-spill 1 (\S{1,40})$/;

/** A tick as it lies in a segment, and the run that it is of. */
export interface SpillLine {
  readonly run: string;
  readonly n: number;
  /** `EXCHANGE.id` */
  readonly key: string;
  /** tickCodec.ts */
  readonly text: string;
  /** It is not on disk. */
  readonly isUnwritten?: true;
}

export function headerOf(run: string): string {
  return `qactpmd-spill 1 ${run}\n`;
}

/** The run that a first line names; undefined for any other line. */
export function runOf(line: string): string | undefined {
  return headerForm.exec(line)?.[1];
}

export function lineOf(n: number, key: string, text: string): string {
  const rest = `${n}\t${key}\t${text}`;
  return `${checkOf(rest)}\t${rest}\n`;
}

function checkOf(text: string): string {
  return crc32(Buffer.from(text, 'latin1')).toString(16);
}

/** Undefined where a line was cut or damaged. */
export function parseLine(line: string): Pick<SpillLine, 'n' | 'key' | 'text'> | undefined {
  const parts = line.split('\t');
  const [crc, n, key, text] = parts;
  if (parts.length !== 4 || crc !== checkOf(line.slice(crc!.length + 1))) return undefined;
  return { n: Number(n), key: key!, text: text! };
}

/** Lines that lie within the first `bytes`. */
export function linesWithin(lines: readonly string[], bytes: number): { count: number; bytes: number } {
  let count = 0;
  let end = 0;
  while (count < lines.length && end + lines[count]!.length <= bytes) end += lines[count++]!.length;
  return { count, bytes: end };
}
