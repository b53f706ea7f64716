/** Half-life of an event's weight, ms. */
const halfLifeMs = 5 * 60_000;
/** ms without a new measurement after which an old one loses weight too. */
const freshMs = 60_000;
/** ms in which a measured state moves half of the way to its newest observation. */
const smoothingHalfLifeMs = 15_000;
/** Largest part of that way in one step: one bad sample must not swing the score. */
const largestStep = 0.3;
/** Penalties below it do not show in a whole number. */
const smallestPoints = 0.5;
/** Larger observations count as this: they cost the same, and stay finite. */
const largestObservation = 1e9;

export type QualityEvent = 'disconnect' | 'login_failure' | 'refusal';

/** Measurements of a line; NaN where unknown. */
export interface LineFacts {
  /** Median delay behind the fastest line of the same instruments. */
  readonly delayMs: number;
  /** Part of the ticks, 0–1, that another line had and this one never. */
  readonly gapShare: number;
  /** Age of the last tick beyond the moment by which one was to be expected; 0 when nothing is amiss. */
  readonly lateMs: number;
}

interface EventPenalty {
  readonly event: QualityEvent;
  /** Points for one, and for any number. */
  readonly points: number;
  readonly most: number;
  readonly text: (count: number) => string;
}

interface StatePenalty {
  readonly fact: keyof LineFacts;
  /** Points that no observation reaches. */
  readonly most: number;
  /** The observation that costs half of them. */
  readonly half: number;
  readonly text: (value: number) => string;
}

const eventPenalties: readonly EventPenalty[] = [
  { event: 'disconnect', points: 15, most: 90, text: (count) => counted(count, 'disconnect') },
  { event: 'login_failure', points: 25, most: 90, text: (count) => counted(count, 'login failure') },
  { event: 'refusal', points: 1, most: 40, text: (count) => counted(count, 'refusal') },
];
const statePenalties: readonly StatePenalty[] = [
  { fact: 'delayMs', most: 40, half: 65, text: (value) => `${duration(value)} behind` },
  { fact: 'gapShare', most: 70, half: 0.05, text: (value) => `${rounded(100 * value)} % of ticks missed` },
  { fact: 'lateMs', most: 80, half: 15_000, text: (value) => `last tick ${duration(value)} overdue` },
];

/** A value that fades from some time after it was set. */
class Fading {
  /** Events that the value stands for. */
  count = 0;
  #value = 0;
  #atMs = -Infinity;
  readonly #holdMs: number;

  /** @param holdMs time for which it stays as it was set */
  constructor(holdMs: number) {
    this.#holdMs = holdMs;
  }

  at(nowMs: number): number {
    return this.#value === 0
      ? 0
      : this.#value * 0.5 ** (Math.max(0, this.age(nowMs) - this.#holdMs) / halfLifeMs);
  }

  set(value: number, nowMs: number): void {
    this.#value = value;
    this.#atMs = nowMs;
  }

  /** Time since the last set(); Infinity before the first. */
  age(nowMs: number): number {
    return Math.max(0, nowMs - this.#atMs);
  }
}

/**
 * A connection's score, 0–100: 100 less the penalties for what went wrong and for what is measured.
 *
 * An event costs points at once, which halve every five minutes. A measured state x costs most · x / (x + half), so
 * that small differences count where lines are alike and no single fact decides everything; it follows the newest
 * observation with a lag, and fades like an event when it is no longer measured.
 */
export class Quality {
  readonly #events = eventPenalties.map(() => new Fading(0));
  /** Smoothed x / (x + half) of each measured state, 0–1. */
  readonly #states = statePenalties.map(() => new Fading(freshMs));

  record(event: QualityEvent, nowMs: number): void {
    const kind = eventPenalties.findIndex((each) => each.event === event);
    const fading = this.#events[kind]!;
    const { points, most } = eventPenalties[kind]!;
    const before = fading.at(nowMs);
    fading.count = before < smallestPoints ? 1 : fading.count + 1;
    fading.set(Math.min(most, before + points), nowMs);
  }

  /** To be called every few seconds; what is NaN is left as it was. */
  observe(facts: LineFacts, nowMs: number): void {
    statePenalties.forEach(({ fact, half }, kind) => {
      const value = Math.min(Math.max(0, facts[fact]), largestObservation);
      if (Number.isNaN(value)) return;
      const fading = this.#states[kind]!;
      const before = fading.at(nowMs);
      const step = Math.min(largestStep, 1 - 0.5 ** (fading.age(nowMs) / smoothingHalfLifeMs));
      fading.set(before + step * (value / (value + half) - before), nowMs);
    });
  }

  /** An integer, 0–100. */
  score(nowMs: number): number {
    let lost = 0;
    eventPenalties.forEach((_, kind) => (lost += this.#events[kind]!.at(nowMs)));
    statePenalties.forEach(({ most }, kind) => (lost += most * this.#states[kind]!.at(nowMs)));
    return Math.round(Math.max(0, 100 - lost));
  }

  /** Reasons for the missing points, the worst first, such as `2 disconnects −22, 35 ms behind −14`; empty at 100. */
  why(nowMs: number): string {
    if (this.score(nowMs) === 100) return '';
    const ofEvents = eventPenalties.map(({ text }, kind) => {
      const fading = this.#events[kind]!;
      return { points: fading.at(nowMs), text: text(fading.count) };
    });
    const ofStates = statePenalties.map(({ most, half, text }, kind) => {
      const part = this.#states[kind]!.at(nowMs);
      return { points: most * part, text: text((half * part) / (1 - part)) };
    });
    return [...ofEvents, ...ofStates]
      .sort((a, b) => b.points - a.points)
      .filter(({ points }, index) => index === 0 || points >= smallestPoints)
      .map(({ points, text }) => `${text} −${Math.max(1, Math.round(points))}`)
      .join(', ');
  }
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

function duration(ms: number): string {
  return ms < 1000 ? `${rounded(ms)} ms` : `${rounded(ms / 1000)} s`;
}

/** Whole from 10 on, with two digits below. */
function rounded(value: number): string {
  return value < 9.95 ? String(Number(value.toPrecision(2))) : String(Math.round(value));
}
