import type { MarketHours } from '../../market/hours/marketHours.js';
import { FirstFlow, isDue, provenSamples, provenTimeouts, type LineEvidence } from './firstFlow.js';
import { OpeningWatch, type OpeningSample } from './openingWatch.js';

/** Looks per time-out: how late a silence may be found. */
const looksPerTimeout = 8;
const longestPeriodMs = 1_000;
/** A flow counts outside trading hours, with no other line flowing, once it has lasted this long: settlement prices come in shorter bursts. */
const provenOutsideHoursMs = 10 * 60_000;
/** Longest recent pauses for which a line of quiet instruments may be silent. */
const toleratedGaps = 10;
/** ms for which pauses are remembered: a single pause says nothing of the next one. */
const gapMemoryMs = 5 * 60_000;
/** ms after which a line that was reopened and is still silent is reported again at the latest; the interval doubles. */
const longestPatienceMs = 5 * 60_000;
/** The same latest time, ms, while no other line ticks either. */
const lonePatienceMs = 3_600_000;

/** One sample of a line. */
export interface LineSample {
  /** Records ever written into its ring; may wrap, only changes count. */
  readonly written: number;
  /** It is logged in and carries instruments. */
  readonly expecting: boolean;
  /** Changes with each login: one that took less than a sample's time shows in nothing else. Default 0. */
  readonly logins?: number;
  /** How many it carries: one that has lost half of them or more is no longer the line that it was. */
  readonly instruments?: number;
  readonly evidence?: LineEvidence;
}

export interface Silence {
  /** Index of the line. */
  readonly line: number;
  readonly silentMs: number;
}

/** Moments are ms on the monotonic clock. */
interface Line {
  written: number;
  moved: boolean;
  expecting: boolean;
  logins: number;
  expectingSince: number;
  lastMoved: number;
  instruments: number;
  /** Start of the present flow; NaN while there is none. */
  flowSince: number;
  /** Samples with ticks in it, and the most instruments. */
  flowSamples: number;
  flowInstruments: number;
  /** The longest pause within the present flow: recently, and in the time before; and what `recently` is. */
  recentGap: number;
  earlierGap: number;
  gapsSince: number;
  gapSamples: number;
  /** How often it was said to be silent since its last tick. */
  said: number;
  saidAt: number;
}

/**
 * Finds lines that have fallen silent though their front is connected: the vendor's library does not notice a silent
 * peer for minutes. Silence is no sign by itself (quiet instruments, breaks, nights, holidays), so a line is found
 *
 *   - when its ticks have flowed and break off for the time-out, and for much longer than they ever paused recently, at
 *     a moment that is no end of any session; outside trading hours only if another line continues, or after a long flow;
 *   - when it has not flowed for long enough to be judged by that, and others tell that it should, see FirstFlow;
 *   - when it misses an opening at which it ticks day by day, see OpeningWatch;
 *   - when it was found, has been opened again and does not even get the snapshots that follow a subscription,
 *     while its instruments trade.
 *
 * Where the market is always open no moment is the end of a session, and there are no openings.
 *
 * Pure: samples and clocks go in.
 */
export class SilenceWatch {
  /** How often to call sample(). */
  readonly periodMs: number;
  readonly #timeoutMs: number;
  readonly #hours: MarketHours;
  readonly #openings: OpeningWatch;
  readonly #firstFlows: FirstFlow;
  readonly #lines: Line[] = [];
  #lastSample = NaN;

  constructor(timeoutMs: number, hours: MarketHours) {
    this.#timeoutMs = timeoutMs;
    this.#hours = hours;
    this.#openings = new OpeningWatch(timeoutMs, hours);
    this.#firstFlows = new FirstFlow(timeoutMs, hours);
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
    this.#lastSample = now;
    const early = this.#firstFlows.sample(samples, unseen, this.periodMs, now, wall);
    const missing = this.#openings.sample(this.#lines.map(atOpening), now, wall);
    return this.#lines.flatMap((line, index) => {
      const silentMs = now - line.lastMoved;
      if (!line.expecting || silentMs === 0) return [];
      const isSilent =
        this.#brokeOff(line, now, wall) ||
        early.has(index) ||
        missing.has(index) ||
        this.#staysSilent(line, samples[index]!, now, wall);
      if (!isSilent) return [];
      line.flowSince = NaN;
      line.said++;
      line.saidAt = now;
      return [{ line: index, silentMs }];
    });
  }

  #look(line: Line, sample: LineSample, now: number): void {
    line.moved = sample.written !== line.written;
    line.written = sample.written;
    line.instruments = sample.instruments ?? 1;
    const { expecting, logins = 0 } = sample;
    if (expecting !== line.expecting || logins !== line.logins) {
      line.expecting = expecting;
      line.logins = logins;
      line.expectingSince = now;
      line.flowSince = NaN;
      line.lastMoved = now;
      // The snapshots of a line that has just been opened again are there already.
      if (line.moved && line.expecting) line.said = 0;
      return;
    }
    if (line.instruments <= line.flowInstruments / 2) line.flowSince = NaN;
    if (line.moved) this.#flow(line, now);
  }

  #flow(line: Line, now: number): void {
    if (Number.isNaN(line.flowSince)) {
      line.flowSince = line.gapsSince = now;
      line.flowSamples = line.gapSamples = line.flowInstruments = 0;
      line.recentGap = line.earlierGap = 0;
    } else {
      if (now - line.gapsSince > gapMemoryMs && line.gapSamples >= provenSamples) {
        line.earlierGap = line.recentGap;
        line.recentGap = line.gapSamples = 0;
        line.gapsSince = now;
      }
      const gap = now - line.lastMoved;
      if (gap > 1.5 * this.periodMs) line.recentGap = Math.max(line.recentGap, gap);
    }
    line.flowSamples++;
    line.gapSamples++;
    line.flowInstruments = Math.max(line.flowInstruments, line.instruments);
    line.lastMoved = now;
    line.said = 0;
  }

  /** Ends the line's flow when it has ended; true if it should not have. */
  #brokeOff(line: Line, now: number, wall: number): boolean {
    const silentMs = now - line.lastMoved;
    const limit = Math.max(this.#timeoutMs, toleratedGaps * Math.max(line.recentGap, line.earlierGap));
    if (silentMs < limit) return false;
    const flowedMs = line.lastMoved - line.flowSince;
    const proven = flowedMs >= provenTimeouts * this.#timeoutMs && line.flowSamples >= provenSamples;
    line.flowSince = NaN;
    if (!proven || this.#hours.pausesBetween(wall - silentMs, wall)) return false;
    return this.#othersFlow(line, now) || flowedMs >= provenOutsideHoursMs || !this.#hours.isClosed(wall);
  }

  #othersFlow(line: Line, now: number): boolean {
    return this.#lines.some((each) => each !== line && this.#flows(each, now));
  }

  #flows(line: Line, now: number): boolean {
    const since = now - line.flowSince;
    return now - line.lastMoved < this.#timeoutMs && since >= provenTimeouts * this.#timeoutMs;
  }

  #staysSilent(line: Line, { evidence }: LineSample, now: number, wall: number): boolean {
    if (line.said === 0 || line.lastMoved > line.expectingSince || this.#hours.isClosed(wall)) return false;
    const longestMs = this.#othersFlow(line, now) ? longestPatienceMs : lonePatienceMs;
    const patienceMs = Math.min(longestMs, this.#timeoutMs * 2 ** line.said);
    if (now - Math.max(line.expectingSince, line.saidAt) < patienceMs) return false;
    return evidence === undefined || isDue(evidence, this.#hours, wall, this.#timeoutMs);
  }
}

/** A line that was found already is not to be found once more for the same opening. */
function atOpening({ moved, lastMoved, expecting, expectingSince, said, instruments }: Line): OpeningSample {
  return { moved, lastMoved, instruments, expectingSince: expecting && said === 0 ? expectingSince : NaN };
}

function newLine({ written, expecting, logins = 0 }: LineSample, now: number): Line {
  return {
    written,
    moved: false,
    expecting,
    logins,
    expectingSince: now,
    lastMoved: now,
    instruments: 0,
    flowSince: NaN,
    flowSamples: 0,
    flowInstruments: 0,
    recentGap: 0,
    earlierGap: 0,
    gapsSince: now,
    gapSamples: 0,
    said: 0,
    saidAt: now,
  };
}
