import { createHash, randomInt } from 'node:crypto';

/** The run of this process. Its ticks come after those of all others. */
export const ownRun = 0xffff;

/** A run's name is the time at which it began, in ms since the epoch, to this base, and some digits of chance. */
const nameBase = 36;
const timeDigits = 8;
const chanceDigits = 4;
const nameForm = /^[0-9a-z]{8}(?:[0-9a-z]{4})?$/;

/** Name of a run that begins now; another one for each gateway, also where several begin within one ms. */
export function runName(nowMs: number): string {
  const chance = randomInt(nameBase ** chanceDigits).toString(nameBase);
  return nowMs.toString(nameBase) + chance.padStart(chanceDigits, '0');
}

/** When a run began, ms since the epoch; NaN where its name does not tell. */
export function beganAt(name: string): number {
  return nameForm.test(name) ? parseInt(name.slice(0, timeDigits), nameBase) : NaN;
}

/** Whether a run began after another one; false where a name does not tell. */
export function beganLater(name: string, other: string): boolean {
  return beganAt(name) > beganAt(other);
}

/** The runs whose ticks this process writes, in their order: those that spill files are of, and its own. */
export class GatewayRuns {
  readonly #own: string;
  readonly #earlier: string[];
  #ownFrom = -1;
  readonly #marks = new Map<number, number>();

  /** @param earlier the oldest first */
  constructor(own: string, earlier: readonly string[]) {
    this.#own = own;
    this.#earlier = earlier.filter((name) => name !== own);
  }

  /** Number of a run: a later one has a greater number. -1 where it is none of them. */
  find(name: string): number {
    return name === this.#own ? ownRun : this.#earlier.indexOf(name);
  }

  /** As find; a run that is none of them becomes the last before this process's own. */
  numberOf(name: string): number {
    const known = this.find(name);
    return known >= 0 ? known : this.#earlier.push(name) - 1;
  }

  /**
   * A folder was taken over late: what lies there is older than ticks that may be in Redis already.
   *
   * @param ownFrom number of the first tick of this run that surely does not lie there
   */
  tookOverLate(ownFrom: number): void {
    this.#ownFrom = ownFrom;
  }

  /** Whether later ticks may have been stored before this one. */
  isLate(run: number, n: number): boolean {
    return this.#ownFrom >= 0 && (run !== ownRun || n < this.#ownFrom);
  }

  /** A number of 48 bits, never 0, that is another one for each run, and the same in another thread. */
  mark(run: number): number {
    const known = this.#marks.get(run);
    if (known !== undefined) return known;
    const made = createHash('sha256').update(this.name(run)).digest().readUIntBE(0, 6) || 1;
    this.#marks.set(run, made);
    return made;
  }

  name(run: number): string {
    return run === ownRun ? this.#own : this.#earlier[run]!;
  }
}

/** Whether the tick `n` of a run is the given one or lies before it. A stream only takes ticks in this order. */
export function isUpTo(run: number, n: number, lastRun: number, lastN: number): boolean {
  return run === lastRun ? n <= lastN : run < lastRun;
}
