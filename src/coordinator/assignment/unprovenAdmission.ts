import { isProven, type Want } from './want.js';
import type { LineTable } from './lineTable.js';
import { isFutile } from './linePriority.js';
import { Standing } from './standing.js';
import { UnprovenQueue, type UnprovenClient, type UnprovenLimits } from './unprovenQueue.js';
import type { WantedInstruments } from './wantedInstruments.js';

export interface UnprovenAdmissionParts {
  readonly table: LineTable;
  readonly wanted: WantedInstruments;
  readonly limits: UnprovenLimits;
  readonly standing: (slot: number) => Standing;
}

/**
 * Lets wanted in. What is proven is wanted at once; what is not waits for its turn, and the coordinator does not know of
 * it meanwhile. One that does not tick gives its turn to the next that waits; one that ticks is proven.
 */
export class UnprovenAdmission {
  readonly #parts: UnprovenAdmissionParts;
  readonly #queue: UnprovenQueue;
  /** Something has changed since turns were last given out. */
  #isDue = false;

  constructor(parts: UnprovenAdmissionParts) {
    this.#parts = parts;
    this.#queue = new UnprovenQueue(parts.limits);
  }

  /** Unproven instruments that clients want. */
  get unproven(): number {
    return this.#queue.size;
  }

  /** Unproven instruments that wait for their turn. */
  get waiting(): number {
    return this.#queue.waiting;
  }

  get isDue(): boolean {
    return this.#isDue;
  }

  /** Those that wait for their turn. */
  queued(): Iterable<number> {
    return this.#queue.queued();
  }

  /** Whether it waits for its turn. */
  isQueued(slot: number): boolean {
    return this.#queue.state(slot) === 'waiting';
  }

  asks(slot: number): boolean {
    return this.#queue.state(slot) !== undefined;
  }

  unprovenOf(client: UnprovenClient): number {
    return this.#queue.asksOf(client);
  }

  /** @param client undefined for the configuration, whose word is enough */
  want(slot: number, key: string, client: UnprovenClient | undefined): void {
    const { wanted, standing } = this.#parts;
    const known = Math.max(standing(slot), client === undefined ? Standing.listed : 0) as Standing;
    if (client === undefined || known !== Standing.conceivable || this.#isProven(slot)) {
      this.#prove(slot, known);
      wanted.want(slot, key, known);
      return;
    }
    const before = this.#queue.state(slot);
    this.#queue.ask(slot, key, client);
    if (before === 'admitted') wanted.want(slot, key, known);
    // It is tried again, so that each client is told.
    else if (before === 'refused') wanted.end(slot);
    this.#isDue = true;
  }

  drop(slot: number, client: UnprovenClient | undefined, now: number): void {
    const before = this.#queue.state(slot);
    const { wanted } = this.#parts;
    if (client === undefined || before === undefined) {
      wanted.drop(slot, now);
      return;
    }
    this.#queue.leave(slot, client);
    this.#isDue = true;
    if (before === 'waiting') return;
    const after = this.#queue.state(slot);
    // No grace: nobody knows whether there is anything to come back to.
    if (after === before) wanted.drop(slot, now);
    else wanted.end(slot);
  }

  /** A tick of it has come. */
  ticked(slot: number): void {
    if (this.asks(slot)) this.#prove(slot, Standing.ticked);
  }

  /** The list has changed. */
  review(): void {
    for (const slot of [...this.#queue.slots()]) {
      const standing = this.#parts.standing(slot);
      if (standing !== Standing.conceivable) this.#prove(slot, standing);
    }
  }

  /** Gives out the turns that are free. */
  admit(): void {
    if (!this.#isDue) return;
    this.#isDue = false;
    const { wanted } = this.#parts;
    for (const { slot, key, askers } of this.#queue.admit())
      for (let i = 0; i < askers; i++) wanted.want(slot, key, Standing.conceivable);
  }

  /** False for one that was refused, is to be tried again, and waits for its turn first. */
  maySettle(want: Want): boolean {
    if (want.failure !== undefined || this.#queue.state(want.slot) !== 'refused') return true;
    this.#parts.wanted.end(want.slot);
    this.#queue.requeue(want.slot);
    this.#isDue = true;
    return false;
  }

  /** An instrument that no front has needs no turn. */
  settled(want: Want): void {
    if (want.failure === undefined || this.#queue.state(want.slot) !== 'admitted') return;
    this.#queue.refuse(want.slot);
    this.#isDue = true;
  }

  /** Takes the turn from what does not tick, as long as others wait for it. To be called about once a second. */
  pass(now: number): void {
    let left = this.#queue.waiting;
    if (left === 0) return;
    const { table, wanted } = this.#parts;
    for (const slot of [...this.#queue.admitted()]) {
      if (left === 0) break;
      if (!isFutile(table.wants.get(slot)!, now) || !this.#queue.isWaitedFor(slot)) continue;
      this.#queue.requeue(slot);
      wanted.end(slot);
      this.#isDue = true;
      left--;
    }
  }

  /** It is wanted as one that is known, by other clients or the configuration. */
  #isProven(slot: number): boolean {
    const want = this.#parts.table.wants.get(slot);
    return want !== undefined && !want.isProbe && isProven(want) && !this.asks(slot);
  }

  #prove(slot: number, standing: Standing): void {
    const found = this.#queue.remove(slot);
    if (found === undefined) return;
    const { table, wanted } = this.#parts;
    this.#isDue = true;
    if (found.state === 'waiting') {
      for (let i = 0; i < found.askers; i++) wanted.want(slot, found.key, standing);
      return;
    }
    const want = table.wants.get(slot)!;
    want.standing = standing;
    table.counter.note(slot);
    table.unsettled.add(slot);
  }
}
