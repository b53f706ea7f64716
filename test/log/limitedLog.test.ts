import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LimitedLog } from '../../src/log/limitedLog.js';

describe('LimitedLog', () => {
  let lines: Record<string, unknown>[];
  let log: LimitedLog;

  beforeEach(() => {
    vi.useFakeTimers();
    lines = [];
    const write = (line: string): void => void lines.push(JSON.parse(line) as Record<string, unknown>);
    log = new LimitedLog(pino({ base: null, timestamp: false }, { write }));
  });
  afterEach(() => vi.useRealTimers());

  it('writes ten like lines of a source, and the newest of the others at the end of the minute', () => {
    for (let i = 1; i <= 500; i++) log.write('a', 'warn', { connection: 'a', i }, 'lost');
    log.write('b', 'info', {}, 'of another source');
    expect(lines.map((line) => line['msg'])).toEqual([
      ...Array<string>(10).fill('lost'),
      'of another source',
    ]);
    vi.advanceTimersByTime(60_000);
    expect(lines.at(-1)).toEqual({
      level: 40,
      connection: 'a',
      i: 500,
      left_out: 489,
      msg: 'lost (after 489 more lines)',
    });
    log.write('a', 'warn', {}, 'of the next minute');
    expect(lines.at(-1)!['msg']).toBe('of the next minute');
  });

  it('takes lines that differ in a count alone for like ones, where it is told what they mean', () => {
    for (let i = 1; i <= 50; i++) log.write('a', 'warn', {}, `lost ${i} times`, 'lost');
    expect(lines).toHaveLength(10);
  });

  it('writes at once what says something new, up to thirty texts', () => {
    for (let i = 1; i <= 100; i++) log.write('a', 'warn', {}, 'lost');
    log.write('a', 'error', {}, 'login refused');
    expect(lines.at(-1)!['msg']).toBe('login refused');
    for (let i = 1; i <= 100; i++) log.write('a', 'warn', {}, `refused: ${i}`);
    expect(lines).toHaveLength(10 + 1 + 28);
  });

  it('is silent and keeps nothing when nothing was skipped', () => {
    log.write('a', 'warn', {}, 'once');
    vi.advanceTimersByTime(60_000);
    expect(lines).toHaveLength(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('writes what was skipped when it is closed', () => {
    for (let i = 1; i <= 11; i++) log.write('a', 'error', { i }, 'lost');
    log.close();
    expect(lines.map((line) => line['msg'])).toHaveLength(11);
    expect(lines.at(-1)!['i']).toBe(11);
    expect(vi.getTimerCount()).toBe(0);
  });
});
