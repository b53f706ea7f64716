import { describe, expect, it } from 'vitest';
import { faultNames, happensOnce, parseFault } from '../../../src/simulator/faultGrammar.js';
import {
  gatewayActions,
  lastingFaults,
  passingFaults,
  planChaos,
  processActions,
  randomOf,
  type Episode,
} from './plan.js';

const shape = { brokers: 5, fronts: 4 };

function episodes(seed: number, count: number): Episode[] {
  const plan = planChaos(seed, shape);
  return Array.from({ length: count }, () => plan.next().value);
}

describe('a plan of chaos', () => {
  it('is the same for the same seed, and another for another', () => {
    expect(episodes(7, 50)).toEqual(episodes(7, 50));
    expect(episodes(7, 50)).not.toEqual(episodes(8, 50));
  });

  it('does everything there is to do, to every broker and front', () => {
    const all = episodes(1, 2000);
    const actions = all.flatMap(({ steps }) => steps.map(({ action }) => action));
    expect(new Set(actions.map((action) => action.do))).toEqual(
      new Set([...processActions, ...lastingFaults, ...passingFaults, ...gatewayActions]),
    );
    expect(new Set(all.map(({ broker }) => broker)).size).toBe(shape.brokers);
    expect(new Set(actions.flatMap((action) => ('front' in action ? [action.front] : [])))).toEqual(
      new Set([0, 1, 2, 3]),
    );
  });

  it('gives fronts no fault that they do not know', () => {
    for (const { steps } of episodes(2, 1000))
      for (const { action } of steps)
        if ('fields' in action)
          expect(() => parseFault({ fault: action.do, ...action.fields })).not.toThrow();
    for (const name of lastingFaults) expect(happensOnce(name)).toBe(false);
    for (const name of passingFaults) expect(happensOnce(name)).toBe(true);
    expect(faultNames).toEqual(expect.arrayContaining([...lastingFaults, ...passingFaults]));
  });

  it('asks nothing of a process that is gone or stands still', () => {
    for (const { steps } of episodes(5, 1000)) {
      let process = 'running';
      for (const { action } of steps) {
        if ('fields' in action || action.do === 'freeze') expect(process).toBe('running');
        if (action.do === 'kill') expect(process).not.toBe('gone');
        if (action.do === 'restart') expect(process).toBe('gone');
        if (action.do === 'thaw') expect(process).toBe('frozen');
        if (action.do === 'kill') process = 'gone';
        if (action.do === 'freeze') process = 'frozen';
        if (action.do === 'restart' || action.do === 'thaw') process = 'running';
      }
    }
  });

  it('lets a worker crash alone, since nobody can tell which lines it has', () => {
    for (const { steps } of episodes(3, 1000))
      if (steps.some(({ action }) => action.do === 'worker_crash')) expect(steps).toHaveLength(1);
  });

  it('waits for some ticks after each step', () => {
    for (const { steps } of episodes(4, 1000))
      for (const { ticks } of steps) {
        expect(ticks).toBeGreaterThan(0);
        expect(Number.isInteger(ticks)).toBe(true);
      }
  });
});

describe('numbers of a seed', () => {
  it('are spread evenly from 0 to 1', () => {
    const random = randomOf(1);
    const counts = new Uint32Array(10);
    for (let i = 0; i < 10_000; i++) counts[Math.floor(random() * 10)]!++;
    for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(150);
  });
});
