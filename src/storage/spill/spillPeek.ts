import { closeSync, openSync, readSync } from 'node:fs';
import { parseLine, runOf } from './spillFormat.js';

const readBytes = 1024 * 1024;
/** Enough for some lines. */
const peekBytes = 4096;

/** How many lines a file has. @throws where it cannot be read */
export function countLines(path: string): number {
  const bytes = Buffer.allocUnsafe(readBytes);
  const fd = openSync(path, 'r');
  let lines = 0;
  try {
    for (let count = readSync(fd, bytes); count > 0; count = readSync(fd, bytes))
      for (let at = bytes.indexOf(10); at >= 0 && at < count; at = bytes.indexOf(10, at + 1)) lines++;
  } finally {
    closeSync(fd);
  }
  return lines;
}

/** The run whose ticks a segment holds; empty where its first line does not say. */
export function runIn(path: string): string {
  return runOf(linesAt(path, 0)[0] ?? '') ?? '';
}

/** When the first tick of a segment from a place in it on was received, ms since the epoch. */
export function firstReceivedMs(path: string, at: number): number | undefined {
  for (const line of linesAt(path, at)) {
    const received = receivedMsOf(line);
    if (received !== undefined) return received;
  }
  return undefined;
}

/** When the tick of a line, with or without its end, was received; undefined where the line was cut or damaged. */
export function receivedMsOf(line: string): number | undefined {
  const received = Number(parseLine(line.trimEnd())?.text.split(',')[1]);
  return received >= 0 ? received : undefined;
}

/** Number of the last whole tick in the first `bytes` of a segment. */
export function lastNumber(path: string, bytes: number): number | undefined {
  const whole = linesAt(path, Math.max(0, bytes - peekBytes)).map(parseLine);
  return whole.findLast((tick) => tick !== undefined)?.n;
}

/** Some lines of a file from a place in it on, the first and last of which may be cut; none where it cannot be read. */
function linesAt(path: string, at: number): string[] {
  const bytes = Buffer.allocUnsafe(peekBytes);
  try {
    const fd = openSync(path, 'r');
    try {
      return bytes.toString('latin1', 0, readSync(fd, bytes, 0, bytes.length, at)).split('\n');
    } finally {
      closeSync(fd);
    }
  } catch {
    return [];
  }
}
