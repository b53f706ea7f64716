import type { ConnectionRecord } from './connectionRecord.js';

/** Something to tell a connection's worker. Slots, not ids: the shell knows the names. */
export interface LineCommand {
  readonly type: 'subscribe' | 'unsubscribe';
  readonly connection: number;
  readonly slots: readonly number[];
}

/**
 * Gathers the decisions of one moment, so that each connection gets at most two commands; what is taken and given
 * back within the moment costs none.
 */
export class Outbox {
  readonly #changes = new Map<ConnectionRecord, Map<number, LineCommand['type']>>();

  /** True when the connection's worker has it already: nothing will be sent. */
  add(type: LineCommand['type'], connection: ConnectionRecord, slot: number): boolean {
    const changes = this.#changes.get(connection) ?? new Map<number, LineCommand['type']>();
    this.#changes.set(connection, changes);
    const before = changes.get(slot);
    if (before !== undefined && before !== type) return changes.delete(slot);
    changes.set(slot, type);
    return false;
  }

  /** A worker that was lost, or a connection that is gone, is told nothing. */
  drop(connection: ConnectionRecord): void {
    this.#changes.delete(connection);
  }

  /** Room is freed before it is used. */
  send(send: (command: LineCommand) => void): void {
    const all = [...this.#changes];
    this.#changes.clear();
    for (const type of ['unsubscribe', 'subscribe'] as const) {
      for (const [connection, changes] of all) {
        const slots = [...changes].filter(([, its]) => its === type).map(([slot]) => slot);
        if (slots.length > 0) send({ type, connection: connection.index, slots });
      }
    }
  }
}
