import { agree, type Spread } from '../figures/spread.js';

/** What a comparison needs of a stored or a fresh result. */
export interface Compared {
  readonly scenario: string;
  readonly ratio?: number | undefined;
  readonly ratio_spread?: Spread | undefined;
  readonly ratio_of?: string | undefined;
}

/** A ratio may be so much lower than the stored one before it counts. */
const toleratedShare = 0.85;

/**
 * What is worse than before, a line each. Ratios alone are compared, since absolute figures are the machine's: one is
 * worse when it is lower by more than the tolerance and its spread does not reach into the stored one's.
 */
export function regressions(before: readonly Compared[], now: readonly Compared[]): string[] {
  return now.flatMap((fresh) => {
    const stored = before.find(({ scenario }) => scenario === fresh.scenario);
    if (stored?.ratio === undefined || fresh.ratio === undefined) return [];
    if (stored.ratio_of !== fresh.ratio_of) return [];
    if (fresh.ratio >= toleratedShare * stored.ratio) return [];
    const [was, is] = [stored.ratio_spread, fresh.ratio_spread];
    if (was !== undefined && is !== undefined && agree(was, is)) return [];
    return [
      `${fresh.scenario}: the ratio fell from ${stored.ratio.toFixed(3)} to ${fresh.ratio.toFixed(3)}, ` +
        `to less than ${toleratedShare * 100} % of what it was`,
    ];
  });
}
