import type { ConnectionRecord } from './connectionRecord.js';
import type { CoordinatorSettings } from './coordinatorSettings.js';
import type { Want } from './want.js';
import type { Line } from './connectionRecord.js';
import { isGood, mayCarry } from './linePriority.js';
import { pickConnection } from './strategies.js';

/** A connection that has been down for longer is not waited for with a refusal. */
const hopeMs = 30_000;
/** A change of quality that makes a difference to how connections are evened out. */
const scoreStep = 5;

/**
 * The connections, and which of them may take lines. That is taken down once for all decisions of one moment, so that
 * they see the same scores; places are counted down as decisions take them.
 */
export class ConnectionRoster {
  readonly #connections = new Map<number, ConnectionRecord>();
  #open: ConnectionRecord[] = [];
  #room = 0;

  /** @throws when there is one of this index */
  add(record: ConnectionRecord): void {
    const { index: connection } = record;
    if (this.#connections.has(connection)) throw new Error(`there is a connection ${connection} already`);
    this.#connections.set(connection, record);
  }

  remove(connection: number): void {
    this.#connections.delete(connection);
  }

  find(connection: number): ConnectionRecord | undefined {
    return this.#connections.get(connection);
  }

  /** @throws when there is none */
  get(connection: number): ConnectionRecord {
    const record = this.#connections.get(connection);
    if (record === undefined) throw new Error(`there is no connection ${connection}`);
    return record;
  }

  all(): Iterable<ConnectionRecord> {
    return this.#connections.values();
  }

  /** Connections that may take lines, as of the last look. */
  get open(): readonly ConnectionRecord[] {
    return this.#open;
  }

  /** Free slots of the open connections, without those taken since. */
  get room(): number {
    return this.#room;
  }

  takePlace(): void {
    this.#room--;
  }

  /** @returns true when the quality of a connection has changed so much that it should carry something else */
  look(now: number): boolean {
    let hasChanged = false;
    this.#open = [];
    this.#room = 0;
    for (const each of this.#connections.values()) {
      const score = each.quality.score(now);
      if (Math.abs(score - each.score) >= scoreStep) hasChanged = true;
      each.score = score;
      if (!each.takesLines) continue;
      this.#open.push(each);
      this.#room += Math.max(0, each.limit - each.load);
    }
    return hasChanged;
  }

  /** A connection for one more line, or instead of one: of another broker where there is one. */
  pick(
    { strategy, autoFailover }: CoordinatorSettings,
    want: Want,
    instead?: Line,
  ): ConnectionRecord | undefined {
    const brokers = new Set<string>();
    for (const line of want.lines)
      if (line !== instead && isGood(line, autoFailover)) brokers.add(line.connection.plan.brokerId);
    const pick = (allowed: (each: ConnectionRecord) => boolean): ConnectionRecord | undefined =>
      pickConnection(strategy, want.hash, this.#open, allowed);
    const other =
      brokers.size === 0
        ? undefined
        : pick((each) => mayCarry(each, want) && !brokers.has(each.plan.brokerId));
    return other ?? pick((each) => mayCarry(each, want));
  }

  /** How many connections have not refused it. */
  untried(want: Want): number {
    let untried = 0;
    for (const each of this.#connections.values()) if (hasNotRefused(each, want)) untried++;
    return untried;
  }

  /** Whether a connection that has not refused it is there, or may be there soon. */
  hasHope(want: Want, now: number): boolean {
    for (const each of this.#connections.values())
      if (hasNotRefused(each, want) && (each.isUp || now - each.downSince < hopeMs)) return true;
    return false;
  }
}

function hasNotRefused(record: ConnectionRecord, want: Want): boolean {
  return !record.retiring && want.refusedBy?.has(record) !== true;
}
