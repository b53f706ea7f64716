import fc from 'fast-check';

/** What a stream went through, and what must be found. */
export interface FaultyStream {
  readonly arrivals: readonly number[];
  readonly lost: number;
  readonly duplicated: number;
  readonly reordered: number;
  readonly stale: number;
  /** Number of the last tick that was sent. */
  readonly last: number;
}

const base = 1_000;

/**
 * A stream of consecutive numbers with known faults: numbers skipped, repeated, held back until after a later one,
 * and some from before the stream began. The first number is always whole, since it is the base.
 */
export const faultyStream: fc.Arbitrary<FaultyStream> = fc
  .array(fc.constantFrom('fine', 'fine', 'fine', 'lost', 'twice', 'held', 'old'), { maxLength: 60 })
  .map((faults) => {
    const arrivals = [base];
    const held: number[] = [];
    const found = { lost: 0, duplicated: 0, reordered: 0, stale: 0 };
    let next = base + 1;
    for (const fault of faults) {
      if (fault === 'old') {
        arrivals.push(base - 1 - found.stale);
        found.stale++;
        continue;
      }
      const sequence = next++;
      if (fault === 'lost') found.lost++;
      else if (fault === 'held') held.push(sequence);
      else arrivals.push(sequence);
      if (fault !== 'twice') continue;
      arrivals.push(sequence);
      found.duplicated++;
    }
    // A whole one at the end, so that the held ones are late and the lost ones lie between.
    arrivals.push(next);
    for (const sequence of held) arrivals.push(sequence);
    found.reordered = held.length;
    return { arrivals, ...found, last: next };
  });
