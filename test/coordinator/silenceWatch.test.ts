import { describe, expect, it } from 'vitest';
import { SilenceWatch } from '../../src/coordinator/measures/silenceWatch.js';
import { alwaysOpen, ExchangeHours } from '../../src/market/hours/marketHours.js';
import { WeekdayCalendar } from '../../src/market/calendar/tradingCalendar.js';

const timeoutMs = 8_000;
const stepMs = 1_000;

/** Lines whose ticks the test turns on and off, and a clock: 2026-11-23 is a Monday. */
class World {
  readonly watch: SilenceWatch;
  readonly found: string[] = [];
  #now = 5_000;
  readonly #offset: number;
  readonly #written: number[];
  /** Ticks per second of each line; a fraction ticks every so many seconds. */
  readonly rates: number[];
  readonly expecting: boolean[];
  readonly instruments: number[];
  #seconds = 0;

  constructor(start: string, rates: number[], hours: 'exchange' | 'always' = 'exchange') {
    this.watch = new SilenceWatch(
      timeoutMs,
      hours === 'always' ? alwaysOpen : new ExchangeHours(new WeekdayCalendar()),
    );
    this.#offset = Date.parse(`${start}+08:00`) - this.#now;
    this.rates = rates;
    this.#written = rates.map(() => 0);
    this.expecting = rates.map(() => true);
    this.instruments = rates.map(() => 100);
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

  /** The process stands still while the fronts continue. */
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
    const samples = this.#written.map((written, line) => ({
      written,
      expecting: this.expecting[line]!,
      instruments: this.instruments[line]!,
    }));
    for (const { line, silentMs } of this.watch.sample(samples, this.#now, wall))
      this.found.push(`${line} ${silentMs} ${new Date(wall + 8 * 3_600_000).toISOString().slice(11, 19)}`);
  }
}

describe('a line that breaks off', () => {
  it('is found after the time-out, once, and again after it has flowed again', () => {
    const world = new World('2026-11-23T10:00:00', [100]).run(60);
    world.rates[0] = 0;
    world.run(100);
    expect(world.found).toEqual(['0 8000 10:01:08']);
    world.rates[0] = 100;
    world.run(30);
    world.rates[0] = 0;
    world.run(30);
    expect(world.found).toHaveLength(2);
  });

  it('is found at any hour if another line continues', () => {
    const world = new World('2026-11-22T04:00:00', [5, 5]).run(60);
    world.rates[0] = 0;
    world.run(60);
    expect(world.found).toEqual(['0 8000 04:01:08']);
  });

  it('is found outside trading hours if it has flowed for long', () => {
    const world = new World('2026-11-22T12:00:00', [5]).run(1200);
    world.rates[0] = 0;
    world.run(60);
    expect(world.found).toHaveLength(1);
  });

  it('is found again while it is opened again in vain, ever later', () => {
    const world = new World('2026-11-23T10:30:00', [100]).run(60);
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
    const world = new World('2026-11-23T08:00:00', [0, 0, 0]);
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
    const world = new World('2026-11-23T04:00:00', [500]).run(10);
    world.rates[0] = 0;
    expect(world.run(3600).found).toEqual([]);
  });

  it('sounds while a line is down or carries nothing', () => {
    const world = new World('2026-11-23T10:00:00', [100]).run(60);
    world.rates[0] = 0;
    world.expecting[0] = false;
    expect(world.run(600).found).toEqual([]);
  });

  it('sounds when this process stood still', () => {
    const world = new World('2026-11-23T10:00:00', [100]).run(60);
    expect(world.sleep(300).run(60).found).toEqual([]);
    world.rates[0] = 0;
    expect(world.run(20).found).toHaveLength(1);
  });

  it('sounds when a line loses the half of its instruments that ticks', () => {
    const world = new World('2026-11-23T10:40:00', [100]).run(60);
    world.instruments[0] = 50;
    world.rates[0] = 0;
    expect(world.run(600).found).toEqual([]);
  });

  it('sounds over a line of which a few ticks came close together', () => {
    const world = new World('2026-11-23T13:30:00', [1]).run(19);
    world.rates[0] = 0;
    expect(world.run(1200).found).toEqual([]);
  });

  it('sounds over a quiet line that continues', () => {
    const world = new World('2026-11-23T13:30:00', [0.2]).run(1200);
    world.rates[0] = 0;
    world.run(45);
    expect(world.found).toEqual([]);
    expect(world.run(20).found).toHaveLength(1);
  });
});

describe('an opening', () => {
  const night = (world: World, day: string, rate: number): World => {
    world.until(`${day}T21:00:00`);
    world.rates[0] = rate;
    world.until(`${day}T23:00:01`);
    world.rates[0] = 0;
    return world;
  };

  it('that a line sleeps through is found, if it ticked at the last two', () => {
    const world = new World('2026-11-23T20:50:00', [0]);
    night(world, '2026-11-23', 50).until('2026-11-24T20:50:00');
    night(world, '2026-11-24', 50).until('2026-11-25T21:10:00');
    expect(world.found).toEqual([expect.stringMatching(/^0 \d+ 21:01:00$/)]);
  });

  it('that a line has slept through is not expected the day after, if it had no more than snapshots', () => {
    const world = new World('2026-11-23T20:50:00', [0]);
    night(world, '2026-11-23', 50).until('2026-11-24T20:50:00');
    night(world, '2026-11-24', 50).until('2026-11-25T21:02:00');
    expect(world.found).toHaveLength(1);
    world.expecting[0] = false;
    world.run(3);
    world.expecting[0] = true;
    world.run(1);
    world.rates[0] = 50;
    world.run(1);
    world.rates[0] = 0;
    expect(world.until('2026-11-26T21:10:00').found).toHaveLength(1);
  });

  it('is not expected of a line after a single one, or of one that has lost its instruments', () => {
    const world = new World('2026-11-23T20:50:00', [0]);
    night(world, '2026-11-23', 50).until('2026-11-24T21:10:00');
    expect(world.found).toEqual([]);
    night(world, '2026-11-25', 50).until('2026-11-26T20:50:00');
    night(world, '2026-11-26', 50);
    world.instruments[0] = 50;
    expect(world.until('2026-11-27T21:10:00').found).toEqual([]);
  });

  it('that a quiet line begins late is waited for twice as long as it took', () => {
    const world = new World('2026-11-23T20:50:00', [0]);
    // A tick in ten seconds: twenty of them take 200 s.
    night(world, '2026-11-23', 0.1).until('2026-11-24T20:50:00');
    night(world, '2026-11-24', 0.1).until('2026-11-25T21:10:00');
    expect(world.found).toEqual([expect.stringMatching(/^0 \d+ 21:06:40$/)]);
  });

  it('that is followed by ticks for a few seconds alone is missed too', () => {
    const world = new World('2026-11-23T20:50:00', [0]);
    night(world, '2026-11-23', 50).until('2026-11-24T20:50:00');
    night(world, '2026-11-24', 50).until('2026-11-25T21:00:00');
    world.rates[0] = 50;
    world.run(10);
    world.rates[0] = 0;
    expect(world.until('2026-11-25T21:10:00').found).toEqual([expect.stringMatching(/^0 \d+ 21:01:10$/)]);
  });
});

describe('a line opened again', () => {
  it('whose snapshots are there when it is seen again lives', () => {
    const world = new World('2026-11-23T10:40:00', [100]).run(60);
    world.rates[0] = 0;
    world.run(20);
    expect(world.found).toHaveLength(1);
    world.expecting[0] = false;
    world.run(3);
    world.expecting[0] = true;
    world.rates[0] = 100;
    world.run(1);
    world.rates[0] = 0;
    expect(world.run(1800).found).toHaveLength(1);
  });

  it('is tried ever more rarely while nothing ticks anywhere', () => {
    const tries = (...others: number[]): number => {
      const world = new World('2026-11-23T13:00:00', [100, ...others], 'always').run(60);
      world.rates[0] = 0;
      for (let minute = 0; minute < 24 * 60; minute++) {
        const before = world.found.length;
        world.run(58);
        world.expecting[0] = world.found.length === before;
        world.run(1);
        world.expecting[0] = true;
        world.run(1);
      }
      return world.found.length;
    };
    expect(tries()).toBeLessThan(40);
    expect(tries(100)).toBeGreaterThan(100);
  });
});

describe('a market that is always open', () => {
  it('has no ends of sessions, nights or weekends', () => {
    for (const start of ['2026-11-23T10:14:00', '2026-11-22T04:00:00', '2026-11-23T15:40:00']) {
      const world = new World(start, [100], 'always').run(60);
      world.rates[0] = 0;
      expect(world.run(60).found).toHaveLength(1);
      const other = new World(start, [100], 'exchange').run(60);
      other.rates[0] = 0;
      expect(other.run(60).found).toEqual([]);
    }
  });

  it('has no openings', () => {
    const world = new World('2026-11-22T08:00:00', [100], 'always').run(60);
    // It breaks off while it carries nothing.
    world.expecting[0] = false;
    world.rates[0] = 0;
    world.run(10);
    world.expecting[0] = true;
    expect(world.until('2026-11-26T08:00:00').found).toEqual([]);
  });
});
