import { placesFrame } from './frames.js';
import type { ClientSession } from './clientSession.js';

/** Whether an instrument that a client has learned of as waiting has a place now, or one that had a place has lost it. */
type Change = 'served' | 'waiting';

/**
 * Which waiting instruments action clients know of: each client is told once when such an instrument is
 * served. What changes within one turn of the event loop becomes one frame for each client.
 */
export class WaitingBoard {
  /** By slot: who has been told that it waits. */
  readonly #bySlot = new Map<number, Set<ClientSession>>();
  readonly #changes = new Map<ClientSession, Map<string, Change>>();
  #isDue = false;

  /** The client has been told that an instrument waits that it has subscribed under this id. */
  told(session: ClientSession, id: string, slot: number): void {
    session.waiting ??= new Map();
    const ids = session.waiting.get(slot) ?? [];
    session.waiting.set(slot, ids);
    if (!ids.includes(id)) ids.push(id);
    const sessions = this.#bySlot.get(slot) ?? new Set();
    this.#bySlot.set(slot, sessions);
    sessions.add(session);
  }

  /** A connection carries the instrument. */
  served(slot: number): void {
    const sessions = this.#bySlot.get(slot);
    if (sessions === undefined) return;
    this.#bySlot.delete(slot);
    for (const session of sessions) {
      for (const id of session.waiting?.get(slot) ?? [])
        if (session.push.subscriptions.get(id)?.channel.slot === slot) this.#note(session, id, 'served');
      session.waiting?.delete(slot);
    }
  }

  /** The instrument has lost its place. */
  displaced(session: ClientSession, id: string, slot: number): void {
    if (session.waiting?.get(slot)?.includes(id) === true) return;
    this.told(session, id, slot);
    this.#note(session, id, 'waiting');
  }

  /** The client does not want the instrument any more, under this id or others. */
  forget(session: ClientSession, slot: number): void {
    if (session.waiting?.delete(slot) === true) this.#leave(session, slot);
  }

  /** Forgets a client whose socket is closed. */
  leave(session: ClientSession): void {
    this.#changes.delete(session);
    for (const slot of session.waiting?.keys() ?? []) this.#leave(session, slot);
    session.waiting = undefined;
  }

  #leave(session: ClientSession, slot: number): void {
    const sessions = this.#bySlot.get(slot);
    sessions?.delete(session);
    if (sessions?.size === 0) this.#bySlot.delete(slot);
  }

  #note(session: ClientSession, id: string, change: Change): void {
    const changes = this.#changes.get(session) ?? new Map<string, Change>();
    this.#changes.set(session, changes);
    changes.set(id, change);
    if (this.#isDue) return;
    this.#isDue = true;
    setImmediate(() => this.#tell());
  }

  #tell(): void {
    this.#isDue = false;
    const all = [...this.#changes];
    this.#changes.clear();
    for (const [{ socket, push }, changes] of all)
      for (const action of ['waiting', 'served'] as const) {
        const ids = [...changes].flatMap(([id, change]) =>
          change === action && push.subscriptions.has(id) ? [id] : [],
        );
        if (ids.length > 0) socket.send(placesFrame(action, ids));
      }
  }
}
