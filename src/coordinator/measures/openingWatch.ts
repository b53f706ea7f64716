import type { MarketHours, Opening } from '../../market/hours/marketHours.js';

/** A line has shown that it ticks with an opening when it has moved in so many samples after it, */
const provenMoments = 20;
/** of which no two are nearer to each other than this: snapshots that follow a subscription come in a rush, */
const momentMs = 500;
/** within this time. */
const learningMs = 10 * 60_000;
/** What is due at an opening is so after this time at the earliest, or after three time-outs, */
const openingGraceMs = 60_000;
/** or after so many of the longer of the times that the line took on the last two days. */
const toleratedTimes = 2;
/** The shortest session is an hour long; an opening says nothing of what follows its session. */
const openingCountsMs = 50 * 60_000;
/** While no line at all ticks, one is tried this rarely: once at the day's opening, once at the night's. */
const trialEveryMs = 6 * 3_600_000;

/** How a line behaved after one opening. */
interface Beginning {
  /** Time until it was proven; Infinity if it was not within the learning time. */
  readonly provenMs: number;
  readonly instruments: number;
}

interface Line {
  /** It was named at the present opening. */
  missed: boolean;
  moments: number;
  lastMoment: number;
  provenMs: number;
  /** By opening: the last two days on which it was there. */
  readonly beginnings: (readonly Beginning[])[];
}

/** One line at one sample; moments are ms on the monotonic clock. */
export interface OpeningSample {
  readonly moved: boolean;
  readonly lastMoved: number;
  /** Since when it has been logged in and has carried instruments; NaN when it is not or does not. */
  readonly expectingSince: number;
  readonly instruments: number;
}

/**
 * Tells which lines ought to tick since an opening and do not, from what they did at the same opening on the two days
 * before. Lines with few ticks are given the more time, and those that hardly tick are never expected.
 *
 * That a line is silent shows only where another one ticks: on a holiday that no calendar knew all are silent, and
 * nothing is wrong. Where none ticks, all lines may be dead as well, or the only one is. So one line is named then, as
 * a trial: opened again, it gets ticks if the market is open, and these convict the others that are silent. If it gets
 * nothing but snapshots, there is no second trial in this half of the day.
 */
export class OpeningWatch {
  readonly #hours: MarketHours;
  readonly #timeoutMs: number;
  readonly #lines: Line[] = [];
  #opening: Opening | undefined;
  #learned = false;
  /** Whether any line has proven that the market is open. */
  #isProven = false;
  #lastTrial = -Infinity;

  constructor(timeoutMs: number, hours: MarketHours) {
    this.#timeoutMs = timeoutMs;
    this.#hours = hours;
  }

  /**
   * Indices of the lines that miss the present opening.
   *
   * @param samples one per line, always in the same order
   * @param now ms on a clock that never steps back
   * @param wall ms since the epoch
   */
  sample(samples: readonly OpeningSample[], now: number, wall: number): ReadonlySet<number> {
    const opening = this.#hours.lastOpening(wall);
    if (opening?.at !== this.#opening?.at) this.#begin(opening);
    const missing = new Set<number>();
    if (opening === undefined) return missing;
    const sinceMs = wall - opening.at;
    if (sinceMs > openingCountsMs) return missing;
    samples.forEach((sample, index) => {
      const line = (this.#lines[index] ??= newLine());
      this.#count(line, sample, now, sinceMs);
    });
    if (!this.#learned && sinceMs >= learningMs) this.#learn(opening, samples, now, sinceMs);
    for (const [index, sample] of samples.entries()) {
      if (this.#isMissing(this.#lines[index]!, sample, opening, now, sinceMs)) missing.add(index);
    }
    const named = this.#isProven ? missing : this.#trial(missing, wall);
    for (const index of named) this.#lines[index]!.missed = true;
    return named;
  }

  #begin(opening: Opening | undefined): void {
    this.#opening = opening;
    this.#learned = this.#isProven = false;
    for (const line of this.#lines) {
      line.missed = false;
      line.moments = 0;
      line.provenMs = Infinity;
    }
  }

  #count(line: Line, sample: OpeningSample, now: number, sinceMs: number): void {
    if (!sample.moved || now - line.lastMoment < momentMs) return;
    line.lastMoment = now;
    if (++line.moments !== provenMoments) return;
    line.provenMs = sinceMs;
    this.#isProven = true;
    this.#lastTrial = -Infinity;
  }

  /**
   * Days on which nothing ticked, and lines that were away, teach nothing. One that was away because it was named, and
   * is back with its snapshots and little more, is quiet.
   */
  #learn(opening: Opening, samples: readonly OpeningSample[], now: number, sinceMs: number): void {
    this.#learned = true;
    for (const [index, { expectingSince, instruments }] of samples.entries()) {
      const line = this.#lines[index]!;
      const wasThere = now - expectingSince >= sinceMs && (this.#isProven || line.moments > 0);
      const isQuiet = line.missed && line.moments > 0 && line.moments < provenMoments;
      if (!wasThere && !isQuiet) continue;
      const before = line.beginnings[opening.index]?.slice(-1) ?? [];
      line.beginnings[opening.index] = [...before, { provenMs: line.provenMs, instruments }];
    }
  }

  #isMissing(line: Line, sample: OpeningSample, opening: Opening, now: number, sinceMs: number): boolean {
    const days = line.beginnings[opening.index] ?? [];
    if (days.length < 2 || line.moments >= provenMoments || !(now - sample.expectingSince >= sinceMs))
      return false;
    // With fewer instruments than it had it may be quiet.
    if (days.some(({ instruments }) => sample.instruments <= instruments / 2)) return false;
    const usualMs = Math.max(...days.map(({ provenMs }) => provenMs));
    const dueMs = Math.max(openingGraceMs, 3 * this.#timeoutMs, toleratedTimes * usualMs);
    return Math.min(sinceMs, now - sample.lastMoved) >= dueMs;
  }

  #trial(missing: ReadonlySet<number>, wall: number): ReadonlySet<number> {
    const [first] = missing;
    if (first === undefined || wall - this.#lastTrial < trialEveryMs) return new Set();
    this.#lastTrial = wall;
    return new Set([first]);
  }
}

function newLine(): Line {
  return { missed: false, moments: 0, lastMoment: -Infinity, provenMs: Infinity, beginnings: [] };
}
