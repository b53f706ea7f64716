import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { Client } from './client.js';
import { rb, ta, yymm } from './contracts.js';
import { freePorts } from './ports.js';
import { connectionsTo, FrontsProcess, GatewayProcess } from './processes.js';
import { until } from '../helpers/until.js';
import { ScriptedClock } from './week/scriptedClock.js';

// Dates, flags and repairs as clients see them, through the library and a simulated front.

const eg = `eg${yymm}`;

interface Data {
  instrument_id: string;
  timestamp: number;
  datetime: string;
  trading_day: string;
  volume: number;
  turnover: number;
  average: number | null;
  last_price: number | null;
  bid_price1: number | null;
  open_price: number | null;
  close_price: number | null;
  highest_price: number;
  lowest_price: number;
  open_interest: number;
  flags: string[];
  left_out?: string | null;
}

/** 10:05 of a Monday. */
const mondayMs = Date.parse('2026-11-30T10:05:00+08:00');

let fronts: FrontsProcess;
let gateway: GatewayProcess;
let client: Client;

async function start(
  frontArgs: string[] = [],
  config: object = {},
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  const basePort = await freePorts(1);
  fronts = new FrontsProcess(1, basePort, ['--rate', '20', '--control-port', '0', ...frontArgs]);
  gateway = new GatewayProcess({ connections: connectionsTo(basePort, 1), ...config }, [], env);
  await gateway.loggedIn();
  client = await Client.connect(`${await gateway.url()}?protocol=action`);
}

afterEach(async () => {
  await client.close();
  expect([await gateway.stop(), await fronts.stop()]).toEqual([0, 0]);
});

async function subscribe(instruments: string[], options: object = { flags: true }): Promise<void> {
  client.send({ action: 'subscribe', instruments, ...options });
  await client.next('the ack', (frame) => frame['action'] === 'subscribe');
}

async function data(what = 'a push', test: (each: Data) => boolean = () => true): Promise<Data> {
  const frame = await client.next(
    what,
    (each) => each['action'] === 'market_data' && test(each['data'] as Data),
  );
  return frame['data'] as Data;
}

describe('data quality', () => {
  it.each(['production', 'simnow'])(
    'fronts with the dates of %s: live ticks of every exchange have the present time and no flags',
    async (dates) => {
      await start(['--dates', dates]);
      await subscribe([rb, eg, ta]);
      const clean = new Set<string>();
      const days = new Set<string>();
      await data('live ticks of all three', (each) => {
        expect(Math.abs(Date.now() - each.timestamp)).toBeLessThan(60_000);
        expect(each.flags.filter((flag) => flag !== 'snapshot')).toEqual([]);
        days.add(each.trading_day);
        if (each.flags.length === 0) clean.add(each.instrument_id);
        return clean.size === 3;
      });
      // All have one trading day, unless a new one begins just now.
      expect(days.size).toBeLessThanOrEqual(2);
    },
  );

  it.each(['empty_action_day', 'saturday_ticks'])('%s: ticks of the present stay there', async (fault) => {
    await start();
    await fronts.fault(fault, { instruments: [rb, eg] });
    await subscribe([rb, eg]);
    const seen = new Set<string>();
    await data('ticks of both', (each) => {
      expect(Math.abs(Date.now() - each.timestamp)).toBeLessThan(60_000);
      expect(each.flags.includes('repaired_time')).toBe(fault === 'saturday_ticks');
      return seen.add(each.instrument_id).size === 2;
    });
  });

  it('a stale snapshot is flagged, and keeps its time', async () => {
    await start();
    await fronts.fault('stale_snapshot', { age_s: 3600 });
    await subscribe([rb]);
    const first = await data();
    expect(first.flags).toEqual(['snapshot', 'stale']);
    expect(Date.now() - first.timestamp).toBeGreaterThan(3_590_000);
    expect((await data('a live tick', ({ flags }) => !flags.includes('stale'))).flags).toEqual([]);
  });

  it('a falling turnover of CZCE is flagged, and does not fall for clients', async () => {
    await start();
    await fronts.fault('falling_turnover');
    await subscribe([ta]);
    let highest = 0;
    let flagged = 0;
    await data('some that fall', ({ turnover, volume, average, flags }) => {
      expect(turnover).toBeGreaterThanOrEqual(highest);
      highest = turnover;
      // Yuan: five tons of terephthalic acid a lot.
      if (average !== null) expect(turnover / (volume * average * 5)).toBeCloseTo(1, 1);
      if (flags.includes('falling_turnover')) flagged++;
      return flagged === 5;
    });
  });

  it('a calendar that lacks the year is named once, in a warning', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'qactpmd-calendar-'));
    const path = join(folder, 'holidays.json');
    writeFileSync(path, '{"years": {"2020": [20200101]}}');
    await start([], { trading_hours: 'exchange', calendar_file: path });
    await subscribe([rb, eg]);
    await data('ticks of both', ({ instrument_id }) => instrument_id === rb);
    await data('ticks of both', ({ instrument_id }) => instrument_id === eg);
    const year = new Date().getFullYear();
    const warning = `${path} lacks the holidays of ${year}`;
    await gateway.line(new RegExp(`lacks the holidays of ${year}`));
    expect(gateway.lines.filter((line) => line.includes(warning))).toHaveLength(1);
    rmSync(folder, { recursive: true });
  });

  it('a calendar that calls a trading day a holiday is overruled by its trading, and the log says so', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'qactpmd-calendar-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const path = join(folder, 'holidays.json');
    writeFileSync(path, '{"years": {"2026": [20261130]}}');
    const clock = new ScriptedClock(mondayMs);
    onTestFinished(() => clock.close());
    await start(
      ['--hours', 'exchange', '--clock-start', new Date(mondayMs).toISOString()],
      { trading_hours: 'exchange', calendar_file: path, discover_instruments: false },
      clock.env,
    );
    await subscribe(['rb*', 'cu*', 'm*', 'c*', 'TA*']);
    // There is no state that they could replace.
    expect((await data()).flags).toContain('off_session');
    await gateway.line(new RegExp(`20261130 is a holiday in ${path}, but many instruments trade`));
    const { instrument_id: id } = await data(
      'a tick of a session',
      ({ flags }) => !flags.includes('off_session'),
    );
    expect((await gateway.health()).body).toMatchObject({ off_session: { opened_days: [20261130] } });
    const history = `http://127.0.0.1:${await gateway.port()}/api/history/ticks?instrument=${id}`;
    let stored: { readonly ticks: readonly { flags: string[] }[] } = { ticks: [] };
    await until('stored ticks', async () => {
      stored = (await (await fetch(history)).json()) as typeof stored;
      return stored.ticks.length > 0;
    });
    for (const { flags } of stored.ticks) expect(flags).not.toContain('off_session');
  });

  it('0 in place of DBL_MAX is no price', async () => {
    await start();
    await fronts.fault('zero_for_absent');
    await subscribe([rb, eg, ta]);
    for (let i = 0; i < 20; i++) {
      const { close_price: close, open_price: open, average, lowest_price: low, ...each } = await data();
      expect(close).toBeNull();
      expect(open).not.toBe(0);
      if (average !== null) {
        expect(average).toBeGreaterThanOrEqual(low * 0.99);
        expect(average).toBeLessThanOrEqual(each.highest_price * 1.01);
      }
      expect(Number.isInteger(each.open_interest)).toBe(true);
    }
  });

  it('packets with quotes alone: the book follows them, and nothing that was known is lost', async () => {
    await start();
    await subscribe([rb, ta]);
    const known = new Map<string, Data>();
    await data('whole ticks of both', (each) => {
      if (each.open_price !== null) known.set(each.instrument_id, each);
      return known.size === 2;
    });
    await fronts.fault('quotes_alone', { every: 2 });
    const bids = new Set<unknown>();
    let partial = 0;
    await data('some such packets', (each) => {
      const before = known.get(each.instrument_id)!;
      expect(each.volume).toBeGreaterThanOrEqual(before.volume);
      expect(each.turnover).toBeGreaterThanOrEqual(before.turnover);
      expect(each.last_price).toBeGreaterThan(0);
      expect([each.open_price, each.trading_day]).toEqual([before.open_price, before.trading_day]);
      known.set(each.instrument_id, each);
      if (!each.flags.includes('partial')) return false;
      expect([each.volume, each.last_price, each.open_interest]).toEqual([
        before.volume,
        before.last_price,
        before.open_interest,
      ]);
      bids.add(each.bid_price1);
      return ++partial === 60;
    });
    expect(bids.size).toBeGreaterThan(1);
    const { ticks } = (await gateway.health()).body;
    expect([ticks.falling_volume, ticks.reset]).toEqual([0, 0]);
  });

  it('all shows what others are spared: copies, ticks that step back, garbage', async () => {
    await start();
    await subscribe([rb, ta], { all: true });
    await data();
    await fronts.fault('duplicate_ticks', { every: 3 });
    await fronts.fault('regressing_ticks', { every: 4, by_ms: 90_000 });
    await fronts.fault('garbage_ticks', { every: 5, instruments: [rb] });
    const seen = new Map<string, Data>();
    await data('every reason', (each) => {
      if (typeof each.left_out === 'string') seen.set(each.left_out, each);
      return ['duplicate', 'regressed', 'untimed'].every((reason) => seen.has(reason));
    });
    expect(seen.get('regressed')!.flags).toContain('stale');
    expect(seen.get('untimed')!.datetime).toBeNull();
    await subscribe([rb, ta], { all: false, flags: true });
    const { ticks } = (await gateway.health()).body;
    for (const reason of ['duplicate', 'regressed', 'untimed'] as const)
      expect(ticks[reason]).toBeGreaterThan(0);
  });
});
