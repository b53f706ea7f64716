import { describe, expect, it } from 'vitest';
import { Charts } from '../../src/server/socket/charts.js';
import { WaitingPatches } from '../../src/server/socket/waitingPatches.js';

describe('WaitingPatches', () => {
  it('keep the newest of each subject, in the order of their coming', () => {
    const patches = new WaitingPatches(100);
    expect(patches.isEmpty).toBe(true);
    for (const [subject, patch] of [
      ['a', '1'],
      ['b', '2'],
      ['a', '3'],
    ] as const)
      expect(patches.put(subject, patch)).toBe(true);
    expect(patches.isEmpty).toBe(false);
    expect(patches.take()).toBe(',2,3');
    expect(patches.isEmpty).toBe(true);
    expect(patches.take()).toBe('');
  });

  it('take no more characters than they may', () => {
    const patches = new WaitingPatches(20);
    expect(patches.put('a', 'x'.repeat(20))).toBe(false);
    expect(patches.chars).toBe(0);
    expect(patches.put('a', 'x'.repeat(10))).toBe(true);
    expect(patches.put('b', 'y'.repeat(9))).toBe(false);
    // What waited before continues waiting.
    expect(patches.put('a', 'x'.repeat(20))).toBe(false);
    expect(patches.chars).toBe(11);
    expect(patches.put('a', 'z'.repeat(19))).toBe(true);
    expect(patches.take()).toBe(`,${'z'.repeat(19)}`);
    expect(patches.chars).toBe(0);
  });
});

describe('Charts', () => {
  const request = { names: ['aid', 'chart_id'], keys: ['SHFE.rb2410'], duration: '0', problem: undefined };
  const text = (id: string): string => JSON.stringify({ aid: 'set_chart', chart_id: id });

  it('forget the oldest of more than a thousand', () => {
    const charts = new Charts();
    const answer = (id: string): unknown => charts.answer({ id, ...request }, text(id)).next().value;
    for (let i = 0; i <= 1000; i++) expect(answer(`c${i}`)).toBeTypeOf('string');
    const { chars } = charts;
    expect(answer('c1')).toBeUndefined();
    expect(answer('c0')).toBeTypeOf('string');
    expect(charts.chars).toBe(chars);
    for (let i = 0; i <= 1000; i++) charts.forget(`c${i}`);
    expect(charts.chars).toBe(0);
  });
});
