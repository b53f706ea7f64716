import { describe, expect, it } from 'vitest';
import { SilenceWatch } from '../../src/coordinator/silenceWatch.js';

const timeoutMs = 8_000;
const stepMs = 1_000;

/** Lines whose ticks the test turns on and off, and a clock: 2026-11-23 is a Monday. */
class World {
  readonly watch = new SilenceWatch(timeoutMs);
  readonly found: string[] = [];
  #now = 5_000;
  readonly #offset: number;
  readonly #written: number[];
  /** Ticks per second of each line; a fraction ticks every so many seconds. */
  readonly rates: number[];
  readonly expecting: boolean[];
  #seconds = 0;

  constructor(start: string, ...rates: number[]) {
    this.#offset = Date.parse(`${start}+08:00`) - this.#now;
    this.rates = rates;
    this.#written = rates.map(() => 0);
    this.expecting = rates.map(() => true);
  }

  run(seconds: number): this {
    for (let i = 0; i < seconds; i++) {
      this.#now += stepMs;
      this.#seconds++;
      this.rates.forEach((rate, line) => {
        if (rate >= 1) this.#written[line] = (this.#written[line]! + rate) | 0;
        else if (rate > 0 && this.#seconds % Math.round(1 / rate) === 0) this.#written[line]!++;
      });
      this.#look();
    }
    return this;
  }

  /** The process stands still while the fronts go on. */
  sleep(seconds: number): this {
    this.#now += seconds * 1000;
    this.#look();
    return this;
  }

  until(time: string): this {
    return this.run((Date.parse(`${time}+08:00`) - this.#offset - this.#now) / 1000);
  }

  #look(): void {
    const wall = this.#now + this.#offset;
    const samples = this.#written.map((written, line) => ({ written, expecting: this.expecting[line]! }));
    for (const { line, silentMs } of this.watch.sample(samples, this.#now, wall))
      this.found.push(`${line} ${silentMs} ${new Date(wall + 8 * 3_600_000).toISOString().slice(11, 19)}`);
  }
}

describe('a line that breaks off', () => {
  it('is found after the time-out, once, and again after it has flowed again', () => {
    const world = new World('2026-11-23T10:00:00', 100).run(60);
    world.rates[0] = 0;
    world.run(100);
    expect(world.found).toEqual(['0 8000 10:01:08']);
    world.rates[0] = 100;
    world.run(30);
    world.rates[0] = 0;
    world.run(30);
    expect(world.found).toHaveLength(2);
  });

  it('is found at any hour if another line goes on', () => {
    const world = new World('2026-11-22T04:00:00', 5, 5).run(60);
    world.rates[0] = 0;
    world.run(60);
    expect(world.found).toEqual(['0 8000 04:01:08']);
  });

  it('is found outside trading hours if it has flowed for long', () => {
    const world = new World('2026-11-22T12:00:00', 5).run(1200);
    world.rates[0] = 0;
    world.run(60);
    expect(world.found).toHaveLength(1);
  });

  it('is found again while it is opened again in vain, ever later', () => {
    const world = new World('2026-11-23T10:30:00', 100).run(60);
    world.rates[0] = 0;
    const ends: number[] = [];
    for (let second = 1; second < 900; second++) {
      const before = world.found.length;
      world.expecting[0] = true;
      world.run(1);
      if (world.found.length > before) {
        ends.push(second);
        world.expecting[0] = false;
        world.run(1);
      }
    }
    expect(ends.length).toBeGreaterThan(3);
    expect(ends.length).toBeLessThan(9);
    world.rates[0] = 100;
    world.run(10);
    world.expecting[0] = true;
    const said = world.found.length;
    world.run(60);
    expect(world.found).toHaveLength(said);
  });
});

describe('no alarm', () => {
  it('sounds over three days and nights of ordinary trading, with a quiet line beside a busy one', () => {
    const world = new World('2026-11-23T08:00:00', 0, 0, 0);
    const phases: [string, number[]][] = [
      ['T08:59:00', [0, 0, 0]],
      ['T08:59:03', [300, 20, 0]],
      ['T09:00:00', [0, 0, 0]],
      ['T10:15:02', [300, 0.1, 0]],
      ['T10:30:00', [0, 0, 0]],
      ['T11:30:01', [300, 0.03, 0]],
      ['T13:30:00', [0, 0, 0]],
      ['T15:00:01', [300, 0.05, 0]],
      ['T15:40:00', [0, 0, 0]],
      ['T15:40:40', [50, 50, 0]],
      ['T16:10:00', [0, 0, 0]],
      ['T16:10:09', [0, 50, 0]],
      ['T20:59:00', [0, 0, 0]],
      ['T20:59:04', [200, 0, 0]],
      ['T21:00:00', [0, 0, 0]],
      ['T23:00:01', [200, 0.1, 0]],
      ['T23:59:59', [0, 0, 0]],
    ];
    for (const day of ['2026-11-23', '2026-11-24', '2026-11-25'])
      for (const [end, rates] of phases) {
        world.rates.splice(0, 3, ...rates);
        world.until(day + end);
      }
    expect(world.found).toEqual([]);
  });

  it('sounds over the snapshots that follow a login at night', () => {
    const world = new World('2026-11-23T04:00:00', 500).run(10);
    world.rates[0] = 0;
    expect(world.run(3600).found).toEqual([]);
  });

  it('sounds while a line is down or carries nothing', () => {
    const world = new World('2026-11-23T10:00:00', 100).run(60);
    world.rates[0] = 0;
    world.expecting[0] = false;
    expect(world.run(600).found).toEqual([]);
  });

  it('sounds when this process stood still', () => {
    const world = new World('2026-11-23T10:00:00', 100).run(60);
    expect(world.sleep(300).run(60).found).toEqual([]);
    world.rates[0] = 0;
    expect(world.run(20).found).toHaveLength(1);
  });

  it('sounds over a quiet line that goes on', () => {
    const world = new World('2026-11-23T13:30:00', 0.2).run(1200);
    world.rates[0] = 0;
    world.run(45);
    expect(world.found).toEqual([]);
    expect(world.run(20).found).toHaveLength(1);
  });
});

describe('an opening', () => {
  it('that a line sleeps through is found, if it ticked at the last one', () => {
    const world = new World('2026-11-23T20:50:00', 0).until('2026-11-23T21:00:00');
    world.rates[0] = 50;
    world.until('2026-11-23T23:00:01');
    world.rates[0] = 0;
    world.until('2026-11-24T21:10:00');
    expect(world.found).toEqual([expect.stringMatching(/^0 \d+ 21:01:00$/)]);
    // One snapshot ends the matter; it is not expected the day after.
    world.rates[0] = 1;
    world.run(1);
    world.rates[0] = 0;
    expect(world.until('2026-11-25T21:10:00').found).toHaveLength(1);
  });
});
