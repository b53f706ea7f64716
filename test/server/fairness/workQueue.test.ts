import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { WorkQueue, type Worker } from '../../../src/server/fairness/workQueue.js';

/** Does a number of steps that each take some ms of a clock that stands still otherwise. */
class Steps implements Worker {
  isQueued = false;
  isDelayed = false;
  done = 0;
  charged = 0;
  debtUntil = 0;
  delays = 0;

  account: object = this;

  constructor(
    readonly name: string,
    readonly steps: number,
    readonly stepMs: number,
    readonly order: string[],
    readonly pass: (ms: number) => void,
  ) {}

  msInDebt(nowMs: number): number {
    return Math.max(0, this.debtUntil - nowMs);
  }

  charge(ms: number): void {
    this.charged += ms;
  }

  delayed(): void {
    this.delays++;
  }

  step(): boolean {
    this.order.push(this.name);
    this.pass(this.stepMs);
    return ++this.done < this.steps;
  }
}

let order: string[];
/** ms that steps have taken. */
let worked: number;
let busy: boolean;
let queue: WorkQueue;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  order = [];
  worked = 0;
  busy = false;
  const timersNow = performance.now.bind(performance);
  vi.spyOn(performance, 'now').mockImplementation(() => timersNow() + worked);
  queue = new WorkQueue(
    () => busy,
    () => undefined,
  );
});
afterEach(() => {
  queue.stop();
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** A worker whose steps take time without firing timers. */
function worker(name: string, steps: number, stepMs: number): Steps {
  return new Steps(name, steps, stepMs, order, (ms) => {
    worked += ms;
  });
}

describe('the work queue', () => {
  it('lets addresses take turns, however many workers each has', () => {
    const many = [worker('a', 2, 0), worker('b', 2, 0), worker('c', 2, 0)];
    for (const each of many) each.account = many;
    const other = worker('z', 3, 0);
    for (const each of [...many, other]) queue.add(each);
    vi.advanceTimersByTime(1);
    expect(order.slice(0, 6)).toEqual(['a', 'z', 'b', 'z', 'c', 'z']);
    expect(queue.length).toBe(0);
  });

  it('lets workers take turns by the step', () => {
    const [a, b] = [worker('a', 3, 0), worker('b', 2, 0)];
    queue.add(a);
    queue.add(b);
    vi.advanceTimersByTime(1);
    expect(order).toEqual(['a', 'b', 'a', 'b', 'a']);
    expect([a.isQueued, b.isQueued, queue.length]).toEqual([false, false, 0]);
  });

  it('leaves the loop to ticks after a slice, for as long as the slice has taken', () => {
    const [a, b] = [worker('a', 10, 0.4), worker('b', 10, 4)];
    queue.add(a);
    vi.advanceTimersByTime(0);
    expect(a.done).toBe(3);
    queue.stop();
    queue = new WorkQueue(
      () => false,
      () => undefined,
    );
    queue.add(b);
    vi.advanceTimersByTime(0);
    expect(b.done).toBe(1);
    vi.advanceTimersByTime(3);
    expect(b.done).toBe(1);
    vi.advanceTimersByTime(2);
    expect(b.done).toBe(2);
  });

  it('leaves more to ticks while they wait in the rings', () => {
    const a = worker('a', 10, 2);
    busy = true;
    queue.add(a);
    vi.advanceTimersByTime(0);
    expect(a.done).toBe(1);
    vi.advanceTimersByTime(17);
    expect(a.done).toBe(1);
    vi.advanceTimersByTime(2);
    expect(a.done).toBe(2);
  });

  it('lets one in debt wait, reports it once, and continues when it is paid', () => {
    const [a, b] = [worker('a', 2, 0), worker('b', 1, 0)];
    a.debtUntil = 50;
    queue.add(a);
    queue.add(b);
    vi.advanceTimersByTime(45);
    expect(order).toEqual(['b']);
    expect([a.delays, b.delays]).toEqual([1, 0]);
    expect(queue.delayed).toBe(1);
    vi.advanceTimersByTime(40);
    expect(order).toEqual(['b', 'a', 'a']);
  });

  it('charges what a step took', () => {
    const a = worker('a', 2, 3);
    queue.add(a);
    vi.advanceTimersByTime(20);
    expect(a.charged).toBeCloseTo(6);
  });

  it('lets what fits into the slice be done at once, and nothing beyond it', () => {
    const a = worker('a', 1, 0);
    vi.advanceTimersByTime(10);
    const now = performance.now();
    expect(queue.mayRun(a, now)).toBe(true);
    queue.charge(a, 0.6, now);
    expect(queue.mayRun(a, now)).toBe(true);
    queue.charge(a, 0.6, now);
    expect(queue.mayRun(a, now)).toBe(false);
    expect(queue.mayRun(a, now + 2)).toBe(true);
  });

  it('begins no new slice for those who come while ticks wait', () => {
    const a = worker('a', 1, 0);
    busy = true;
    queue.charge(a, 2, 0);
    expect(queue.mayRun(a, 1000)).toBe(false);
  });

  it('does nothing at once for who has a place in the queue, who is in debt, or once it is stopped', () => {
    const a = worker('a', 1, 0);
    a.debtUntil = 100;
    expect(queue.mayRun(a, 50)).toBe(false);
    a.debtUntil = 0;
    queue.add(a);
    expect(queue.mayRun(a, 50)).toBe(false);
    queue.stop();
    vi.advanceTimersByTime(100);
    expect(order).toEqual([]);
  });
});
