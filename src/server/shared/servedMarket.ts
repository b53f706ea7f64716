import type { Advice } from '../../market/instruments/instrumentAdvice.js';
import type { InstrumentPattern } from '../../market/instruments/instrumentPattern.js';
import type { MatchingInstruments, InstrumentFilter } from '../../market/instruments/instrumentSearch.js';
import type { SymbolInfo } from '../../market/instruments/symbolInfo.js';
import type { FieldSet, KeyForm, TickView } from './pushOptions.js';

/** The market as the server needs it; the classes of src/market implement it. */
export interface ServedInstrument {
  readonly slot: number;
  /** Bare id. */
  readonly id: string;
  /** `EXCHANGE.id` */
  readonly key: string;
}

/** A file that is made piece by piece; another object means other content. */
export interface ServedFile {
  parts(): Iterable<Buffer>;
}

export interface ServedDirectory {
  /**
   * With a slot from its first mention on; undefined where there is no such instrument, or no slot.
   *
   * @param held instruments that are not listed which who asks has already
   */
  resolve(requested: string, held: number): ServedInstrument | undefined;
  /** Whether there is no slot for it, though it may exist. */
  lacksSlot(requested: string): boolean;
  /** So many names were refused for want of slots. */
  countRefused(names: number): void;
  /** The instrument of a name if it has a slot. */
  find(requested: string): ServedInstrument | undefined;
  bySlot(slot: number): ServedInstrument;
  /** The list of instruments; the same object as long as nothing changes. */
  listed(): unknown;
  search(filter: InstrumentFilter): MatchingInstruments;
  /** Listed instruments that match a pattern. */
  expand(pattern: InstrumentPattern): string[];
  /** `openInterest` is asked by slot, and may not know. */
  adviseUnknown(requested: string, openInterest: (slot: number) => number): Advice;
  /** Those whose delivery is over. */
  expiredOf(requested: readonly string[]): string[];
  adviseExpired(requested: string, openInterest: (slot: number) => number): Advice;
  symbolsFile(): ServedFile;
  /** Source of answers to ins_query. */
  symbolInfo(): SymbolInfo;
}

export interface ServedBook {
  version(slot: number): number;
  /** Of a field of quoteFields.ts; NaN where there is none. */
  value(slot: number, field: number): number;
}

/** Where a client may have to wait for a front's snapshot. */
export interface SnapshotSource {
  /** Whether the instrument's state is to be kept back until MarketServer.onSettled. */
  isAwaited(slot: number): boolean;
}

export interface ServedEncoder {
  aidQuote(slot: number, fromVersion: number, form: KeyForm): string;
  actionFrame(
    into: Uint8Array,
    at: number,
    slot: number,
    form: KeyForm,
    fields: FieldSet | null,
    view: TickView,
  ): number;
  rejectedFrame(into: Uint8Array, at: number, slot: number, form: KeyForm, fields: FieldSet | null): number;
  actionDiffFrame(
    into: Uint8Array,
    at: number,
    slot: number,
    fromVersion: number,
    form: KeyForm,
    fields: FieldSet | null,
    view: TickView,
  ): number;
}

export interface ServedMarket {
  readonly directory: ServedDirectory;
  readonly book: ServedBook;
  readonly encoder: ServedEncoder;
  /** Absent: what the book holds is always shown at once. */
  readonly snapshots?: SnapshotSource;
}

/** Under which key form a client asked for an instrument. */
export function formOf(instrument: ServedInstrument, requested: string): KeyForm {
  return requested === instrument.key ? 1 : 0;
}
