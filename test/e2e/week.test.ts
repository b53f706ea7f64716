import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { liveContracts } from '../../src/market/instruments/contracts.js';
import { loadCalendar } from '../../src/market/calendar/holidayCalendar.js';
import { loadProducts } from '../../src/market/instruments/products.js';
import type { SessionsReport } from '../../src/market/sessions/sessionBoard.js';
import { until, untilCounted, untilIs } from '../helpers/until.js';
import { firstDays, lastDays, products, stateAt, weekBegin, weekEnd } from './week/calendar.js';
import { productOf, WeekChecker, type SeenTick } from './week/checker.js';
import { Simulation } from './week/simulation.js';

// Eleven days of all futures in half a minute: two weekends, a holiday without its night, expiries, new listings.

const deadlineMs = 400_000;
const dayMs = 86_400_000;
const everything = ['SHFE.*', 'INE.*', 'DCE.*', 'CZCE.*', 'CFFEX.*', 'GFEX.*'];
const begin = Date.parse(weekBegin);
const shanghai = (text: string): number => Date.parse(`${text}:00+08:00`);
/** After the last prices of days on which contracts expire, and when those that take their place are listed. */
const rollovers = [
  { from: shanghai('2026-09-18T17:30'), to: shanghai('2026-09-18T20:10'), added: 4 },
  { from: shanghai('2026-09-24T17:30'), to: shanghai('2026-09-24T20:10'), added: 4 + 7 },
];

let simulation: Simulation;
let stop: () => Promise<(number | null)[]>;
/** Takes what the client receives. */
let take: (tick: SeenTick) => void;
/** What came before it was checked. */
let early: SeenTick[];
/** The newest tick's time. */
let reached: number;

beforeEach(() => {
  stop = () => Promise.resolve([0, 0]);
  reached = 0;
  early = [];
  take = (tick) => early.push(tick);
});

afterEach(async () => {
  expect(await stop()).toEqual([0, 0]);
});

async function start(dates: 'production' | 'simnow', aheadMs: number): Promise<void> {
  simulation = await Simulation.start(dates, weekBegin, aheadMs, (tick) => {
    reached = Math.max(reached, tick.timestamp);
    take(tick);
  });
  stop = () => simulation.stop();
}

/** Subscribes and gives the bare ids that this comes to, once each has its snapshot. */
async function subscribe(instruments: readonly string[]): Promise<string[]> {
  const { client } = simulation;
  client.subscribe(instruments);
  const ack = await until('the acknowledgement', () => client.take('subscribe'));
  const ids = ack.instruments!.map((key) => key.slice(key.indexOf('.') + 1));
  const seen = (): number => new Set(early.map(({ instrument }) => instrument)).size;
  await untilCounted('a snapshot of each', seen, ids.length);
  return ids;
}

/** Hands over what the client has received, and will receive. */
function check(checker: WeekChecker): void {
  take = (tick) => checker.take(tick);
  for (const tick of early) checker.take(tick);
}

/** Waits for a tick of that time: ticks come in order, so that all earlier ones have come then. */
async function ticksOf(time: string): Promise<void> {
  await until(`ticks of ${time}`, () => reached >= shanghai(time));
}

/** Products whose state is not the one that was written down for the report's time. */
function wrongStates({ time, products: rows }: SessionsReport): string[] {
  return rows
    .filter(({ product }) => products.includes(product))
    .filter(({ product, state }) => state !== stateAt(product, Date.parse(time)))
    .map(
      ({ product, state }) => `${product} at ${time}: ${state}, not ${stateAt(product, Date.parse(time))}`,
    );
}

describe('the week', () => {
  it(
    'as production fronts date it: every tick, session, expiry and new listing of every product',
    async () => {
      await start('production', 0);
      const { client, gateway, fronts } = simulation;
      const listed = await subscribe(everything);
      expect(new Set(listed.map(productOf))).toEqual(new Set(products));
      expect(listed).toEqual(expect.arrayContaining(Object.keys(lastDays)));
      expect(listed.filter((id) => id in firstDays)).toEqual([]);

      const to = Date.parse(weekEnd);
      const checker = new WeekChecker([...listed, ...Object.keys(firstDays)], begin, to);
      check(checker);
      const wrong: string[] = [];
      const states = new Set<string>();
      const look = async (): Promise<void> => {
        const report = await simulation.sessions();
        wrong.push(...wrongStates(report));
        for (const { state } of report.products) states.add(state);
      };
      let added = 0;
      for (const rollover of rollovers) {
        await simulation.runUntil(rollover.from, look);
        await simulation.skipTo(rollover.to);
        const { patterns } = await until('the new listings', () => client.take('listing'));
        added += Object.values(patterns!).flatMap((each) => each.added).length;
        expect(added).toBe(rollover.added);
        const wanted = listed.length + added;
        await untilIs('their subscriptions', async () => (await fronts.load()).subscriptions, wanted);
      }
      await simulation.runUntil(to, look);
      await simulation.runUntil(shanghai('2026-09-28T21:20'));
      await ticksOf('2026-09-28T21:00');
      expect(checker.finish()).toEqual([]);
      expect(wrong).toEqual([]);
      expect([...states].sort()).toEqual(['auction', 'break', 'closed', 'night', 'trading']);

      client.listInstruments();
      const { instruments } = await until('the list', () => client.take('list_instruments'));
      expect(instruments).toEqual(expect.arrayContaining(Object.keys(firstDays)));
      expect(instruments!.filter((id) => id in lastDays)).toEqual([]);
      const { ticks } = (await gateway.health()).body;
      expect([ticks.missed, ticks.untimed]).toEqual([0, 0]);
    },
    deadlineMs,
  );

  it(
    'as SimNow dates it, over a weekend, read by a gateway days later',
    async () => {
      await start('simnow', 3 * dayMs);
      const contracts = liveContracts(loadProducts(), new Date(begin), loadCalendar());
      const listed = await subscribe(contracts.map(({ id }) => id));
      expect(new Set(listed.map(productOf))).toEqual(new Set(products));
      const to = shanghai('2026-09-21T17:05');
      const checker = new WeekChecker(listed, begin, to);
      check(checker);
      await simulation.runUntil(shanghai('2026-09-21T21:20'));
      await ticksOf('2026-09-21T21:00');
      expect(checker.finish()).toEqual([]);
    },
    deadlineMs,
  );
});
