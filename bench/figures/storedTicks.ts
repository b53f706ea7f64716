/** What a store has of the ticks that it was to keep. */
export interface StoredTicks {
  readonly stored: number;
  /** Numbers that are not there though a later one is. */
  readonly missing: number;
  readonly duplicated: number;
  /** Stored behind a later one of its instrument. */
  readonly reordered: number;
}

/**
 * Checks the numbers of each instrument's ticks, in the order in which they are stored. A front numbers them one by one;
 * the first that is stored may have any number.
 */
export function checkStored(instruments: Iterable<readonly number[]>): StoredTicks {
  let stored = 0;
  let missing = 0;
  let duplicated = 0;
  let reordered = 0;
  for (const numbers of instruments) {
    const seen = new Set<number>();
    let newest = -Infinity;
    for (const number of numbers) {
      if (seen.has(number)) duplicated++;
      else if (number < newest) reordered++;
      seen.add(number);
      newest = Math.max(newest, number);
    }
    stored += numbers.length;
    if (seen.size > 0) missing += newest - Math.min(...numbers) + 1 - seen.size;
  }
  return { stored, missing, duplicated, reordered };
}
