import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HistoryChecker } from '../../bench/history/historyChecker.js';
import { sightingsIn } from '../../bench/history/sightings.js';
import { faultyStream } from './faultyStreams.js';

function judged(sequences: readonly number[], last?: number, delivery: 'every' | 'newest' = 'every') {
  const checker = new HistoryChecker(delivery);
  for (const sequence of sequences) checker.take('a', 'rb2701', sequence);
  return checker.report(() => last);
}

describe('a history', () => {
  it('is whole from wherever it begins', () => {
    expect(judged([700, 701, 702], 702)).toMatchObject({
      received: 3,
      lost: 0,
      duplicated: 0,
      reordered: 0,
      stale: 0,
      behind: 0,
    });
  });

  it.each([
    ['a number left out', [1, 2, 4], { lost: 1 }],
    ['several left out', [1, 5, 9], { lost: 6 }],
    ['a number twice in a row', [1, 2, 2, 3], { duplicated: 1 }],
    ['a number that comes again later', [1, 2, 3, 2], { duplicated: 1, reordered: 0 }],
    ['two that change places', [1, 3, 2, 4], { lost: 0, reordered: 1 }],
    ['a gap that is filled from its middle', [1, 6, 4, 3, 5, 2], { lost: 0, reordered: 4 }],
    ['a late one that comes twice', [1, 3, 2, 2], { reordered: 1, duplicated: 1 }],
    ['a state from before the beginning', [5, 6, 4], { stale: 1, duplicated: 0, lost: 0 }],
  ])('with %s is told', (_fault, sequences, found) => {
    const clean = { lost: 0, duplicated: 0, reordered: 0, stale: 0 };
    expect(judged(sequences)).toMatchObject({ ...clean, ...found });
  });

  it('that ends too early is behind and has lost the rest', () => {
    expect(judged([1, 2], 5)).toMatchObject({ lost: 3, behind: 1 });
    expect(judged([1, 2]).streams[0]!.endsOnLast).toBeUndefined();
  });

  it('that conflates may leave numbers out, but not the last, and must not step back', () => {
    expect(judged([1, 4, 9], 9, 'newest')).toMatchObject({ lost: 0, behind: 0 });
    expect(judged([1, 4], 9, 'newest')).toMatchObject({ lost: 0, behind: 1 });
    expect(judged([1, 4, 3], 3, 'newest')).toMatchObject({ reordered: 1, behind: 1 });
  });

  it('of a client that hears nothing is behind', () => {
    const checker = new HistoryChecker('every');
    checker.expect('a', 'rb2701');
    checker.take('b', 'rb2701', 3);
    const { streams, behind } = checker.report(() => 3);
    expect(behind).toBe(1);
    expect(streams.map(({ client, last }) => [client, last])).toEqual([
      ['a', -1],
      ['b', 3],
    ]);
  });

  it('keeps clients and instruments apart', () => {
    const checker = new HistoryChecker('every');
    for (const [client, instrument, sequence] of [
      ['a', 'x', 1],
      ['b', 'x', 5],
      ['a', 'y', 9],
      ['a', 'x', 2],
      ['b', 'x', 6],
    ] as const)
      checker.take(client, instrument, sequence);
    expect(checker.report()).toMatchObject({ lost: 0, duplicated: 0, reordered: 0, stale: 0 });
  });

  it('shows just the faults that a stream went through', () => {
    fc.assert(
      fc.property(faultyStream, ({ arrivals, last, ...faults }) => {
        expect(judged(arrivals, last)).toMatchObject(faults);
      }),
    );
  });
});

describe('the states in a frame', () => {
  it('are read from pushes and from answers to peeks', () => {
    const push = { action: 'market_data', instrument_id: 'rb2701', data: { volume: 7 } };
    expect(sightingsIn(push)).toEqual([{ instrument: 'rb2701', sequence: 7 }]);
    const quotes = { 'SHFE.rb2701': { volume: 8 }, cu2701: { last_price: 3 } };
    expect(sightingsIn({ aid: 'rtn_data', data: [{ quotes }, {}] })).toEqual([
      { instrument: 'SHFE.rb2701', sequence: 8 },
    ]);
  });

  it('are none in other frames', () => {
    for (const frame of [{}, { action: 'pong' }, { aid: 'rtn_data', data: [] }, { aid: 'subscribe_quote' }])
      expect(sightingsIn(frame)).toEqual([]);
  });
});
