/** A figure of several runs: its median, and the least and the greatest of them. */
export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
  readonly runs: number;
}

/** Throws a RangeError on no values: there is no figure without a run. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (place: number): number => sorted[Math.min(sorted.length - 1, Math.max(0, place))]!;
  if (sorted.length === 0) throw new RangeError('a spread needs at least one run');
  const half = sorted.length / 2;
  const median = sorted.length % 2 === 1 ? at(Math.floor(half)) : (at(half - 1) + at(half)) / 2;
  return { median, least: at(0), most: at(sorted.length - 1), runs: sorted.length };
}

/** The run whose value is the middle one; of two middle ones the smaller. */
export function middleRun<Run>(runs: readonly Run[], valueOf: (run: Run) => number): Run {
  const sorted = [...runs].sort((a, b) => valueOf(a) - valueOf(b));
  const middle = sorted[Math.floor((sorted.length - 1) / 2)];
  if (middle === undefined) throw new RangeError('there is no middle of no runs');
  return middle;
}

/** Ratio of two figures that were measured in turn, A B A B …: each pair gives one ratio. */
export function pairedRatio(above: readonly number[], below: readonly number[]): Spread {
  return spreadOf(above.slice(0, below.length).map((value, run) => value / below[run]!));
}

/** A figure that lies between two, such as a ceiling between a rate that held and one that did not. */
export interface Between {
  readonly least: number;
  readonly most: number;
}

/** The same where the figures are only known to lie between two: the spread is as wide as they allow. */
export function pairedRatioBetween(above: readonly Between[], below: readonly Between[]): Spread {
  const pairs = above.slice(0, below.length).map((figure, run) => ({ figure, other: below[run]! }));
  return {
    ...spreadOf(pairs.map(({ figure, other }) => figure.least / other.least)),
    least: Math.min(...pairs.map(({ figure, other }) => figure.least / other.most)),
    most: Math.max(...pairs.map(({ figure, other }) => figure.most / other.least)),
  };
}

/** Whether two spreads of the same figure overlap: the difference is then within what runs vary by. */
export function agree(one: Spread, other: Spread): boolean {
  return one.least <= other.most && other.least <= one.most;
}
