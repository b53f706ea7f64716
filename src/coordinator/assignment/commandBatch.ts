import type { ConnectionRecord } from './connectionRecord.js';

/** Something to tell a connection's worker. Slots, not ids: the shell knows the names. */
export interface LineCommand {
  readonly type: 'subscribe' | 'unsubscribe';
  readonly connection: number;
  readonly slots: readonly number[];
}

/** `forget`: the worker may or may not have it, and shall not; `renew`: it shall have it again. */
type Change = 'subscribe' | 'unsubscribe' | 'forget' | 'renew';

const isFor: Readonly<Record<LineCommand['type'], readonly Change[]>> = {
  unsubscribe: ['unsubscribe', 'forget', 'renew'],
  subscribe: ['subscribe', 'renew'],
};

/**
 * Gathers the decisions of one moment, so that each connection gets at most two commands; what is taken and given
 * back within the moment costs none.
 */
export class CommandBatch {
  readonly #changes = new Map<ConnectionRecord, Map<number, Change>>();

  /** True when the connection's worker has it already: nothing will be sent. */
  subscribe(connection: ConnectionRecord, slot: number): boolean {
    const changes = this.#of(connection);
    const before = changes.get(slot);
    if (before === 'unsubscribe') return changes.delete(slot);
    changes.set(slot, before === 'forget' || before === 'renew' ? 'renew' : 'subscribe');
    return false;
  }

  /** @param isHeld false when the worker may have let go of it already */
  unsubscribe(connection: ConnectionRecord, slot: number, isHeld: boolean): void {
    const changes = this.#of(connection);
    const before = changes.get(slot);
    if (before === 'subscribe') changes.delete(slot);
    else changes.set(slot, isHeld && before === undefined ? 'unsubscribe' : 'forget');
  }

  get isEmpty(): boolean {
    return this.#changes.size === 0;
  }

  /** Whether something is to be said of the instrument. */
  mentions(slot: number): boolean {
    for (const changes of this.#changes.values()) if (changes.has(slot)) return true;
    return false;
  }

  /** A connection that is gone is told nothing. */
  drop(connection: ConnectionRecord): void {
    this.#changes.delete(connection);
  }

  /** Room is freed before it is used. */
  send(send: (command: LineCommand) => void): void {
    const all = [...this.#changes];
    this.#changes.clear();
    for (const type of ['unsubscribe', 'subscribe'] as const) {
      for (const [connection, changes] of all) {
        const slots = [...changes].filter(([, change]) => isFor[type].includes(change)).map(([slot]) => slot);
        if (slots.length > 0) send({ type, connection: connection.index, slots });
      }
    }
  }

  #of(connection: ConnectionRecord): Map<number, Change> {
    const changes = this.#changes.get(connection) ?? new Map<number, Change>();
    this.#changes.set(connection, changes);
    return changes;
  }
}
