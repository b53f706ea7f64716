import type { MarketHours } from '../../market/hours/marketHours.js';
import { grown } from '../../base/growable.js';

/** A line is overdue when so many ticks of its instruments were due since its last one. */
const expectedTicks = 20;
/** A line is never overdue before this time, ms. */
const graceMs = 3_000;
/** A line is never overdue within so many of its longest recent pauses: quiet instruments tick in clusters. */
const toleratedGaps = 2;
const gapMemoryMs = 5 * 60_000;
/** Ticks count once a line has ticked in so many samples since its login: before, they may be mere snapshots. */
const provenMoments = 20;
/** ms over which rates of instruments are averaged. */
const rateTimeMs = 60_000;
/** Time without any tick of a line beyond this is a break, and says nothing of rates. */
const longestPauseMs = 60_000;
/** When samples are farther apart than this, the process did not run. */
const longestStepMs = 5_000;
const firstSlots = 1024;

/** One sample of a line. */
export interface LateSample {
  /** Index of the line. */
  readonly line: number;
  /** Ticks of the line so far; may wrap, only changes count. */
  readonly ticks: number;
  /** It is logged in and carries instruments. */
  readonly expecting: boolean;
  /** The slots of these. */
  readonly slots: () => Iterable<number>;
}

/** Moments are ms on the monotonic clock. */
interface Line {
  ticks: number;
  expecting: boolean;
  moved: boolean;
  /** Samples with ticks since it began to expect any. */
  moments: number;
  lastMoved: number;
  /** Ticks that were to be expected since then, and when they had become enough. */
  expected: number;
  due: number;
  /** The longest pause recently, and in the time before. */
  recentGap: number;
  earlierGap: number;
  gapsSince: number;
}

/**
 * Tells how long a line's next tick has been overdue, from the rates at which its instruments ticked recently on
 * whatever line. While no line of an instrument ticks, its rate stays as it was.
 *
 * It answers how well a line does, all the time; SilenceWatch answers when a line must be opened again. Both keep the
 * market's hours: at the end of a session, and outside of all, nothing is overdue.
 */
export class LateWatch {
  readonly #hours: MarketHours;
  readonly #lines = new Map<number, Line>();
  /** By slot: ticks so far, those at the last look, when that was, ticks per ms and line, lines that ticked now. */
  #ticks = new Uint32Array(firstSlots);
  #seen = new Uint32Array(firstSlots);
  #lookedAt = new Float64Array(firstSlots);
  #rates = new Float64Array(firstSlots);
  #copies = new Uint8Array(firstSlots);
  #lastSample = NaN;

  constructor(hours: MarketHours) {
    this.#hours = hours;
  }

  /** A tick has come; on the tick path. */
  tick(slot: number): void {
    this.#ticks[slot]!++;
  }

  /**
   * To be called about once a second.
   *
   * @param samples one per line there is
   * @param now ms on a clock that never steps back
   * @param wall ms since the epoch
   * @returns one per sample: ms for which the line's tick is overdue, 0 when none is, NaN when that cannot be told
   */
  sample(samples: readonly LateSample[], now: number, wall: number): number[] {
    const elapsed = now - this.#lastSample;
    this.#lastSample = now;
    if (elapsed > longestStepMs) this.#skip(elapsed);
    const stepMs = elapsed <= longestStepMs ? elapsed : 0;
    for (const { line } of samples) if (!this.#lines.has(line)) this.#lines.set(line, newLine(now));
    if (this.#lines.size > samples.length) this.#drop(samples);
    for (const sample of samples) this.#look(this.#lines.get(sample.line)!, sample, now);
    this.#learnRates(samples, now);
    return samples.map((sample) => this.#lateness(this.#lines.get(sample.line)!, sample, stepMs, now, wall));
  }

  #look(line: Line, { ticks, expecting }: LateSample, now: number): void {
    line.moved = ticks !== line.ticks;
    line.ticks = ticks;
    if (expecting !== line.expecting) Object.assign(line, newLine(now), { ticks, expecting });
    if (!line.moved || !expecting) return;
    const gap = now - line.lastMoved;
    if (line.moments > 0 && gap <= longestPauseMs * toleratedGaps)
      line.recentGap = Math.max(line.recentGap, gap);
    if (now - line.gapsSince > gapMemoryMs) {
      line.earlierGap = line.recentGap;
      line.recentGap = 0;
      line.gapsSince = now;
    }
    line.moments++;
    line.lastMoved = now;
    line.expected = 0;
    line.due = NaN;
  }

  /** Each line that ticked reports its instruments; of those with several such lines each has a copy of a tick. */
  #learnRates(samples: readonly LateSample[], now: number): void {
    const moving = samples.filter(({ line }) => this.#lines.get(line)!.moved);
    for (const { slots } of moving)
      for (const slot of slots()) {
        if (slot >= this.#ticks.length) this.#grow(slot);
        this.#copies[slot]!++;
      }
    for (const { line, slots } of moving) {
      const proven = this.#lines.get(line)!.moments >= provenMoments;
      for (const slot of slots()) {
        if (this.#copies[slot] === 0) continue;
        if (proven) this.#learnRate(slot, now);
        this.#seen[slot] = this.#ticks[slot]!;
        this.#lookedAt[slot] = now;
        this.#copies[slot] = 0;
      }
    }
  }

  #learnRate(slot: number, now: number): void {
    const ticks = (this.#ticks[slot]! - this.#seen[slot]!) >>> 0;
    const passedMs = Math.min(longestPauseMs, now - this.#lookedAt[slot]!);
    if (passedMs <= 0) return;
    const rate = ticks / this.#copies[slot]! / passedMs;
    this.#rates[slot]! += (1 - Math.exp(-passedMs / rateTimeMs)) * (rate - this.#rates[slot]!);
  }

  #lateness(line: Line, { slots }: LateSample, stepMs: number, now: number, wall: number): number {
    if (!line.expecting || line.moments < provenMoments) return NaN;
    const silentMs = now - line.lastMoved;
    if (silentMs === 0) return 0;
    if (this.#hours.isClosed(wall) || this.#hours.pausesBetween(wall - silentMs, wall)) return NaN;
    for (const slot of slots()) line.expected += (this.#rates[slot] ?? 0) * stepMs;
    if (line.expected >= expectedTicks && Number.isNaN(line.due)) line.due = now;
    const patienceMs = Math.max(graceMs, toleratedGaps * Math.max(line.recentGap, line.earlierGap));
    return Number.isNaN(line.due) ? 0 : Math.max(0, now - Math.max(line.due, line.lastMoved + patienceMs));
  }

  /** This process did not run: what it has not seen is no silence. */
  #skip(elapsed: number): void {
    for (const line of this.#lines.values()) line.lastMoved += elapsed;
    for (let slot = 0; slot < this.#lookedAt.length; slot++) this.#lookedAt[slot]! += elapsed;
  }

  #drop(samples: readonly LateSample[]): void {
    const present = new Set(samples.map(({ line }) => line));
    for (const line of this.#lines.keys()) if (!present.has(line)) this.#lines.delete(line);
  }

  #grow(slot: number): void {
    this.#ticks = grown(this.#ticks, slot + 1);
    this.#seen = grown(this.#seen, slot + 1);
    this.#lookedAt = grown(this.#lookedAt, slot + 1);
    this.#rates = grown(this.#rates, slot + 1);
    this.#copies = grown(this.#copies, slot + 1);
  }
}

function newLine(now: number): Line {
  return {
    ticks: 0,
    expecting: false,
    moved: false,
    moments: 0,
    lastMoved: now,
    expected: 0,
    due: NaN,
    recentGap: 0,
    earlierGap: 0,
    gapsSince: now,
  };
}
