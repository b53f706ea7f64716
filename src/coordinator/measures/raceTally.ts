/** Delays from 16 µs on fall into 16 buckets per power of two, so that a percentile is right to 1/32 of itself. */
const stepBits = 4;
const steps = 1 << stepBits;
/** Longer delays count as this one: 2^26 µs. */
const longestUs = 2 ** 26 - 1;
const buckets = (26 - stepBits + 1) * steps;

/** How a line did against the others of the same instruments; NaN where there is nothing to tell it by. */
export interface RaceFigures {
  /** Delay behind the first arrival of the same tick; a first arrival has 0. */
  readonly delayP50Ms: number;
  readonly delayP99Ms: number;
  /** Part of its ticks, 0–1, that no other line had earlier. */
  readonly firstShare: number;
  /** Part of the ticks, 0–1, that another line had and this one never. */
  readonly gapShare: number;
  /** Ticks that it delivered in a race. */
  readonly samples: number;
}

/**
 * Counts of one line over a sliding window of two halves.
 *
 *   counts [half · buckets + bucket]   delays, log-bucketed
 *   sums   [half · 3 + …]              ticks delivered, first arrivals, missed ticks
 */
export class RaceTally {
  readonly #counts = new Uint32Array(2 * buckets);
  readonly #sums = new Uint32Array(6);
  #half = 0;

  /** A tick that the line delivered so much later than the first; less than a µs is the first itself. */
  delivered(delayMs: number): void {
    const us = Math.max(0, Math.min(longestUs, Math.round(delayMs * 1000)));
    this.#counts[this.#half * buckets + bucketOf(us)]!++;
    this.#sums[3 * this.#half]!++;
    if (us === 0) this.#sums[3 * this.#half + 1]!++;
  }

  /** A tick that another line delivered and this one never. */
  missed(): void {
    this.#sums[3 * this.#half + 2]!++;
  }

  /** Begins a new half of the window, and drops the older one. */
  turn(): void {
    this.#half = 1 - this.#half;
    this.#counts.fill(0, this.#half * buckets, (this.#half + 1) * buckets);
    this.#sums.fill(0, 3 * this.#half, 3 * this.#half + 3);
  }

  figures(): RaceFigures {
    const sum = (kind: number): number => this.#sums[kind]! + this.#sums[3 + kind]!;
    const samples = sum(0);
    const missed = sum(2);
    return {
      delayP50Ms: this.#percentile(0.5, samples),
      delayP99Ms: this.#percentile(0.99, samples),
      firstShare: sum(1) / samples,
      gapShare: missed / (missed + samples),
      samples,
    };
  }

  #percentile(part: number, samples: number): number {
    if (samples === 0) return NaN;
    const rank = Math.ceil(part * samples);
    let below = 0;
    let bucket = -1;
    while (below < rank) {
      bucket++;
      below += this.#counts[bucket]! + this.#counts[buckets + bucket]!;
    }
    return middleUs(bucket) / 1000;
  }
}

function bucketOf(us: number): number {
  if (us < steps) return us;
  const exponent = 31 - Math.clz32(us);
  return ((exponent - stepBits) << stepBits) + (us >>> (exponent - stepBits));
}

function middleUs(bucket: number): number {
  if (bucket < 2 * steps) return bucket;
  const shift = (bucket >>> stepBits) - 1;
  return (steps + (bucket & (steps - 1)) + 0.5) * 2 ** shift;
}
