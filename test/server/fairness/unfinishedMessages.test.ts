import { describe, expect, it } from 'vitest';
import { overLimit, unfinishedOf } from '../../../src/server/fairness/unfinishedMessages.js';

const most = 2_000_000;

describe('unfinished messages', () => {
  it('are what connections have received beyond what their clients have sent whole', () => {
    const connections = [
      { descriptor: 1, received: 500_000 },
      { descriptor: 2, received: 1_900_000 },
      { descriptor: 3, received: 20_000 },
    ];
    expect(unfinishedOf(connections, [499_000, 100, 0], most)).toEqual([
      { descriptor: 3, bytes: 20_000 },
      { descriptor: 2, bytes: 1_900_000 },
    ]);
  });

  it('are no more than one message of each connection, however long it has sent requests', () => {
    expect(unfinishedOf([{ descriptor: 1, received: 1e9 }], [], most)).toEqual([
      { descriptor: 1, bytes: most },
    ]);
  });

  it('are cut off from the largest on, until the rest is within the limit', () => {
    const unfinished = [
      { descriptor: 1, bytes: 10 },
      { descriptor: 2, bytes: 30 },
      { descriptor: 3, bytes: 20 },
    ];
    expect(overLimit(unfinished, 60)).toEqual([]);
    expect(overLimit(unfinished, 30).map(({ descriptor }) => descriptor)).toEqual([2]);
    expect(overLimit(unfinished, 5).map(({ descriptor }) => descriptor)).toEqual([2, 3, 1]);
  });
});
