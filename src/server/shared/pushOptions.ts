/** 0: under the bare id, 1: under `EXCHANGE.id`. */
export type KeyForm = 0 | 1;

/** How a member shows the book field that it is made from. */
export type Rendering = 'number' | 'day' | 'datetime' | 'update_time' | 'update_millisec' | 'instrument_id';

export interface Member {
  readonly name: string;
  /** `,"name":` */
  readonly lead: string;
  readonly leadBytes: Uint8Array;
  /** Book field whose change sends the member; -1 for the instrument's id. */
  readonly field: number;
  readonly rendering: Rendering;
  readonly documented: boolean;
}

/**
 * What an action frame says of the tick beside its values.
 *
 *   plain   nothing
 *   flags   the names of its flags
 *   all     these, and why the book left the tick out: null where it did not
 */
export type TickView = 'plain' | 'flags' | 'all';

/** A choice of members for action pushes. Equal choices have equal keys. */
export interface FieldSet {
  readonly key: string;
  readonly members: readonly Member[];
}

/** How narrow an action client wants its pushes. */
export interface PushOptions {
  /** null: the documented fields. */
  readonly fields: FieldSet | null;
  /** Whether pushes after the first carry only what changed. */
  readonly diff: boolean;
  /** Ticks that are pushed, and what is added to each; with `all`, rejected ticks are pushed too. */
  readonly view: TickView;
}
