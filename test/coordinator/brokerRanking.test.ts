import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rankBrokers, type RankedConnection } from '../../src/coordinator/measures/brokerRanking.js';

const nothing = { delayP50Ms: NaN, delayP99Ms: NaN, firstShare: NaN, gapShare: NaN, samples: 0 };

function connection(
  brokerId: string,
  delayP50Ms: number,
  firstShare = 0,
  rest: { samples?: number; delayP99Ms?: number; brokerName?: string; ticks?: number } = {},
): RankedConnection {
  const { samples = 100, delayP99Ms = 10 * delayP50Ms, brokerName = '', ticks = 1000 } = rest;
  const race = { delayP50Ms, delayP99Ms, firstShare, gapShare: 0, samples };
  return { brokerId, brokerName, ticks, race };
}

const order = (contestants: RankedConnection[]): string[] =>
  rankBrokers(contestants).map((each) => each.broker_id);

describe('league table', () => {
  it('puts brokers in order of their median delay, then of their share of first arrivals', () => {
    expect(
      order([
        connection('slow', 40, 0.9),
        connection('z-often', 0, 0.8),
        connection('a-seldom', 0, 0.6),
        connection('near', 3),
      ]),
    ).toEqual(['z-often', 'a-seldom', 'near', 'slow']);
  });

  it('puts brokers without figures last', () => {
    const silent = { brokerId: 'a', brokerName: 'Silent', ticks: 7, race: nothing };
    expect(rankBrokers([silent, connection('b', 5_000)])).toEqual([
      expect.objectContaining({ broker_id: 'b' }),
      {
        broker_id: 'a',
        broker_name: 'Silent',
        connections: 1,
        ticks: 7,
        first_share: null,
        delay_p50_ms: null,
        delay_p99_ms: null,
      },
    ]);
  });

  it('adds up the connections of a broker, each with the weight of its ticks', () => {
    const connections = [
      connection('a', 1, 0.5, { samples: 300, delayP99Ms: 9 }),
      connection('a', 5, 0.1, { samples: 100, delayP99Ms: 30, brokerName: 'Alpha', ticks: 50 }),
      { brokerId: 'a', brokerName: 'Alpha', ticks: 1, race: nothing },
    ];
    expect(rankBrokers(connections)).toEqual([
      {
        broker_id: 'a',
        broker_name: 'Alpha',
        connections: 3,
        ticks: 1051,
        first_share: 0.4,
        delay_p50_ms: 2,
        delay_p99_ms: 30,
      },
    ]);
  });

  it('tells brokers without an id apart by name', () => {
    const table = rankBrokers([
      connection('', 2, 0, { brokerName: 'North' }),
      connection('', 1, 0, { brokerName: 'South' }),
      connection('', 1, 0, { brokerName: 'South' }),
    ]);
    expect(table.map((each) => [each.broker_name, each.connections])).toEqual([
      ['South', 2],
      ['North', 1],
    ]);
  });

  it('is the same in whatever order the connections come, and has each of them once', () => {
    const contestant = fc
      .tuple(fc.constantFrom('1', '2', '3', '4'), fc.constantFrom(NaN, 0, 0.5, 20), fc.constantFrom(0, 0.25))
      .map(([id, delay, share]) =>
        Number.isNaN(delay)
          ? { brokerId: id, brokerName: '', ticks: 1, race: nothing }
          : connection(id, delay, share),
      );
    fc.assert(
      fc.property(fc.array(contestant, { maxLength: 12 }), (contestants) => {
        const table = rankBrokers(contestants);
        expect(rankBrokers(contestants.toReversed())).toEqual(table);
        expect(table.reduce((sum, each) => sum + each.connections, 0)).toBe(contestants.length);
        const delays = table.map((each) => each.delay_p50_ms ?? Infinity);
        expect(delays).toEqual(delays.toSorted((a, b) => a - b));
      }),
    );
  });
});
