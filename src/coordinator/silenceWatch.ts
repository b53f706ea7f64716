import { isClosed, lastOccurrence, openings, pausesBetween } from '../market/marketHours.js';

/** Looks per time-out: how late a silence may be found. */
const looksPerTimeout = 8;
const longestPeriodMs = 1_000;
/** A flow counts once it has lasted this many time-outs, */
const provenTimeouts = 2;
/** outside trading hours, with no other line flowing, this long: settlement prices come in shorter bursts. */
const provenOutsideHoursMs = 10 * 60_000;
/** A line of quiet instruments may pause for this many of the longest pauses it made of late. */
const toleratedGaps = 10;
const gapMemoryMs = 5 * 60_000;
/** What ticks at an opening does so within this time, or within three time-outs. */
const openingGraceMs = 60_000;
/** A line that was opened again and is silent still is said again, ever later up to this. */
const longestPatienceMs = 5 * 60_000;

/** What is seen of one line. */
export interface LineSample {
  /** Records ever written into its ring; may wrap, only changes count. */
  readonly written: number;
  /** It is logged in and carries instruments. */
  readonly expecting: boolean;
}

export interface Silence {
  /** Index of the line. */
  readonly line: number;
  readonly silentMs: number;
}

/** Moments are ms on the monotonic clock. */
interface Line {
  written: number;
  expecting: boolean;
  expectingSince: number;
  lastMoved: number;
  /** Start of the present flow; NaN while there is none. */
  flowSince: number;
  /** The longest pause within the present flow, in the last minutes and in those before. */
  recentGap: number;
  earlierGap: number;
  gapsSince: number;
  /** How often it was said to be silent since its last tick. */
  said: number;
  saidAt: number;
  /** By opening: whether the line ticked when that opening came last. */
  readonly opensWith: boolean[];
}

/**
 * Finds lines that have fallen silent though their front is connected: the vendor's library does not notice a silent
 * peer for minutes. Silence is no sign by itself (quiet instruments, breaks, nights, holidays), so a line is found
 *
 *   - when its ticks have flowed and break off for the time-out, and for much longer than they ever paused of late, at
 *     a moment that is no end of any session; outside trading hours only if another line goes on, or after a long flow;
 *   - when it stays silent after an opening at which it ticked the last time;
 *   - when it was found, has been opened again and does not even get the snapshots that follow a subscription.
 *
 * Pure: samples and clocks go in.
 */
export class SilenceWatch {
  /** How often to call sample(). */
  readonly periodMs: number;
  readonly #timeoutMs: number;
  readonly #lines: Line[] = [];
  #lastSample = NaN;
  #lastWall = NaN;

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
    this.periodMs = Math.min(longestPeriodMs, timeoutMs / looksPerTimeout);
  }

  /**
   * @param samples one per line, always in the same order
   * @param now ms on a clock that never steps back
   * @param wall ms since the epoch
   */
  sample(samples: readonly LineSample[], now: number, wall: number): Silence[] {
    const elapsed = now - this.#lastSample;
    // This process did not run: what it has not seen is no silence.
    const unseen = elapsed > 3 * this.periodMs + longestPeriodMs ? elapsed : 0;
    samples.forEach((sample, index) => {
      this.#lines[index] ??= newLine(sample, now);
      this.#lines[index].lastMoved += unseen;
      this.#look(this.#lines[index], sample, now);
    });
    const found = samples.flatMap((_, index) => {
      const line = this.#lines[index]!;
      const silentMs = now - line.lastMoved;
      if (!line.expecting || silentMs === 0) return [];
      const isSilent =
        this.#brokeOff(line, now, wall) ||
        this.#missedOpening(line, now, wall) ||
        this.#staysSilent(line, now, wall);
      if (!isSilent) return [];
      line.flowSince = NaN;
      line.said++;
      line.saidAt = now;
      return [{ line: index, silentMs }];
    });
    this.#learnOpenings(now, wall);
    this.#lastSample = now;
    this.#lastWall = wall;
    return found;
  }

  #look(line: Line, sample: LineSample, now: number): void {
    const moved = sample.written !== line.written;
    line.written = sample.written;
    if (sample.expecting !== line.expecting) {
      line.expecting = sample.expecting;
      line.expectingSince = now;
      line.flowSince = NaN;
      line.lastMoved = now;
      return;
    }
    if (!moved) return;
    if (Number.isNaN(line.flowSince)) {
      line.flowSince = line.gapsSince = now;
      line.recentGap = line.earlierGap = 0;
    } else {
      if (now - line.gapsSince > gapMemoryMs) {
        line.earlierGap = line.recentGap;
        line.recentGap = 0;
        line.gapsSince = now;
      }
      const gap = now - line.lastMoved;
      if (gap > 1.5 * this.periodMs) line.recentGap = Math.max(line.recentGap, gap);
    }
    line.lastMoved = now;
    line.said = 0;
  }

  /** Ends the line's flow when it has ended; true if it should not have. */
  #brokeOff(line: Line, now: number, wall: number): boolean {
    const silentMs = now - line.lastMoved;
    const limit = Math.max(this.#timeoutMs, toleratedGaps * Math.max(line.recentGap, line.earlierGap));
    if (silentMs < limit) return false;
    const flowedMs = line.lastMoved - line.flowSince;
    line.flowSince = NaN;
    if (!(flowedMs >= provenTimeouts * this.#timeoutMs) || pausesBetween(wall - silentMs, wall)) return false;
    const others = this.#lines.some((each) => each !== line && this.#flows(each, now));
    return others || flowedMs >= provenOutsideHoursMs || !isClosed(wall);
  }

  #flows(line: Line, now: number): boolean {
    const since = now - line.flowSince;
    return now - line.lastMoved < this.#timeoutMs && since >= provenTimeouts * this.#timeoutMs;
  }

  #missedOpening(line: Line, now: number, wall: number): boolean {
    return openings.some((opening, index) => {
      const due = this.#isDue(opening, wall);
      const sinceOpening = wall - lastOccurrence(opening, wall);
      return (
        due &&
        line.opensWith[index] === true &&
        now - line.lastMoved >= sinceOpening &&
        now - line.expectingSince >= sinceOpening
      );
    });
  }

  #staysSilent(line: Line, now: number, wall: number): boolean {
    if (line.said === 0 || line.lastMoved > line.expectingSince || isClosed(wall)) return false;
    const patienceMs = Math.min(longestPatienceMs, this.#timeoutMs * 2 ** line.said);
    return now - Math.max(line.expectingSince, line.saidAt) >= patienceMs;
  }

  /** After each opening: who has ticked since, and is expected to do so the next time. */
  #learnOpenings(now: number, wall: number): void {
    openings.forEach((opening, index) => {
      if (!this.#isDue(opening, wall)) return;
      const sinceOpening = wall - lastOccurrence(opening, wall);
      for (const line of this.#lines)
        if (line.expecting) line.opensWith[index] = now - line.lastMoved < sinceOpening;
    });
  }

  /** True at the one sample at which an opening's grace has just run out on a trading day. */
  #isDue(opening: number, wall: number): boolean {
    const end = lastOccurrence(opening, wall) + Math.max(openingGraceMs, 3 * this.#timeoutMs);
    return this.#lastWall < end && end <= wall && !isClosed(wall);
  }
}

function newLine({ written, expecting }: LineSample, now: number): Line {
  return {
    written,
    expecting,
    expectingSince: now,
    lastMoved: now,
    flowSince: NaN,
    recentGap: 0,
    earlierGap: 0,
    gapsSince: now,
    said: 0,
    saidAt: now,
    opensWith: openings.map(() => false),
  };
}
