import { RaceTally, type RaceFigures } from './raceTally.js';
import { TickMemory } from './tickMemory.js';
import { grown } from '../../base/growable.js';

export type { RaceFigures } from './raceTally.js';

/** Figures are of the last half to whole minute. */
const halfWindowMs = 30_000;
/** ms; a tick that is later than this is a snapshot or another day's, and its delay does not count. */
const longestDelayMs = 60_000;
const firstSlots = 1024;

/**
 * Compares the lines of the same instrument, tick by tick: who had it first, who how much later, who never. What is
 * the same tick, and which lines are judged by it, is told in tickMemory.ts. A tick of an instrument that has one line
 * costs one array load.
 */
export class LineRace {
  /** By slot: place in the memory + 1; 0 while the slot has one line. */
  #places = new Int32Array(firstSlots);
  #placeCount = 0;
  readonly #freePlaces: number[] = [];
  /** By connection. */
  readonly #tallies = new Map<number, RaceTally>();
  readonly #memory: TickMemory;
  /** When the next half of the window begins, ms since the epoch. */
  #turnAt = -Infinity;

  constructor() {
    this.#memory = new TickMemory({
      delivered: (connection, delayMs) => {
        if (delayMs <= longestDelayMs) this.#tallyOf(connection).delivered(delayMs);
      },
      missed: (connection) => this.#tallyOf(connection).missed(),
    });
  }

  /** Says how many lines carry the instrument; those with two or more are raced. */
  follow(slot: number, lines: number): void {
    this.#places = grown(this.#places, slot + 1);
    const place = this.#places[slot]! - 1;
    if (lines >= 2 && place < 0) {
      const given = this.#freePlaces.pop() ?? this.#placeCount++;
      this.#memory.clear(given);
      this.#places[slot] = given + 1;
    } else if (lines < 2 && place >= 0) {
      this.#places[slot] = 0;
      this.#freePlaces.push(place);
    }
  }

  /**
   * A tick has come; on the tick path.
   *
   * @param connection index of the line
   * @param volume running total of the trading day
   * @param timeOfDayMs the exchange's time; negative where it is unusable
   * @param receiveMs ms since the epoch
   */
  tick(connection: number, slot: number, volume: number, timeOfDayMs: number, receiveMs: number): void {
    const place = this.#places[slot];
    if (place === undefined || place === 0 || timeOfDayMs < 0) return;
    if (receiveMs >= this.#turnAt || receiveMs < this.#turnAt - 2 * halfWindowMs) this.#turn(receiveMs);
    this.#memory.take(place - 1, connection, volume, timeOfDayMs, receiveMs);
  }

  /** The line's figures of the last half to whole minute in which there was a race at all. */
  take(connection: number): RaceFigures {
    return (this.#tallies.get(connection) ?? new RaceTally()).figures();
  }

  /** To be called when a line's session ends, and when it has logged in: what it lacks in between is no gap. */
  forget(connection: number): void {
    this.#tallies.delete(connection);
    this.#memory.forget(connection);
  }

  #tallyOf(connection: number): RaceTally {
    const known = this.#tallies.get(connection);
    if (known !== undefined) return known;
    const tally = new RaceTally();
    this.#tallies.set(connection, tally);
    return tally;
  }

  #turn(receiveMs: number): void {
    // After a long silence, or when the host's clock was set back, both halves are old.
    const both = receiveMs >= this.#turnAt + halfWindowMs || receiveMs < this.#turnAt;
    for (const tally of this.#tallies.values()) {
      tally.turn();
      if (both) tally.turn();
    }
    this.#turnAt = receiveMs + halfWindowMs;
  }
}
