import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LineRace } from '../../src/coordinator/measures/lineRace.js';
import { SlowRace } from './slowRace.js';

const startMs = Date.UTC(2026, 10, 23, 2);
const stepMs = 500;
const slot = 3;
const morningMs = 10 * 3_600_000;

/** A race on one slot between `lines` lines; ticks are numbered, the volume rises by one. */
function between(lines: number): {
  race: LineRace;
  deliver: (source: number, tick: number, delayMs?: number) => void;
} {
  const race = new LineRace();
  race.follow(slot, lines);
  const deliver = (source: number, tick: number, delayMs = 0): void =>
    race.tick(source, slot, tick, morningMs + tick * stepMs, startMs + tick * stepMs + delayMs);
  return { race, deliver };
}

/** Percentiles come from buckets. */
const about = (ms: number): unknown => expect.closeTo(ms, ms < 16 ? 0 : ms < 160 ? -1 : -2);

describe('two lines of an instrument', () => {
  it('are compared by receive time, whichever ring is read first', () => {
    const { race, deliver } = between(2);
    for (let tick = 0; tick < 50; tick++) {
      deliver(1, tick, 20);
      deliver(0, tick);
    }
    expect(race.take(0)).toEqual({ delayP50Ms: 0, delayP99Ms: 0, firstShare: 1, gapShare: 0, samples: 40 });
    expect(race.take(1)).toEqual({
      delayP50Ms: about(20),
      delayP99Ms: about(20),
      firstShare: 0,
      gapShare: 0,
      samples: 40,
    });
  });

  it('have percentiles of their own delays, and share the first arrivals', () => {
    const { race, deliver } = between(2);
    for (let tick = 0; tick < 110; tick++) {
      deliver(0, tick, tick % 4 === 0 ? 80 : 0);
      deliver(1, tick, tick % 50 === 1 ? 300 : 10);
    }
    expect(race.take(0)).toMatchObject({ delayP50Ms: 0, delayP99Ms: about(70), firstShare: 0.75 });
    expect(race.take(1)).toMatchObject({ delayP50Ms: about(10), delayP99Ms: about(300), firstShare: 0.25 });
  });

  it('are told how many ticks they never had', () => {
    const { race, deliver } = between(2);
    for (let tick = 0; tick < 90; tick++) {
      if (tick % 20 !== 7) deliver(0, tick);
      deliver(1, tick, 200);
    }
    expect(race.take(0)).toMatchObject({ gapShare: 0.05, samples: 76 });
    expect(race.take(1)).toMatchObject({ gapShare: 0, samples: 80 });
  });

  it('are not called first with a tick that comes after a newer one of the other line', () => {
    const { race, deliver } = between(2);
    for (let tick = 0; tick < 60; tick++) {
      if (tick !== 30) deliver(0, tick);
      if (tick > 0) deliver(1, tick - 1, 600);
    }
    expect(race.take(1).firstShare).toBe(0);
    expect(race.take(1).samples).toBeGreaterThan(40);
  });

  it('count two ticks of the same volume and time as one', () => {
    const { race } = between(2);
    for (let tick = 0; tick < 60; tick++) {
      const time = morningMs + Math.floor(tick / 2) * 1000;
      for (const source of [0, 1])
        race.tick(source, slot, Math.floor(tick / 2), time, startMs + tick * 250 + source * 5);
    }
    expect(race.take(0)).toMatchObject({ firstShare: 1, gapShare: 0, samples: 21 });
    expect(race.take(1)).toMatchObject({ delayP99Ms: about(5), gapShare: 0, samples: 21 });
  });

  it('may be so far apart that the memory is too short: the delay is told by its lower bound', () => {
    const { race, deliver } = between(2);
    for (let tick = 0; tick < 100; tick++) {
      deliver(0, tick);
      if (tick >= 20) deliver(1, tick - 20, 20 * stepMs + 1);
    }
    const { delayP50Ms, gapShare, samples } = race.take(1);
    expect(delayP50Ms).toBeGreaterThan(3_000);
    expect(delayP50Ms).toBeLessThan(10_000);
    expect(gapShare).toBe(0);
    expect(samples).toBeGreaterThan(60);
    expect(race.take(0).gapShare).not.toBeGreaterThan(0);
  });
});

describe('an instrument', () => {
  it('with one line is no race, nor with two of which one never ticks', () => {
    const { race, deliver } = between(1);
    for (let tick = 0; tick < 50; tick++) for (const source of [0, 1]) deliver(source, tick);
    expect(race.take(0).samples).toBe(0);
    race.follow(slot, 2);
    for (let tick = 50; tick < 100; tick++) deliver(0, tick);
    expect(race.take(0)).toEqual({
      delayP50Ms: NaN,
      delayP99Ms: NaN,
      firstShare: NaN,
      gapShare: NaN,
      samples: 0,
    });
  });

  it('that goes down to one line is raced no more, and start again with the next second one', () => {
    const { race, deliver } = between(2);
    for (let tick = 0; tick < 20; tick++) for (const source of [0, 1]) deliver(source, tick);
    const { samples } = race.take(0);
    race.follow(slot, 1);
    for (let tick = 20; tick < 40; tick++) for (const source of [0, 1]) deliver(source, tick);
    expect(race.take(0).samples).toBe(samples);
    race.follow(slot, 2);
    for (let tick = 40; tick < 60; tick++) for (const source of [0, 1]) deliver(source, tick);
    expect(race.take(0).samples).toBe(2 * samples);
  });

  it('is raced apart from the others, however many there are', () => {
    const race = new LineRace();
    const slots = [0, 5, 1_500, 40_000, ...Array.from({ length: 300 }, (_, i) => 100 + i)];
    for (const each of slots) race.follow(each, 2);
    for (let tick = 0; tick < 11; tick++)
      slots.forEach((each, index) => {
        race.tick(index % 5, each, tick, tick * stepMs, startMs + tick * stepMs);
        race.tick(5, each, tick, tick * stepMs, startMs + tick * stepMs + 10);
      });
    expect(race.take(0)).toMatchObject({ firstShare: 1, gapShare: 0, samples: Math.ceil(slots.length / 5) });
    expect(race.take(5)).toMatchObject({ firstShare: 0, gapShare: 0, samples: slots.length });
  });

  it('continues while others are added to the race', () => {
    const { race, deliver } = between(2);
    for (let tick = 0; tick < 30; tick++) {
      deliver(0, tick);
      deliver(1, tick, 20);
      if (tick === 20) for (let other = 100; other < 5_000; other++) race.follow(other, 2);
    }
    expect(race.take(0)).toMatchObject({ firstShare: 1, samples: 20 });
    expect(race.take(1)).toMatchObject({ delayP50Ms: about(20), delayP99Ms: about(20), firstShare: 0 });
  });

  it('can have ninety lines one after the other, and eight at once', () => {
    const { race, deliver } = between(2);
    for (let tick = 0; tick < 900; tick++) {
      deliver(200, tick, 3);
      deliver(Math.floor(tick / 20), tick);
    }
    expect(race.take(44)).toMatchObject({ firstShare: 1, gapShare: 0 });
    expect(race.take(44).samples).toBeGreaterThan(5);
    const eight = between(8);
    for (let tick = 0; tick < 50; tick++)
      for (let source = 0; source < 9; source++) eight.deliver(source, tick);
    for (let source = 0; source < 8; source++) expect(eight.race.take(source).samples).toBe(40);
    expect(eight.race.take(8).samples).toBe(0);
  });
});

describe('nothing is held against a line', () => {
  it('that joins, with an old snapshot first, nor against the one that it replaces', () => {
    const { race, deliver } = between(2);
    for (let tick = 0; tick < 100; tick++) {
      deliver(0, tick);
      if (tick <= 50) deliver(1, tick, 5);
      if (tick === 47) deliver(2, 10, 37 * stepMs);
      if (tick === 48) deliver(3, 47, stepMs);
      if (tick >= 49) {
        deliver(2, tick, 7);
        deliver(3, tick, 8);
      }
    }
    for (const [source, delay] of [
      [1, 5],
      [2, 7],
      [3, 8],
    ] as const)
      expect(race.take(source)).toMatchObject({ delayP99Ms: about(delay), gapShare: 0 });
  });

  it('that was down, if its session is forgotten', () => {
    for (const forgets of [true, false]) {
      const { race, deliver } = between(2);
      for (let tick = 0; tick < 60; tick++) {
        deliver(0, tick);
        if (tick === 30 && forgets) race.forget(1);
        if (tick === 34 && forgets) race.forget(1);
        if (tick === 34) deliver(1, 33, stepMs);
        if (tick < 30 || tick > 34) deliver(1, tick, 5);
      }
      const { gapShare, delayP99Ms } = race.take(1);
      if (forgets) {
        expect(gapShare).toBe(0);
        expect(delayP99Ms).toEqual(about(5));
      } else {
        expect(gapShare).toBeGreaterThan(0);
      }
    }
  });

  it('over midnight, in which times step back and volumes do not', () => {
    const { race } = between(2);
    const day = 24 * 3_600_000;
    for (let tick = -30; tick < 30; tick++) {
      const time = (day + tick * stepMs) % day;
      for (const source of [0, 1])
        race.tick(source, slot, 5_000 + Math.floor((tick + 3) / 7), time, startMs + tick * stepMs + source);
    }
    expect(race.take(0)).toMatchObject({ firstShare: 1, gapShare: 0, samples: 50 });
    expect(race.take(1)).toMatchObject({ delayP99Ms: about(1), gapShare: 0, samples: 50 });
  });

  it('over a new trading day, in which volumes start again', () => {
    for (const before of [3, 40]) {
      const { race } = between(2);
      for (let tick = 0; tick < before; tick++)
        for (const source of [0, 1])
          race.tick(source, slot, 90_000 + tick, 15 * 3_600_000, startMs + tick * stepMs);
      const nextMs = startMs + 18 * 3_600_000;
      for (let tick = 0; tick < 40; tick++)
        for (const source of [0, 1])
          race.tick(source, slot, tick, 9 * 3_600_000 + tick * stepMs, nextMs + tick * stepMs + 4 * source);
      expect(race.take(0)).toMatchObject({ delayP99Ms: 0, firstShare: 1, gapShare: 0 });
      expect(race.take(1)).toMatchObject({ delayP99Ms: about(4), firstShare: 0, gapShare: 0 });
      expect(race.take(1).samples).toBeGreaterThan(20);
    }
  });

  it('after a tick with a garbage volume', () => {
    const { race, deliver } = between(2);
    for (let tick = 0; tick < 100; tick++) {
      if (tick === 50) race.tick(1, slot, 2_000_000_000, morningMs, startMs + tick * stepMs);
      deliver(0, tick);
      deliver(1, tick, 5);
    }
    expect(race.take(0)).toMatchObject({ delayP99Ms: 0, firstShare: 1, gapShare: 0 });
    expect(race.take(1)).toMatchObject({ delayP99Ms: about(5), firstShare: 0, gapShare: 0 });
    expect(race.take(0).samples).toBeGreaterThan(60);
  });

  it('for ticks without a usable time', () => {
    const { race } = between(2);
    for (let tick = 0; tick < 50; tick++) race.tick(tick % 2, slot, tick, -1, startMs + tick);
    expect([race.take(0).samples, race.take(1).samples]).toEqual([0, 0]);
  });
});

describe('the figures', () => {
  it('are of the last half to whole minute', () => {
    const { race, deliver } = between(2);
    for (let tick = 0; tick < 360; tick++) {
      deliver(0, tick);
      deliver(1, tick, tick < 200 ? 40 : 2);
      if (tick === 195) expect(race.take(1)).toMatchObject({ delayP50Ms: about(40) });
    }
    expect(race.take(1)).toMatchObject({ delayP50Ms: about(2), delayP99Ms: about(2) });
    expect(race.take(1).samples).toBeGreaterThanOrEqual(60);
    expect(race.take(1).samples).toBeLessThanOrEqual(120);
  });

  it('are gone after a long pause, and when the clock of the host was set back', () => {
    for (const jumpMs of [3_600_000, -3_600_000]) {
      const { race, deliver } = between(2);
      for (let tick = 0; tick < 40; tick++) for (const source of [0, 1]) deliver(source, tick);
      expect(race.take(0).samples).toBe(30);
      race.tick(0, slot, 40, morningMs + 40 * stepMs, startMs + 40 * stepMs + jumpMs);
      expect(race.take(0).samples).toBeLessThan(2);
    }
  });
});

const lineCount = 5;
const source = fc.nat(lineCount - 1);
const action = fc.oneof(
  { weight: 200, arbitrary: fc.record({ type: fc.constant('next'), source, passedMs: fc.nat(40) }) },
  {
    weight: 800,
    arbitrary: fc.record({ type: fc.constant('copy'), source, passedMs: fc.nat(10), back: fc.nat(3) }),
  },
  {
    weight: 40,
    arbitrary: fc.record({ type: fc.constant('copy'), source, passedMs: fc.nat(10), back: fc.nat(20) }),
  },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('wild'), source, volume: fc.nat(200) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('day'), source }) },
  { weight: 4, arbitrary: fc.record({ type: fc.constant('wait'), passedMs: fc.nat(50_000) }) },
  { weight: 4, arbitrary: fc.record({ type: fc.constant('forget'), source }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('follow'), lines: fc.nat(3) }) },
);
type Action = typeof action extends fc.Arbitrary<infer T> ? T : never;

function play(race: LineRace | SlowRace, actions: readonly Action[]): void {
  let now = startMs;
  let newest = 1000;
  let time = 12 * 3_600_000;
  const tick = (source: number, volume: number, at: number): void => race.tick(source, 0, volume, at, now);
  race.follow(0, 2);
  for (const each of actions) {
    if ('passedMs' in each) now += each.passedMs / 4;
    if (each.type === 'next' && 'source' in each) {
      newest++;
      time += 250;
      tick(each.source, Math.floor(newest / 2), time);
    } else if ('back' in each) {
      tick(each.source, Math.floor((newest - each.back) / 2), time - 250 * each.back);
    } else if ('volume' in each) {
      tick(each.source, each.volume * 10, time);
    } else if (each.type === 'day' && 'source' in each) {
      newest = 0;
      tick(each.source, newest, time);
    } else if ('lines' in each) {
      race.follow(0, each.lines);
    } else if ('source' in each) {
      race.forget(each.source);
    }
  }
}

describe('any history', () => {
  const sameFigures = (race: LineRace, model: SlowRace): void => {
    for (let source = 0; source < lineCount; source++) {
      const found = race.take(source);
      const expected = model.take(source);
      expect({ ...found, delayP50Ms: 0, delayP99Ms: 0 }).toEqual({
        ...expected,
        delayP50Ms: 0,
        delayP99Ms: 0,
      });
      for (const name of ['delayP50Ms', 'delayP99Ms'] as const) {
        if (Number.isNaN(expected[name])) expect(found[name]).toBeNaN();
        else expect(Math.abs(found[name] - expected[name])).toBeLessThanOrEqual(expected[name] / 32 + 0.001);
      }
    }
  };

  it('gives the figures of a slow model: lines with delays, losses, repeats, joins and leaves', () => {
    const line = fc.record({
      delayMs: fc.nat(2_000),
      jitterMs: fc.nat(300),
      lossPercent: fc.nat(40),
      repeatPercent: fc.nat(20),
      from: fc.nat(40),
      length: fc.integer({ min: 10, max: 120 }),
    });
    fc.assert(
      fc.property(
        fc.array(line, { minLength: 2, maxLength: lineCount }),
        fc.integer({ min: 1, max: 40 }),
        fc.infiniteStream<number>(fc.nat(99)),
        (lines, batchMs, dice) => {
          const roll = (): number => (dice.next() as IteratorYieldResult<number>).value;
          const arrivals = lines.flatMap((each, source) => {
            let lastMs = -Infinity;
            return Array.from({ length: each.length }, (_, i) => each.from + i).flatMap((tick) => {
              if (roll() < each.lossPercent) return [];
              const atMs = tick * 150 + each.delayMs + Math.floor((roll() * each.jitterMs) / 100);
              lastMs = Math.max(lastMs + 1, atMs);
              const one = { source, tick, atMs: lastMs };
              return roll() < each.repeatPercent ? [one, { ...one, atMs: ++lastMs }] : [one];
            });
          });
          // The rings are read one after the other, batch by batch.
          const batch = (atMs: number): number => Math.floor(atMs / (10 * batchMs));
          arrivals.sort((a, b) => batch(a.atMs) - batch(b.atMs) || a.source - b.source || a.atMs - b.atMs);
          const race = new LineRace();
          const model = new SlowRace();
          for (const each of [race, model]) {
            each.follow(0, lines.length);
            for (const { source, tick, atMs } of arrivals)
              each.tick(source, 0, Math.floor(tick / 3), tick * 150, startMs + atMs);
          }
          sameFigures(race, model);
        },
      ),
    );
  });

  it('gives the figures of a slow model: anything at all', () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 1_000, size: 'max' }), (actions) => {
        const race = new LineRace();
        const model = new SlowRace();
        play(race, actions);
        play(model, actions);
        sameFigures(race, model);
      }),
    );
  });
});
