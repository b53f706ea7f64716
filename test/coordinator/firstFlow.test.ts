import { describe, expect, it } from 'vitest';
import { SilenceWatch } from '../../src/coordinator/measures/silenceWatch.js';
import { alwaysOpen, ExchangeHours } from '../../src/market/hours/marketHours.js';
import { WeekdayCalendar } from '../../src/market/calendar/tradingCalendar.js';

const timeoutMs = 10_000;
const stepMs = 1_000;
const snapshotsPerSecond = 1_000;

interface SimulatedLine {
  instruments: number;
  /** Ticks per second of all of them. */
  rate: number;
  frozen: boolean;
  /** Ticks per second of the same instruments on other lines. */
  elsewhere: number;
  stale: number;
  /** Its instruments have ticked before. */
  known: boolean;
  /** They are in their session. */
  trades: boolean;
}

/** Lines that log in, get their snapshots, and flow until the test freezes them; 2026-11-23 is a Monday. */
class World {
  readonly watch: SilenceWatch;
  readonly found: string[] = [];
  readonly lines: SimulatedLine[];
  readonly #offset: number;
  readonly #written: number[];
  /** Snapshots that are still to come, and ticks that are. */
  readonly #snapshots: number[];
  readonly #due: number[];
  readonly #down: boolean[];
  readonly #logins: number[];
  /** What is opened again is logged in before the next sample. */
  quick = false;
  #now = 5_000;
  #elsewhereAt: number[];

  constructor(start: string, lines: Partial<SimulatedLine>[], hours: 'exchange' | 'always' = 'exchange') {
    this.lines = lines.map((line) => ({
      instruments: 1,
      rate: 2,
      frozen: false,
      elsewhere: 0,
      stale: 0,
      known: false,
      trades: true,
      ...line,
    }));
    this.watch = new SilenceWatch(
      timeoutMs,
      hours === 'always' ? alwaysOpen : new ExchangeHours(new WeekdayCalendar()),
    );
    this.#offset = Date.parse(`${start}+08:00`) - this.#now;
    this.#written = this.lines.map(() => 0);
    this.#snapshots = this.lines.map(() => 0);
    this.#due = this.lines.map(() => 0);
    this.#down = this.lines.map(() => true);
    this.#logins = this.lines.map(() => 0);
    this.#elsewhereAt = this.lines.map(() => 0);
    this.#look();
    this.lines.forEach((_, line) => this.login(line));
  }

  login(line: number): void {
    this.#down[line] = false;
    this.#snapshots[line] = this.lines[line]!.instruments;
  }

  /** The line is lost and logged in again between two samples. */
  relogin(line: number): this {
    this.#logins[line]!++;
    this.login(line);
    return this;
  }

  /** What is found is opened again at once, as a front does that is well or a process that hangs. */
  run(seconds: number): this {
    for (let second = 0; second < seconds; second++) {
      this.#now += stepMs;
      this.lines.forEach((each, line) => this.#tick(each, line));
      for (const line of this.#look()) {
        this.#logins[line]!++;
        if (!this.quick) {
          this.#down[line] = true;
          this.#now += stepMs;
          this.#look();
        }
        this.login(line);
      }
    }
    return this;
  }

  freeze(): this {
    for (const line of this.lines) line.frozen = true;
    return this;
  }

  #tick(each: SimulatedLine, line: number): void {
    if (each.elsewhere > 0) this.#elsewhereAt[line] = this.#now + this.#offset;
    if (each.frozen || this.#down[line]) return;
    const snapshots = Math.min(this.#snapshots[line]!, snapshotsPerSecond);
    this.#snapshots[line]! -= snapshots;
    this.#due[line]! += each.rate;
    const ticks = Math.floor(this.#due[line]!);
    this.#due[line]! -= ticks;
    this.#written[line]! += snapshots + ticks;
  }

  #look(): number[] {
    const wall = this.#now + this.#offset;
    const samples = this.lines.map(({ instruments, stale, known, trades }, line) => ({
      written: this.#written[line]!,
      expecting: !this.#down[line]!,
      logins: this.#logins[line]!,
      instruments: this.#down[line]! ? 0 : instruments,
      evidence: {
        tickedSince: (sinceMs: number) =>
          (sinceMs === 0 ? known : this.#elsewhereAt[line]! > sinceMs) ? 1 : 0,
        stale: () => stale,
        due: () => (trades && (known || this.#written[line]! > 0) ? 1 : 0),
      },
    }));
    const found = this.watch.sample(samples, this.#now, wall);
    for (const { line, silentMs } of found) this.found.push(`${line} after ${silentMs / 1000} s`);
    return found.map(({ line }) => line);
  }
}

const morning = '2026-11-23T10:40:00';

describe('a front that freezes a few seconds after the first subscription', () => {
  it.each(['exchange', 'always'] as const)('is found by its one liquid instrument (hours %s)', (hours) => {
    const world = new World(morning, [{}], hours).run(8).freeze().run(60);
    expect(world.found[0]).toBe('0 after 22 s');
  });

  it('is found sooner by many ticks', () => {
    const world = new World(morning, [{ instruments: 100, rate: 50 }]).run(8).freeze().run(20);
    expect(world.found).toEqual(['0 after 10 s']);
  });

  it('is found together with all others that do', () => {
    const world = new World(
      morning,
      Array.from({ length: 90 }, () => ({ instruments: 20, rate: 20 })),
    )
      .run(8)
      .freeze()
      .run(30);
    expect(new Set(world.found.map((text) => text.split(' ')[0])).size).toBe(90);
  });

  it('is found by ticks of the same instruments on another line', () => {
    const world = new World(morning, [{ instruments: 50, rate: 0.5, elsewhere: 5 }]).run(6).freeze().run(30);
    expect(world.found[0]).toBe('0 after 20 s');
  });

  it('is found by instruments that should be ticking', () => {
    const world = new World(morning, [{ instruments: 50, rate: 0, stale: 3 }]).run(6).freeze().run(40);
    expect(world.found).toEqual(['0 after 30 s']);
  });

  it('is found when it never sends the snapshots of instruments that there are', () => {
    const world = new World(morning, [{ instruments: 50, frozen: true, known: true }]).run(40);
    expect(world.found[0]).toBe('0 after 30 s');
  });
});

describe('a line without a snapshot', () => {
  const asked = { instruments: 50, frozen: true, known: true };

  it('is found only while its instruments trade, and so long after the opening', () => {
    const world = new World('2026-11-23T20:55:00', [{ ...asked, trades: false }]).run(300);
    expect(world.found).toEqual([]);
    world.lines[0]!.trades = true;
    expect(world.run(25).found).toEqual([]);
    expect(world.run(10).found).toEqual(['0 after 329 s']);
  });

  it('is not found all night by instruments of the day', () => {
    expect(new World('2026-11-23T20:54:00', [{ ...asked, trades: false }]).run(3_600).found).toEqual([]);
  });

  it('is not found once more after the session of its instruments', () => {
    const world = new World('2026-11-23T22:50:00', [asked]).run(35);
    expect(world.found).toEqual(['0 after 30 s']);
    world.lines[0]!.trades = false;
    expect(world.run(3_600).found).toHaveLength(1);
  });

  it('is found again where it was opened again within one sample', () => {
    const world = new World(morning, [{}]);
    world.quick = true;
    expect(world.run(8).freeze().run(60).found).toEqual(['0 after 22 s', '0 after 20 s']);
  });
});

describe('no alarm', () => {
  it('sounds often over a quiet line of whose instruments one ticks on other lines alone', () => {
    const world = new World(morning, [{ instruments: 5, rate: 0.05, elsewhere: 1 }], 'always');
    expect(world.run(3 * 3_600).found.length).toBeLessThan(4);
  });

  it('sounds over a connection whose instruments have never ticked', () => {
    const world = new World(morning, [
      { instruments: 500, rate: 0, frozen: true },
      { instruments: 500, rate: 0 },
    ]);
    expect(world.run(3_000).found).toEqual([]);
  });

  it('sounds over the snapshots of a login that took less than a sample', () => {
    const world = new World(morning, [{ instruments: 9_000, rate: 0 }]).run(9).relogin(0);
    expect(world.run(300).found).toEqual([]);
  });

  it('sounds over thousands of snapshots, in a break or in a session', () => {
    for (const start of ['2026-11-23T10:20:00', morning, '2026-11-23T13:30:10', '2026-11-23T12:00:00'])
      expect(new World(start, [{ instruments: 9_000, rate: 0 }]).run(900).found).toEqual([]);
  });

  it('sounds at the ends of sessions, at night, and on a day off', () => {
    for (const start of [
      '2026-11-23T10:14:52',
      '2026-11-23T11:29:52',
      '2026-11-23T14:59:52',
      '2026-11-23T22:59:52',
      '2026-11-24T02:29:52',
      '2026-11-24T04:00:00',
      '2026-11-22T10:40:00',
    ])
      expect(
        new World(start, [{ instruments: 100, rate: 200 }]).run(8).freeze().run(300).found,
        start,
      ).toEqual([]);
  });

  it('sounds over lines that flow slowly', () => {
    for (const rate of [2, 0.5, 0.1, 0.02])
      expect(new World('2026-11-23T13:30:10', [{ rate }]).run(5_000).found, `${rate}`).toEqual([]);
  });

  it('sounds often where ticks come in clusters and the line is quiet in between', () => {
    const world = new World(morning, [{ rate: 0 }], 'always');
    for (let hour = 0; hour < 24; hour++)
      for (let cluster = 0; cluster < 12; cluster++) {
        world.lines[0]!.rate = 2;
        world.run(9);
        world.lines[0]!.rate = 0;
        world.run(291);
      }
    expect(world.found.length).toBeGreaterThan(0);
    expect(world.found.length).toBeLessThan(9);
  });
});
