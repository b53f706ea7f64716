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
    // Those who pause keep their parts for a second.
    expect(taken(budget, accounts.slice(0, 2), 200)).toEqual([5, 5]);
    expect(taken(budget, accounts.slice(0, 2), 2000)).toEqual([10, 10]);
  });

  it('has a part for an address that comes when others have used all, and no more than there is from the next period on', () => {
    const budget = new ViewBudget(60);
    const [first, second, ...others] = Array.from({ length: 30 }, () => ({}));
    expect(taken(budget, [first!], 0)).toEqual([60]);
    expect(taken(budget, [second!], 50)).toEqual([30]);
    const all = [first!, second!, ...others];
    taken(budget, all, 100);
    expect(taken(budget, all, 200)).toEqual(all.map(() => 2));
  });
});
