import type { MarketHours } from '../../market/hours/marketHours.js';

/** Time-outs that a flow must have lasted before its own past judges it. */
export const provenTimeouts = 2;
/** Samples that it must have lasted as well. */
export const provenSamples = 20;
/** Least number of records, beyond one snapshot per instrument, for a younger line to flow. */
const leastTicks = 10;
/** Least number of samples with such records. */
const leastSamples = 4;
/** Records that must be missing, at the rate so far, for the end of such a flow. */
const expectedTicks = 50;
/** Records with which one time-out of silence is enough. */
const manyTicks = 100;
/** Time-outs of silence that are necessary with fewer records. */
const fewTicksTimeouts = 2;
/** Longest pauses that a silence must exceed in any case. */
const toleratedGaps = 10;
/** ms after the line's last tick from which ticks of its instruments on other lines count. */
const aheadMs = 2_000;
/** Samples with such ticks that prove a line silent. */
const elsewhereSamples = 5;
/** Time-outs after which a line without any record since its login, or with instruments that should tick, is silent. */
const silentTimeouts = 3;
/** Largest factor of patience: it doubles each time that a line was reopened in vain. */
const longestDoubts = 8;
const none: ReadonlySet<number> = new Set();

/** Facts about a line's instruments beyond its own ticks. Only asked while the line is silent. */
export interface LineEvidence {
  /** How many of them have ticked on any line since then, in ms since the epoch. */
  tickedSince(sinceMs: number): number;
  /** How many should be ticking in their session and are not (StaleWatch). */
  stale(): number;
  /** How many have ticked before and are in continuous trading now. */
  due(): number;
}

/** One line at one sample. */
export interface FirstFlowSample {
  /** Records ever written into its ring; may wrap. */
  readonly written: number;
  /** It is logged in and carries instruments. */
  readonly expecting: boolean;
  /** Changes with each login, of which two samples may see nothing else. Default 0. */
  readonly logins?: number;
  readonly instruments?: number;
  readonly evidence?: LineEvidence;
}

/** Moments are ms on the monotonic clock. */
interface Line {
  written: number;
  expecting: boolean;
  logins: number;
  instruments: number;
  /** Records since the login, and the snapshots among them: one for each instrument that was added. */
  ticks: number;
  snapshots: number;
  samples: number;
  first: number;
  last: number;
  longestGap: number;
  /** Samples since `last` in which its instruments ticked on other lines. */
  elsewhere: number;
  /** It was found, and neither has ticked nor was opened again since. */
  found: boolean;
  /** How often it was found since it last flowed for long. */
  doubts: number;
}

/**
 * Finds lines that fall silent before they have flowed for long enough to be judged by that, or that say nothing at all
 * after their login. What other lines and other times say of their instruments counts: a line is found
 *
 *   - when its ticks were many and end, during a session;
 *   - when its instruments tick on other lines and not on it, for much longer than it ever paused;
 *   - when instruments of it should be ticking in their session, and are not;
 *   - when its front was asked for instruments that have ticked before, and in their session has not even sent snapshots.
 *
 * Quiet instruments may do the same, so a line that was found and does not flow for long afterwards is given ever more time.
 * Pure: samples and clocks go in.
 */
export class FirstFlow {
  readonly #timeoutMs: number;
  readonly #hours: MarketHours;
  readonly #lines: Line[] = [];

  constructor(timeoutMs: number, hours: MarketHours) {
    this.#timeoutMs = timeoutMs;
    this.#hours = hours;
  }

  /**
   * Indices of the lines that are found now.
   *
   * @param samples one per line, always in the same order
   * @param unseenMs time before this sample in which this process did not run
   * @param now ms on a clock that never steps back
   * @param wall ms since the epoch
   */
  sample(
    samples: readonly FirstFlowSample[],
    unseenMs: number,
    periodMs: number,
    now: number,
    wall: number,
  ): ReadonlySet<number> {
    let found = none;
    samples.forEach((sample, index) => {
      const line = (this.#lines[index] ??= newLine(sample, now));
      line.last += unseenMs;
      this.#look(line, sample, periodMs, now, wall);
      if (!line.expecting || line.found || !this.#isSilent(line, sample, now, wall)) return;
      line.found = true;
      line.doubts = Math.min(longestDoubts, line.doubts + 1);
      found = new Set([...found, index]);
    });
    return found;
  }

  #look(line: Line, sample: FirstFlowSample, periodMs: number, now: number, wall: number): void {
    const { written, expecting, logins = 0, instruments = 1 } = sample;
    const came = (written - line.written) | 0;
    line.written = written;
    if (expecting !== line.expecting || logins !== line.logins)
      Object.assign(line, begun(expecting, logins, now));
    line.snapshots += Math.max(0, instruments - line.instruments);
    line.instruments = instruments;
    if (came !== 0) {
      const gap = now - line.last;
      if (line.samples > 0 && gap > 1.5 * periodMs) line.longestGap = Math.max(line.longestGap, gap);
      if (line.samples === 0) line.first = now;
      line.ticks += came;
      line.samples++;
      line.last = now;
      line.elsewhere = 0;
      line.found = false;
      if (this.#isProven(line)) line.doubts = 0;
    } else if (expecting && now - line.last >= aheadMs && sample.evidence !== undefined) {
      const sinceMs = Math.max(wall - periodMs, wall - (now - line.last) + aheadMs);
      if (sample.evidence.tickedSince(sinceMs) > 0) line.elsewhere++;
    }
  }

  #isProven({ first, last, samples }: Line): boolean {
    return last - first >= provenTimeouts * this.#timeoutMs && samples >= provenSamples;
  }

  #isSilent(line: Line, { evidence }: FirstFlowSample, now: number, wall: number): boolean {
    const silentMs = now - line.last;
    const timeoutMs = this.#timeoutMs * 2 ** line.doubts;
    if (silentMs < timeoutMs) return false;
    const outlastsPauses = silentMs >= toleratedGaps * line.longestGap;
    if (line.elsewhere >= elsewhereSamples && outlastsPauses) return !this.#hours.isClosed(wall);
    const brokeOff = this.#brokeOff(line, silentMs, timeoutMs);
    const asks = evidence !== undefined && silentMs >= silentTimeouts * timeoutMs;
    if (!brokeOff && !asks) return false;
    if (!outlastsPauses || this.#hours.isClosed(wall)) return false;
    if (line.samples === 0) return asks && isDue(evidence, this.#hours, wall, silentTimeouts * timeoutMs);
    if (this.#hours.pausesBetween(wall - silentMs, wall)) return false;
    return brokeOff || (asks && evidence.stale() > 0);
  }

  #brokeOff(line: Line, silentMs: number, timeoutMs: number): boolean {
    const ticks = line.ticks - line.snapshots;
    const flowedMs = line.last - line.first;
    if (ticks < leastTicks || line.samples < leastSamples || this.#isProven(line)) return false;
    if (ticks < manyTicks && silentMs < fewTicksTimeouts * timeoutMs) return false;
    return (ticks / flowedMs) * silentMs >= expectedTicks;
  }
}

/** Whether instruments of a line have been in continuous trading for so long, in ms, and may be missed. */
export function isDue(evidence: LineEvidence, hours: MarketHours, wall: number, leastMs: number): boolean {
  const opening = hours.lastOpening(wall);
  return (opening === undefined || wall - opening.at >= leastMs) && evidence.due() > 0;
}

function newLine({ written, expecting, logins = 0 }: FirstFlowSample, now: number): Line {
  return { written, doubts: 0, ...begun(expecting, logins, now) };
}

/** State that starts again with each login, and with the end of one. */
function begun(expecting: boolean, logins: number, now: number): Omit<Line, 'written' | 'doubts'> {
  return {
    expecting,
    logins,
    instruments: 0,
    ticks: 0,
    snapshots: 0,
    samples: 0,
    first: NaN,
    last: now,
    longestGap: 0,
    elsewhere: 0,
    found: false,
  };
}
