import { Doorbell } from './doorbell.js';
import { TickRingReader } from './tickRing.js';
import type { TickSink, TickSource } from './tickSource.js';

/** Records taken in one turn of the event loop, so that sockets are served between batches. */
const turnBudget = 4096;
/** Records taken from one ring before the next is looked at. */
const ringBudget = 512;

/**
 * Reads the tick rings of this process's connections on the event loop of the thread that it is made in.
 *
 * One turn drains all rings, up to a budget, and is one batch for the sink. When the rings are empty the source
 * parks at its doorbell, and costs nothing until a bridge rings it.
 */
export class RingTickSource implements TickSource {
  readonly doorbell = new Doorbell();
  #readers: TickRingReader[] = [];
  /** By the connection that writes into the ring. */
  readonly #byConnection = new Map<number, TickRingReader>();
  /** Of rings that are read no more. */
  #missedBefore = 0;
  #sink: TickSink | undefined;
  #next: NodeJS.Immediate | undefined;
  #isBehind = false;
  /** The sink is being called. */
  #isTaking = false;
  /** Reader that the next turn begins with, so that under overload no ring is always the last. */
  #first = 0;

  /** Reads one more ring from now on; its writer must ring `doorbell`. */
  addRing(connection: number, ring: SharedArrayBuffer): void {
    if (this.#byConnection.has(connection)) throw new Error(`connection ${connection} has a ring already`);
    const reader = new TickRingReader(ring);
    this.#byConnection.set(connection, reader);
    this.#readers = [...this.#byConnection.values()];
  }

  /** Takes what the ring still holds, then reads it no more. */
  removeRing(connection: number): void {
    const reader = this.#byConnection.get(connection);
    if (reader === undefined) return;
    this.#byConnection.delete(connection);
    this.#readers = [...this.#byConnection.values()];
    const sink = this.#sink;
    if (sink !== undefined) {
      while (reader.next()) sink.onTick(reader.record);
      sink.onBatchEnd();
    }
    this.#missedBefore += reader.missed;
  }

  /** Records that the connection has ever written into its ring; wraps. */
  written(connection: number): number {
    return this.#byConnection.get(connection)?.written ?? 0;
  }

  get missed(): number {
    return this.#readers.reduce((sum, reader) => sum + reader.missed, this.#missedBefore);
  }

  /** Whether records waited in the rings after the last turn, so that another turn follows at once. */
  get isBehind(): boolean {
    return this.#isBehind;
  }

  start(sink: TickSink): void {
    this.#sink = sink;
    this.doorbell.listen(() => this.#turn());
    this.#turn();
  }

  stop(): void {
    this.#sink = undefined;
    clearImmediate(this.#next);
    this.doorbell.close();
  }

  /** Empties the rings once, past any budget: for a last flush after the writers have stopped. */
  drain(): void {
    const sink = this.#sink;
    if (sink === undefined) return;
    for (const reader of this.#readers) {
      while (reader.next()) sink.onTick(reader.record);
      reader.giveRoom();
    }
    sink.onBatchEnd();
  }

  /**
   * Takes what waits at once, up to the budget of a turn: for work that keeps the event loop from its next turn. Does
   * nothing when it is called from within the sink.
   */
  takeWaiting(): void {
    if (!this.#isTaking && !this.#isEmpty()) this.#take();
  }

  readonly #turn = (): void => {
    // The caller, there is one turn to come at most.
    clearImmediate(this.#next);
    if (this.#sink === undefined) return;
    this.#take();
    this.#isBehind = !this.doorbell.park(this.#isEmpty);
    if (this.#isBehind) this.#next = setImmediate(this.#turn);
  };

  #take(): void {
    const sink = this.#sink;
    if (sink === undefined) return;
    this.#isTaking = true;
    let taken = 0;
    const count = this.#readers.length;
    let looked = 0;
    for (; looked < count && taken < turnBudget; looked++) {
      const reader = this.#readers[(this.#first + looked) % count]!;
      let left = Math.min(ringBudget, turnBudget - taken);
      while (left > 0 && reader.next()) {
        sink.onTick(reader.record);
        left--;
        taken++;
      }
      reader.giveRoom();
    }
    if (count > 0) this.#first = (this.#first + looked) % count;
    if (taken > 0) sink.onBatchEnd();
    this.#isTaking = false;
  }

  readonly #isEmpty = (): boolean => {
    for (const reader of this.#readers) if (reader.pending) return false;
    return true;
  };
}
