import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TokenBucket } from '../../../src/server/fairness/tokenBucket.js';

describe('a token bucket', () => {
  it('lets a burst pass and then the steady rate', () => {
    const bucket = new TokenBucket(10, 5, 0);
    expect(Array.from({ length: 7 }, () => bucket.tryTake(1, 0))).toEqual([
      ...Array<boolean>(5).fill(true),
      false,
      false,
    ]);
    expect(bucket.tryTake(1, 99)).toBe(false);
    expect(bucket.tryTake(1, 100)).toBe(true);
    expect(bucket.tryTake(1, 199)).toBe(false);
  });

  it('says how long a debt lasts', () => {
    const bucket = new TokenBucket(50, 500, 0);
    bucket.charge(550, 0);
    expect(bucket.msInDebt(0)).toBeCloseTo(1000);
    expect(bucket.msInDebt(999)).toBeGreaterThan(0);
    expect(bucket.msInDebt(1001)).toBe(0);
  });

  it('is never fuller than its burst', () => {
    const bucket = new TokenBucket(1000, 10, 0);
    expect(bucket.isFull(0)).toBe(true);
    bucket.charge(1, 1_000_000);
    expect(bucket.isFull(1_000_000)).toBe(false);
    expect(bucket.isFull(1_000_001)).toBe(true);
  });

  it('lets no more pass in any time than burst and rate allow', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1000 }),
        fc.integer({ min: 1, max: 1000 }),
        fc.array(fc.tuple(fc.integer({ min: 0, max: 500 }), fc.integer({ min: 1, max: 50 })), {
          maxLength: 200,
        }),
        (rate, burst, requests) => {
          const bucket = new TokenBucket(rate, burst, 0);
          let now = 0;
          let taken = 0;
          for (const [waited, tokens] of requests) {
            now += waited;
            if (bucket.tryTake(tokens, now)) taken += tokens;
          }
          expect(taken).toBeLessThanOrEqual(burst + (rate * now) / 1000 + 1e-6);
        },
      ),
    );
  });
});
