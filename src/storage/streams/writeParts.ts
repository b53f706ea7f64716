import { argumentBytes, type CommandBytes } from '../../redis/commandBytes.js';
import type { RawReply } from '../../redis/commandBurst.js';
import type { StoredInstrument } from '../quotes/storedInstrument.js';
import type { TickArena } from './tickArena.js';

const dash = 45;
const multi = argumentBytes('MULTI');
const exec = argumentBytes('EXEC');
const xadd = argumentBytes('XADD');
const maxLength = [argumentBytes('MAXLEN'), argumentBytes('~')];
const time = argumentBytes('time');
const tick = argumentBytes('tick');
const seq = argumentBytes('seq');
const xtrim = argumentBytes('XTRIM');
const minId = [argumentBytes('MINID'), argumentBytes('~')];

/** Commands for one server at once. In a cluster, all of them are in one slot. */
export class WritePart {
  /** Places of ticks, whose commands come first. */
  readonly ticks: number[] = [];
  readonly trims: StoredInstrument[] = [];
  readonly quotes: StoredInstrument[] = [];
  /** Of each command for a hash, which come last. */
  readonly quoteOf: StoredInstrument[] = [];
  /** Commands, without those that make it a transaction. */
  commands = 0;

  /** Whether it is one: whatever may be more than one command, and a hash may take two. */
  get isTransaction(): boolean {
    return this.ticks.length + this.trims.length + 2 * this.quotes.length > 1;
  }
}

/** How commands of a part are written. */
export interface PartWriting {
  readonly arena: TickArena;
  readonly instrumentOf: (place: number) => StoredInstrument;
  /** `run.` of a tick's name, latin1. */
  readonly runPrefix: (run: number) => Uint8Array;
  /** Entries that a stream keeps, as argument. */
  readonly historyLength: Buffer;
  /** Older entries are trimmed, ms since the epoch. */
  readonly trimBeforeMs: number;
  readonly writeQuote: (instrument: StoredInstrument, commands: CommandBytes) => void;
}

/** Adds a part's commands. */
export function writePart(part: WritePart, commands: CommandBytes, writing: PartWriting): void {
  if (part.isTransaction) writeLone(multi, commands);
  const before = commands.count;
  for (const place of part.ticks) writeTick(place, commands, writing);
  for (const { ticksArgument } of part.trims) {
    commands.command(5);
    commands.ready(xtrim);
    commands.ready(ticksArgument);
    for (const bytes of minId) commands.ready(bytes);
    commands.number(writing.trimBeforeMs);
  }
  for (const quote of part.quotes) {
    const begin = commands.count;
    writing.writeQuote(quote, commands);
    for (let command = begin; command < commands.count; command++) part.quoteOf.push(quote);
  }
  part.commands = commands.count - before;
  if (part.isTransaction) writeLone(exec, commands);
}

function writeTick(place: number, commands: CommandBytes, writing: PartWriting): void {
  const { arena } = writing;
  commands.command(12);
  commands.ready(xadd);
  commands.ready(writing.instrumentOf(place).ticksArgument);
  for (const bytes of maxLength) commands.ready(bytes);
  commands.ready(writing.historyLength);
  commands.pair(arena.idMs(place), dash, arena.idN(place));
  commands.ready(time);
  commands.number(arena.timeMs(place));
  commands.ready(tick);
  commands.slice(arena.lines(place), arena.lineBegin(place), arena.lineEnd(place));
  commands.ready(seq);
  commands.numbered(writing.runPrefix(arena.run(place)), arena.n(place));
}

function writeLone(name: Uint8Array, commands: CommandBytes): void {
  commands.command(1);
  commands.ready(name);
}

/** Outcome of a part. */
export interface PartOutcome {
  readonly part: WritePart;
  /** Answers to its commands in their order. */
  readonly results: readonly RawReply[];
  /** Why it was not carried out; the results mean nothing then. */
  readonly refusal: Error | undefined;
}

/** Redis will never carry it out: a key of another type, or an id that is passed. */
function isFinal({ message }: Error): boolean {
  return message.startsWith('WRONGTYPE ') || message.includes('ID specified in XADD');
}

/**
 * The outcome of each part, from the answers to all that writePart has written of them.
 *
 * A transaction is carried out or it is not. A lone command counts as not carried out where it was refused for a reason that
 * may pass; in a transaction EXEC is refused then.
 */
export function outcomesOf(parts: readonly WritePart[], replies: readonly RawReply[]): PartOutcome[] {
  let at = 0;
  return parts.map((part) => {
    const count = part.commands + (part.isTransaction ? 2 : 0);
    const answers = replies.slice(at, at + count);
    at += count;
    if (!part.isTransaction) {
      const [answer] = answers;
      const mayPass = answer instanceof Error && !isFinal(answer);
      return { part, results: answers, refusal: mayPass ? answer : undefined };
    }
    const results = answers.at(-1);
    if (Array.isArray(results)) return { part, results: results as RawReply[], refusal: undefined };
    const error = answers.find((answer) => answer instanceof Error);
    return { part, results: [], refusal: error ?? new Error('the transaction was not carried out') };
  });
}
