import { describe, expect, it } from 'vitest';
import { FairQueue, Lane } from '../../../src/server/fairness/fairQueue.js';

describe('the fair queue', () => {
  it('lets lanes take turns, and those of one lane in their order', () => {
    const queue = new FairQueue<string>();
    const [many, few] = [new Lane<string>(), new Lane<string>()];
    for (const item of ['a1', 'a2', 'a3', 'a4']) queue.push(many, item);
    for (const item of ['b1', 'b2']) queue.push(few, item);
    expect(queue.length).toBe(6);
    expect(Array.from({ length: 7 }, () => queue.shift())).toEqual([
      'a1',
      'b1',
      'a2',
      'b2',
      'a3',
      'a4',
      undefined,
    ]);
    expect(queue.length).toBe(0);
  });

  it('takes a lane in again after it has been empty', () => {
    const queue = new FairQueue<number>();
    const lane = new Lane<number>();
    for (let item = 0; item < 1000; item++) {
      queue.push(lane, item);
      expect(queue.shift()).toBe(item);
    }
    expect(queue.shift()).toBeUndefined();
    queue.push(lane, 7);
    expect([queue.shift(), queue.length, lane.isActive]).toEqual([7, 0, false]);
  });
});
