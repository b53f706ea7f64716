import type { FieldSet, KeyForm } from '../market/quoteEncoder.js';

/** What the server needs to know of the market; the classes of src/market are this. */
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
  resolve(requested: string): ServedInstrument | undefined;
  bySlot(slot: number): ServedInstrument;
  list(filter: { search?: string; exchange?: string }): string[];
  symbolsFile(): ServedFile;
}

export interface ServedBook {
  version(slot: number): number;
}

export interface ServedEncoder {
  aidQuote(slot: number, fromVersion: number, form: KeyForm): string;
  actionFrame(into: Uint8Array, at: number, slot: number, form: KeyForm, fields: FieldSet | null): number;
  actionDiffFrame(
    into: Uint8Array,
    at: number,
    slot: number,
    fromVersion: number,
    form: KeyForm,
    fields: FieldSet | null,
  ): number;
}

export interface ServedMarket {
  readonly directory: ServedDirectory;
  readonly book: ServedBook;
  readonly encoder: ServedEncoder;
}

/** Under which key form a client asked for an instrument. */
export function formOf(instrument: ServedInstrument, requested: string): KeyForm {
  return requested === instrument.key ? 1 : 0;
}
