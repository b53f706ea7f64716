import { createHash } from 'node:crypto';

/** Where ticks come from: streams in Redis, or the window in the gateway's memory. */
export const tickSources = ['redis', 'memory'] as const;
export type TickSourceName = (typeof tickSources)[number];

/** Where a page of ticks has ended, and the interval that it is of. */
export interface HistoryCursor {
  readonly source: TickSourceName;
  /** ms since the epoch, inclusive. */
  readonly fromMs: number;
  /** ms since the epoch, exclusive; Infinity where there is no end. */
  readonly toMs: number;
  /** The last tick that was given, in the terms of the source: digits and hyphens. */
  readonly position: string;
}

const version = '1';
const open = '-';
const checkLength = 12;
const longestCursor = 200;
const base64url = /^[A-Za-z0-9_-]+$/;
const plain = /^1~(redis|memory)~(\d{1,14})~(\d{1,14}|-)~(\d{1,20}(?:-\d{1,20}){0,2})~([A-Za-z0-9_-]{12})$/;

/** `EXCHANGE.id` is part of what the check covers, so a cursor is of no use for another instrument. */
export function encodeCursor(key: string, { source, fromMs, toMs, position }: HistoryCursor): string {
  const content = [version, source, fromMs, toMs === Infinity ? open : toMs, position].join('~');
  return Buffer.from(`${content}~${checkOf(key, content)}`, 'latin1').toString('base64url');
}

/** Undefined when the text is no cursor of the instrument, whatever was changed in it. */
export function decodeCursor(key: string, text: string): HistoryCursor | undefined {
  if (text.length > longestCursor || !base64url.test(text)) return undefined;
  const bytes = Buffer.from(text, 'base64url');
  // Several texts stand for the same bytes; only the one that was given is taken.
  if (bytes.toString('base64url') !== text) return undefined;
  const content = bytes.toString('latin1');
  const match = plain.exec(content);
  if (match === null) return undefined;
  const [, source, from, to, position, check] = match;
  if (check !== checkOf(key, content.slice(0, -1 - checkLength))) return undefined;
  return {
    source: source as TickSourceName,
    fromMs: Number(from),
    toMs: to === open ? Infinity : Number(to),
    position: position!,
  };
}

/** It finds out mistakes, not forgers: there is nothing in a cursor that a query could not ask for by itself. */
function checkOf(key: string, content: string): string {
  return createHash('sha256').update(`${key}~${content}`).digest('base64url').slice(0, checkLength);
}
