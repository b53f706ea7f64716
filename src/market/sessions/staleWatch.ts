import type { SessionSchedule } from '../hours/sessionSchedule.js';
import { grown } from '../../base/growable.js';

/** Usual pauses for which an instrument must have been silent to be stale. */
const toleratedPauses = 10;
/** Longest pauses of this session and the one before for which it must have been silent. */
const toleratedLongest = 2;
/** ms for which it must have been silent at least. */
const leastSilenceMs = 30_000;
/** Pauses are judged by once so many ticks have been seen in this session and in the one before. */
const provenTicks = 10;
/** The usual pause is an average in which a new one counts this much. */
const newPauseShare = 1 / 8;
/** When samples are farther apart than this, the process did not run: what it has not seen is no silence. */
const longestStepMs = 5_000;
const firstSlots = 1024;
const notOpen = -1;
const unseen = -1;

/** Instruments to be checked. Slots are small integers. */
export interface StaleSample {
  /** The instruments that are subscribed. */
  readonly slots: Iterable<number>;
  /** How many ticks of the instrument have been accepted; only changes count. */
  readonly version: (slot: number) => number;
  readonly scheduleOf: (slot: number) => SessionSchedule;
}

/**
 * Tells which instruments should be ticking and are not: their product is in continuous trading, they ticked in this
 * session or in the one before, and are silent for much longer than they usually were. Quiet instruments are given the
 * more time, and those that were silent for a whole session are expected no more: contracts expire.
 *
 * It judges instruments whatever line they are on; SilenceWatch judges lines. Pure: samples and clocks go in.
 */
export class StaleWatch {
  /** By slot. Moments are ms on the monotonic clock. */
  #versions = new Float64Array(firstSlots).fill(unseen);
  /** When it last ticked, was first seen, or its session began, whichever is latest. */
  #quietSince = new Float64Array(firstSlots);
  #usualPauses = new Float64Array(firstSlots);
  /** Of this session, and of the one before. */
  #longest = new Float64Array(firstSlots);
  #longestBefore = new Float64Array(firstSlots);
  #ticks = new Uint32Array(firstSlots);
  #ticksBefore = new Uint32Array(firstSlots);
  /** Begin of the session that these are of, ms since the epoch. */
  #sessions = new Float64Array(firstSlots).fill(notOpen);
  /** The number of the sample in which it was last looked at: who is subscribed again start again. */
  #lookedAt = new Uint32Array(firstSlots);
  #stale = new Set<number>();
  #lastSample = NaN;
  #samples = 0;

  /** The instruments that were stale at the last sample. */
  get stale(): ReadonlySet<number> {
    return this.#stale;
  }

  /**
   * To be called about once a second.
   *
   * @param now ms on a clock that never steps back
   * @param wall ms since the epoch
   */
  sample({ slots, version, scheduleOf }: StaleSample, now: number, wall: number): void {
    const elapsed = now - this.#lastSample;
    const missedMs = elapsed > longestStepMs ? elapsed : 0;
    this.#lastSample = now;
    this.#samples++;
    this.#stale.clear();
    // Few schedules serve all instruments.
    const openings = new Map<SessionSchedule, number>();
    for (const slot of slots) {
      const schedule = scheduleOf(slot);
      let session = openings.get(schedule);
      if (session === undefined) openings.set(schedule, (session = sessionAt(schedule, wall)));
      if (slot >= this.#versions.length) this.#grow(slot);
      this.#look(slot, version(slot), session, missedMs, now, wall);
    }
  }

  /** For how long the instrument has been silent in this session, in ms. */
  silentMs(slot: number, now: number): number {
    return Math.max(0, now - (this.#quietSince[slot] ?? now));
  }

  #look(slot: number, version: number, session: number, missedMs: number, now: number, wall: number): void {
    if (this.#lookedAt[slot] !== this.#samples - 1) this.#begin(slot, version, now);
    this.#lookedAt[slot] = this.#samples;
    const ticks = version - this.#versions[slot]!;
    this.#versions[slot] = version;
    if (session === notOpen) return;
    this.#quietSince[slot]! += missedMs;
    if (this.#sessions[slot] !== session) this.#beginSession(slot, session, now, wall);
    if (ticks > 0) this.#ticked(slot, ticks, now);
    else if (this.#isStale(slot, now)) this.#stale.add(slot);
  }

  #begin(slot: number, version: number, now: number): void {
    this.#versions[slot] = version;
    this.#quietSince[slot] = now;
    this.#usualPauses[slot] = this.#longest[slot] = this.#longestBefore[slot] = 0;
    this.#ticks[slot] = this.#ticksBefore[slot] = 0;
    this.#sessions[slot] = notOpen;
  }

  #beginSession(slot: number, session: number, now: number, wall: number): void {
    this.#sessions[slot] = session;
    this.#ticksBefore[slot] = this.#ticks[slot]!;
    this.#longestBefore[slot] = this.#longest[slot]!;
    this.#ticks[slot] = this.#longest[slot] = 0;
    this.#quietSince[slot] = Math.max(this.#quietSince[slot]!, now - Math.max(0, wall - session));
  }

  #ticked(slot: number, ticks: number, now: number): void {
    const silence = now - this.#quietSince[slot]!;
    const pause = silence / ticks;
    const usual = this.#usualPauses[slot]!;
    this.#usualPauses[slot] = usual === 0 ? pause : usual + newPauseShare * (pause - usual);
    this.#longest[slot] = Math.max(this.#longest[slot]!, silence);
    this.#ticks[slot]! += ticks;
    this.#quietSince[slot] = now;
  }

  #isStale(slot: number, now: number): boolean {
    if (this.#ticks[slot]! + this.#ticksBefore[slot]! < provenTicks) return false;
    const longest = Math.max(this.#longest[slot]!, this.#longestBefore[slot]!);
    const tolerated = Math.max(toleratedPauses * this.#usualPauses[slot]!, toleratedLongest * longest);
    return this.silentMs(slot, now) > Math.max(leastSilenceMs, tolerated);
  }

  #grow(slot: number): void {
    this.#versions = grown(this.#versions, slot + 1);
    this.#quietSince = grown(this.#quietSince, slot + 1);
    this.#usualPauses = grown(this.#usualPauses, slot + 1);
    this.#longest = grown(this.#longest, slot + 1);
    this.#longestBefore = grown(this.#longestBefore, slot + 1);
    this.#ticks = grown(this.#ticks, slot + 1);
    this.#ticksBefore = grown(this.#ticksBefore, slot + 1);
    this.#sessions = grown(this.#sessions, slot + 1);
    this.#lookedAt = grown(this.#lookedAt, slot + 1);
  }
}

/** Begin of the session of continuous trading at an instant, 0 where it never began; notOpen where there is none. */
function sessionAt(schedule: SessionSchedule, wall: number): number {
  const { state, since } = schedule.moment(wall);
  return state === 'trading' || state === 'night' ? (since ?? 0) : notOpen;
}
