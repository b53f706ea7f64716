import { describe, expect, it } from 'vitest';
import { ViewBudget } from '../../../src/server/fairness/viewBudget.js';

/** How many encodings of 1 ms the accounts get in one period, asking in turns. */
function taken(budget: ViewBudget, accounts: readonly object[], atMs: number): number[] {
  budget.advance(atMs);
  const counts = accounts.map(() => 0);
  for (let round = 0; round < 200; round++)
    for (const [index, account] of accounts.entries()) if (budget.take(account, 1)) counts[index]!++;
  return counts;
}

describe('the budget for views of clients', () => {
  it('gives one address all of it in each period', () => {
    const budget = new ViewBudget(25);
    const account = {};
    expect(taken(budget, [account], 0)).toEqual([25]);
    expect(taken(budget, [account], 50)).toEqual([0]);
    expect(taken(budget, [account], 100)).toEqual([25]);
    expect(taken(budget, [account], 1000)).toEqual([25]);
  });

  it('divides it among the addresses that ask, from the period after on exactly', () => {
    const budget = new ViewBudget(20);
    const accounts = [{}, {}, {}, {}];
    taken(budget, accounts, 0);
    expect(taken(budget, accounts, 100)).toEqual([5, 5, 5, 5]);
    expect(taken(budget, accounts.slice(0, 2), 200)).toEqual([5, 5]);
    expect(taken(budget, accounts.slice(0, 2), 300)).toEqual([10, 10]);
  });

  it('never gives more than there is, however many addresses are new', () => {
    const budget = new ViewBudget(10);
    const counts = taken(
      budget,
      Array.from({ length: 50 }, () => ({})),
      0,
    );
    expect(counts.reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(10);
  });
});
