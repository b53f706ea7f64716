/** What one try at an offered rate gave. */
export interface Attempt {
  readonly p99Ms: number;
  readonly deliveredPerS: number;
  /** Deliveries that were due. */
  readonly offeredPerS: number;
}

export interface CeilingSearch {
  /** Ticks per second of the first try. */
  readonly startRate: number;
  /** Tries at most. */
  readonly attempts: number;
  readonly p99LimitMs: number;
}

export interface Ceiling<Result extends Attempt> {
  /** Highest rate that held; 0 when none did. */
  readonly rate: number;
  readonly best: Result | undefined;
  readonly attempts: readonly { readonly rate: number; readonly result: Result }[];
}

const growth = 1.6;
/** A system that is overrun delivers less than is offered, long before its p99 says so in a short run. */
const leastShare = 0.97;

/**
 * Raises the rate until it is not held any more, then halves the interval between the highest rate that was held and
 * the lowest that was not (geometrically), as long as tries are left.
 */
export async function findCeiling<Result extends Attempt>(
  search: CeilingSearch,
  attempt: (rate: number) => Promise<Result>,
): Promise<Ceiling<Result>> {
  const attempts: { rate: number; result: Result }[] = [];
  let held = 0;
  let broken = Infinity;
  let best: Result | undefined;
  let rate = search.startRate;
  while (attempts.length < search.attempts) {
    const result = await attempt(Math.round(rate));
    attempts.push({ rate: Math.round(rate), result });
    const holds =
      result.p99Ms <= search.p99LimitMs && result.deliveredPerS >= leastShare * result.offeredPerS;
    if (holds) {
      held = rate;
      best = result;
    } else {
      broken = rate;
    }
    if (broken === Infinity) rate = held * growth;
    else rate = held === 0 ? broken / growth : Math.sqrt(held * broken);
  }
  return { rate: Math.round(held), best, attempts };
}
