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
  /** Rates that are tried; more only until one is found that does not hold. */
  readonly attempts: number;
  readonly p99LimitMs: number;
}

export interface Ceiling<Result extends Attempt> {
  /** Highest rate that held; 0 when none did. */
  readonly rate: number;
  /** Lowest rate that did not hold; the ceiling is somewhere between the two. Infinity when every one held. */
  readonly broken: number;
  readonly best: Result | undefined;
  readonly attempts: readonly { readonly rate: number; readonly result: Result }[];
}

const growth = 1.6;
/** A system that is overrun delivers less than is offered, long before its p99 says so in a short run. */
const leastShare = 0.97;
/** A rate has to fail so often: one moment in which the machine was busy elsewhere is no ceiling. */
const failuresToBreak = 2;
/** Rates that may be tried in all, as a multiple of those that are asked for. */
const patience = 3;

/**
 * Raises the rate until it is not held any more, then halves the interval between the highest rate that was held and
 * the lowest that was not (geometrically), as long as rates are left.
 */
export async function findCeiling<Result extends Attempt>(
  search: CeilingSearch,
  attempt: (rate: number) => Promise<Result>,
): Promise<Ceiling<Result>> {
  const attempts: { rate: number; result: Result }[] = [];
  const holds = ({ p99Ms, deliveredPerS, offeredPerS }: Result): boolean =>
    p99Ms <= search.p99LimitMs && deliveredPerS >= leastShare * offeredPerS;
  const firstThatHolds = async (rate: number): Promise<Result | undefined> => {
    for (let failures = 0; failures < failuresToBreak; failures++) {
      const result = await attempt(rate);
      attempts.push({ rate, result });
      if (holds(result)) return result;
    }
    return undefined;
  };
  let held = 0;
  let broken = Infinity;
  let best: Result | undefined;
  let rate = search.startRate;
  for (let tried = 0; tried < search.attempts || broken === Infinity; tried++) {
    if (tried === patience * search.attempts) break;
    const result = await firstThatHolds(Math.round(rate));
    if (result === undefined) {
      broken = rate;
    } else {
      held = rate;
      best = result;
    }
    if (broken === Infinity) rate = held * growth;
    else rate = held === 0 ? broken / growth : Math.sqrt(held * broken);
  }
  return { rate: Math.round(held), broken: Math.round(broken), best, attempts };
}
