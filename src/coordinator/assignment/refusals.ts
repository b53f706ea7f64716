import type { ConnectionRecord } from './connectionRecord.js';
import type { Want } from './want.js';
import type { LineTable } from './lineTable.js';

/** The vendor's error ids: no other connection can mend the first, all others can the second. */
const instrumentNotFound = 16;
const tooManyInstruments = 6000;

/**
 * What fronts refuse. For want of room, an instrument waits for room elsewhere; otherwise other connections are tried, and
 * when all have refused, those who want it are told, each session once.
 */
export class Refusals {
  readonly #table: LineTable;
  readonly #tell: (slot: number, code: number, text: string) => void;
  /** Slots that a front refused for want of room since `tellOverLimit`, with its words. */
  readonly #overLimit = new Map<number, string>();

  /** @param tell those who want the instrument */
  constructor(table: LineTable, tell: (slot: number, code: number, text: string) => void) {
    this.#table = table;
    this.#tell = tell;
  }

  /**
   * The front of a connection refused an instrument.
   *
   * @param most connections that may refuse it before it is given up
   */
  note(
    connection: ConnectionRecord,
    slot: number,
    code: number,
    text: string,
    most: number,
    now: number,
  ): void {
    const isFull = code === tooManyInstruments;
    // What does not exist says nothing against the connection, and any client can ask for it; nor does a limit.
    const want = this.#table.wants.get(slot);
    if (code !== instrumentNotFound && !isFull && want?.isProbe !== true)
      connection.quality.record('refusal', now);
    const line = connection.lines.get(slot);
    if (want === undefined || line === undefined) return;
    // The worker has let go of it, unless this crossed with a newer request: so it is told nevertheless.
    this.#table.drop(line, false);
    if (isFull) {
      connection.limitToLoad(now);
      this.#overLimit.set(slot, text);
      return;
    }
    want.refusedBy ??= new Set();
    want.refusedBy.add(connection);
    if (code === instrumentNotFound || want.refusedBy.size > most) this.giveUp(want, code, text);
    else want.refusal = { code, text };
  }

  /** No connection will carry it. Those who want it are told once, however often it is tried again. */
  giveUp(want: Want, code: number, text: string): void {
    if (want.lines.some((each) => each.connection.isUp)) return;
    want.failure = { code, text };
    this.#table.counter.note(want.slot);
    this.#table.unsettled.add(want.slot);
    this.#tellOnce(want, code, text);
  }

  /** Instruments that were given up are tried again where `isNew` finds new hope. */
  forget(isNew: (want: Want) => boolean): void {
    for (const want of this.#table.wants.values()) {
      if (!isNew(want)) continue;
      want.failure = undefined;
      this.#table.counter.note(want.slot);
      this.#table.unsettled.add(want.slot);
    }
  }

  /** Instruments that no front has room for wait, and their clients are told. To be called when all is settled. */
  tellOverLimit(): void {
    for (const [slot, text] of this.#overLimit) {
      const want = this.#table.wants.get(slot);
      if (want?.lines.length === 0) this.#tellOnce(want, tooManyInstruments, text);
    }
    this.#overLimit.clear();
  }

  #tellOnce(want: Want, code: number, text: string): void {
    if (want.count === 0 || want.told) return;
    want.told = true;
    this.#tell(want.slot, code, text);
  }
}
