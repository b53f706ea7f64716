import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hashOf, pickConnection, type Candidate } from '../../src/coordinator/assignment/strategies.js';
import { type Strategy } from '../../src/config/gatewayConfig.js';
import { strategies } from '../../src/config/options.js';

type Loaded = { -readonly [Key in keyof Candidate]: Candidate[Key] } & { readonly index: number };

function candidate(index: number, part: Partial<Candidate> = {}): Loaded {
  return {
    index,
    hash: hashOf(`c${index}`),
    load: 0,
    limit: 500,
    priority: 5,
    score: 100,
    chosenAt: 0,
    ...part,
  };
}

const all = (): boolean => true;

/** Assigns instruments one after the other; the connection of each, or undefined. */
function assign(strategy: Strategy, candidates: readonly Loaded[], count: number): (Loaded | undefined)[] {
  return Array.from({ length: count }, (_, i) => {
    const chosen = pickConnection(strategy, hashOf(`SHFE.i${i}`), candidates, all);
    if (chosen !== undefined) {
      chosen.load++;
      chosen.chosenAt = i + 1;
    }
    return chosen;
  });
}

const connections = fc.array(
  fc.record({
    limit: fc.nat(60),
    priority: fc.integer({ min: 1, max: 3 }),
    score: fc.nat(100),
  }),
  { minLength: 1, maxLength: 8 },
);

describe('pickConnection', () => {
  it.each(strategies)('%s spreads over equal connections', (strategy) => {
    const candidates = [0, 1, 2, 3].map((index) => candidate(index));
    assign(strategy, candidates, 1000);
    for (const { load } of candidates) expect(load).toBeGreaterThan(150);
    expect(candidates.reduce((sum, { load }) => sum + load, 0)).toBe(1000);
  });

  it.each(strategies)(
    '%s fills an earlier priority before a later one and never passes a limit',
    (strategy) => {
      fc.assert(
        fc.property(connections, fc.nat(200), (parts, count) => {
          const candidates = parts.map((part, index) => candidate(index, part));
          const chosen = assign(strategy, candidates, count);
          const room = parts.reduce((sum, { limit }) => sum + limit, 0);
          expect(chosen.filter((each) => each !== undefined)).toHaveLength(Math.min(count, room));
          for (const each of candidates) {
            expect(each.load).toBeLessThanOrEqual(each.limit);
            const earlier = candidates.filter(({ priority }) => priority < each.priority);
            if (each.load > 0) for (const { load, limit } of earlier) expect(load).toBe(limit);
          }
        }),
      );
    },
  );

  it.each(strategies)('%s takes only what is allowed', (strategy) => {
    fc.assert(
      fc.property(connections, fc.nat(7), (parts, forbidden) => {
        const candidates = parts.map((part, index) => candidate(index, part));
        const chosen = pickConnection(strategy, 1, candidates, ({ index }) => index !== forbidden);
        expect(chosen?.index).not.toBe(forbidden);
        const others = candidates.filter(({ index, limit }) => index !== forbidden && limit > 0);
        expect(chosen === undefined).toBe(others.length === 0);
      }),
    );
  });

  it('round_robin differs by one at most between equal connections', () => {
    const candidates = [0, 1, 2].map((index) => candidate(index));
    assign('round_robin', candidates, 100);
    expect(candidates.map(({ load }) => load).sort()).toEqual([33, 33, 34]);
  });

  it('least_connections fills connections of different room alike', () => {
    const candidates = [candidate(0, { limit: 100 }), candidate(1, { limit: 400 })];
    assign('least_connections', candidates, 250);
    expect(candidates.map(({ load }) => load)).toEqual([50, 200]);
  });

  it('connection_quality gives the better of two connections more', () => {
    const candidates = [candidate(0, { score: 40 }), candidate(1, { score: 90 })];
    assign('connection_quality', candidates, 1);
    expect(candidates.map(({ load }) => load)).toEqual([0, 1]);
    assign('connection_quality', candidates, 499);
    expect(candidates[1]!.load).toBeGreaterThan(candidates[0]!.load);
  });

  it('hash_based moves only the instruments of a connection that leaves', () => {
    const before = assign(
      'hash_based',
      [0, 1, 2, 3, 4].map((index) => candidate(index)),
      1000,
    );
    const after = assign(
      'hash_based',
      [0, 1, 2, 3].map((index) => candidate(index)),
      1000,
    );
    const moved = before.filter((each, i) => each!.index !== after[i]!.index);
    expect(moved.every((each) => each!.index === 4)).toBe(true);
    expect(moved.length).toBeGreaterThan(100);
  });
});
