import { grown } from '../../base/growable.js';

const firstConnections = 128;
/** How much of the newest second is in a connection's ticks per second. */
const rateSmoothing = 0.2;

/** Counts of one connection. */
export interface TickRate {
  readonly ticks: number;
  /** Recently. */
  readonly ticksPerSecond: number;
  /** When the last tick came, ms since the epoch; NaN before the first. */
  readonly lastTickMs: number;
}

/** Counts the ticks of each connection, by its index. */
export class TickRates {
  #ticks = new Float64Array(firstConnections);
  readonly #rates = new Map<number, { ticksAtPass: number; rate: number; lastTickMs: number }>();

  add(connection: number): void {
    this.#ticks = grown(this.#ticks, connection + 1);
    this.#rates.set(connection, { ticksAtPass: 0, rate: 0, lastTickMs: NaN });
  }

  forget(connection: number): void {
    this.#rates.delete(connection);
  }

  /** One more tick. For the tick path. */
  count(connection: number): void {
    this.#ticks[connection]!++;
  }

  ticks(connection: number): number {
    return this.#ticks[connection]!;
  }

  /** To be called once in `periodMs`. @param nowMs ms since the epoch */
  pass(periodMs: number, nowMs: number): void {
    for (const [connection, each] of this.#rates) {
      const ticks = this.#ticks[connection]!;
      const since = ticks - each.ticksAtPass;
      each.ticksAtPass = ticks;
      each.rate += rateSmoothing * ((since * 1000) / periodMs - each.rate);
      if (since > 0) each.lastTickMs = nowMs;
    }
  }

  /** Of a connection that was added. */
  of(connection: number): TickRate {
    const { rate, lastTickMs } = this.#rates.get(connection)!;
    return { ticks: this.#ticks[connection]!, ticksPerSecond: rate, lastTickMs };
  }
}
