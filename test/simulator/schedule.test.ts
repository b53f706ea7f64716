import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { arrivalKinds, TickFeed, type FeedSettings } from '../../src/simulator/tickFeed.js';
import { buildNative } from './nativeClient.js';
import { fieldsOf } from './tickFields.js';

const start = Date.UTC(2026, 10, 24, 2);
const ids = Array.from({ length: 80 }, (_, i) => `cu2701C${50000 + 500 * i}`);
const volume = 136;
const openInterest = 152;
const opened: TickFeed[] = [];

beforeAll(buildNative);
afterEach(() => {
  for (const feed of opened.splice(0)) feed.close();
});

function openFeed(settings: Partial<FeedSettings>): TickFeed {
  const feed = new TickFeed(settings);
  opened.push(feed);
  return feed;
}

interface Received {
  readonly index: number;
  readonly now: number;
  readonly text: string;
  readonly volume: number;
  readonly openInterest: number;
}

/** What a feed hands over when someone begins to look at `from` and looks every few ms. */
function run(settings: Partial<FeedSettings>, from: number, to: number, everyMs = 1): Received[] {
  const feed = openFeed(settings);
  for (const id of ids) feed.setActive(feed.add(id), true, from);
  const received: Received[] = [];
  for (let now = from; now <= to; now += everyMs) {
    feed.collect(now, (index, frames, begin, end) => {
      const frame = frames.subarray(begin, end);
      const fields = fieldsOf(frame);
      const [v, oi] = [Number(fields[volume]), Number(fields[openInterest])];
      received.push({ index, now, text: frame.toString('latin1'), volume: v, openInterest: oi });
    });
  }
  return received;
}

const ofInstrument = (ticks: readonly Received[], index: number): Received[] =>
  ticks.filter((tick) => tick.index === index);

describe.each(arrivalKinds)('%s arrivals', (arrivals) => {
  it('are the same for everyone, whenever he begins to look', () => {
    const early = run({ arrivals, rate: 4 }, start, start + 20_000);
    const late = run({ arrivals, rate: 4 }, start + 7_333, start + 20_000, 7);
    const since = early.filter((tick) => tick.now > start + 7_333);
    // The last look of one may be earlier than that of the other.
    expect(late.length).toBeGreaterThan(since.length - ids.length);
    for (const [i] of ids.entries()) {
      const expected = ofInstrument(since, i).map((tick) => tick.text);
      const got = ofInstrument(late, i).map((tick) => tick.text);
      expect(got).toEqual(expected.slice(0, got.length));
    }
  });

  it('have the stated rate', () => {
    const count = run({ arrivals, rate: 4 }, start, start + 20_000, 5).length;
    const expected = ids.length * 4 * 20;
    // Four standard deviations of a Poisson count.
    expect(Math.abs(count - expected)).toBeLessThan(4 * Math.sqrt(expected));
  });

  it('number an instrument’s ticks and state their times in a bench run, alike on every front', () => {
    const settings = { arrivals, rate: 20, benchStartUs: start * 1000 + 123 };
    const first = run(settings, start - 1000, start + 4_000);
    const second = run(settings, start + 2_000, start + 4_000, 4);
    for (const [i] of ids.entries()) {
      const mine = ofInstrument(first, i);
      expect(mine.map((tick) => tick.volume)).toEqual(mine.map((_, n) => n + 1));
      for (const tick of mine) {
        expect(Number.isInteger(tick.openInterest)).toBe(true);
        const lateness = tick.now - (start + 0.123 + tick.openInterest / 1000);
        expect(lateness).toBeGreaterThan(-1);
        expect(lateness).toBeLessThan(2);
      }
      const theirs = ofInstrument(second, i);
      expect(theirs.length).toBeGreaterThan(10);
      const sent = new Map(mine.map((tick) => [tick.volume, tick.openInterest]));
      for (const tick of theirs) expect(tick.openInterest).toBe(sent.get(tick.volume));
      expect(theirs.map((tick) => tick.volume)).toEqual(theirs.map((_, n) => theirs[0]!.volume + n));
    }
  });
});

it('poisson arrivals are independent: exponential gaps, never two in one ms', () => {
  const rate = 20;
  const ticks = run({ arrivals: 'poisson', rate }, start, start + 20_000);
  const gaps = ids.flatMap((_, i) => {
    const times = ofInstrument(ticks, i).map((tick) => tick.now);
    return times.slice(1).map((time, n) => time - times[n]!);
  });
  expect(gaps.every((gap) => gap >= 1)).toBe(true);
  for (const ms of [10, 50, 100, 200]) {
    const share = gaps.filter((gap) => gap > ms).length / gaps.length;
    expect(Math.abs(share - Math.exp((-rate * ms) / 1000))).toBeLessThan(0.02);
  }
});

it('bursts come all together within ten milliseconds of each half second', () => {
  const ticks = run({ arrivals: 'burst', rate: 2 }, start - 1, start + 4_999);
  for (const tick of ticks) expect(tick.now % 500).toBeLessThan(10);
  expect(ticks.length).toBe(ids.length * 10);
});

it('before a bench run begins there is nothing, not even a snapshot', () => {
  const feed = openFeed({ benchStartUs: start * 1000 });
  const index = feed.add(ids[0]!);
  expect(feed.newestFrame(index, start - 1)).toBeUndefined();
  const frame = feed.newestFrame(index, start + 1000)!;
  expect([1, 2, 3]).toContain(fieldsOf(frame)[volume]);
});
