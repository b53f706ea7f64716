import { Doorbell } from './doorbell.js';
import { TickReader } from './tickRing.js';
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
  readonly #readers: TickReader[] = [];
  #sink: TickSink | undefined;
  #next: NodeJS.Immediate | undefined;
  /** Reader that the next turn begins with, so that under overload no ring is always the last. */
  #first = 0;

  /** Reads one more ring from now on; its writer must ring `doorbell`. */
  addRing(ring: SharedArrayBuffer): void {
    this.#readers.push(new TickReader(ring));
  }

  /** Records that were ever written into the ring that was added as the `index`th; wraps. */
  written(index: number): number {
    return this.#readers[index]?.written ?? 0;
  }

  get missed(): number {
    return this.#readers.reduce((sum, reader) => sum + reader.missed, 0);
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
    for (const reader of this.#readers) while (reader.next()) sink.onTick(reader.record);
    sink.onBatchEnd();
  }

  readonly #turn = (): void => {
    // Whoever calls, there is one turn to come at most.
    clearImmediate(this.#next);
    const sink = this.#sink;
    if (sink === undefined) return;
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
    }
    if (count > 0) this.#first = (this.#first + looked) % count;
    if (taken > 0) sink.onBatchEnd();
    if (!this.doorbell.park(this.#isEmpty)) this.#next = setImmediate(this.#turn);
  };

  readonly #isEmpty = (): boolean => {
    for (const reader of this.#readers) if (reader.pending) return false;
    return true;
  };
}
