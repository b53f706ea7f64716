import { describe, expect, it } from 'vitest';
import { loadProducts } from '../../../src/market/instruments/products.js';
import { products, stateAt, stretchesOf, tradingDays, weekBegin, weekEnd } from './calendar.js';
import { WeekChecker, type SeenTick } from './checker.js';

// The checker itself, with streams whose faults are known.

const shanghai = (text: string): number => Date.parse(`${text}+08:00`);
const shown = (timeMs: number): string =>
  new Date(timeMs + 8 * 3_600_000).toISOString().slice(0, 23).replace('T', ' ');
const contracts = { rb: 'rb2701', au: 'au2612', si: 'si2701', IF: 'IF2609', T: 'T2612', l_f: 'l2701F' };
/** Listed when IF2609 has expired. */
const newContract = 'IF2611';
type Code = keyof typeof contracts;

function tick(instrument: string, at: number, tradingDay: string, volume: number): SeenTick {
  return { instrument, timestamp: at, datetime: shown(at), tradingDay, volume };
}

/** What a contract sends in a right week: one tick in each stretch, the last of each session at its end. */
function rightWeek(code: Code, id: string = contracts[code], from = '20260918', to = '20260928'): SeenTick[] {
  const ticks: SeenTick[] = [];
  for (const day of tradingDays) {
    if (day.day < from || day.day > to) continue;
    stretchesOf(code, day).forEach(({ kind, from: begin, to: end }, index) => {
      const at = kind === 'auction' ? end - 500 : kind === 'status' ? begin + 1_200_000 : begin + 500;
      ticks.push(tick(id, at, day.day, 10 * index));
      if (kind === 'night' || kind === 'trading') ticks.push(tick(id, end + 500, day.day, 10 * index + 5));
    });
  }
  return ticks.sort((a, b) => a.timestamp - b.timestamp);
}

/** Everything that the checker expects of the contracts above. */
function rightStream(): SeenTick[] {
  return [
    ...(Object.keys(contracts) as Code[]).flatMap((code) =>
      rightWeek(code, contracts[code], '20260918', code === 'IF' ? '20260918' : '20260928'),
    ),
    ...rightWeek('IF', newContract, '20260921'),
  ];
}

function faultsOf(stream: readonly SeenTick[]): string[] {
  const all = [...Object.values(contracts), newContract];
  const checker = new WeekChecker(all, Date.parse(weekBegin), Date.parse(weekEnd));
  for (const each of stream) checker.take(each);
  return checker.finish();
}

function changed(change: (ticks: SeenTick[]) => SeenTick[]): string[] {
  return faultsOf(change(rightStream()));
}

const at = (text: string) => (each: SeenTick) => each.datetime.startsWith(text);
const of = (instrument: string) => (each: SeenTick) => each.instrument === instrument;

describe('the week as written down', () => {
  it('has every product of the product table that has futures, and no other', () => {
    const listed = [...loadProducts().values()].filter(({ listing }) => listing !== 'none');
    expect([...products].sort()).toEqual(listed.map(({ product }) => product).sort());
  });

  it.each([
    ['au', '2026-09-19T02:00:00', 'night'],
    ['au', '2026-09-21T02:00:00', 'closed'],
    ['au', '2026-09-24T21:30:00', 'closed'],
    ['au', '2026-09-25T10:00:00', 'closed'],
    ['au', '2026-09-28T08:57:00', 'auction'],
    ['IF', '2026-09-18T12:00:00', 'break'],
    ['T', '2026-09-18T15:10:00', 'trading'],
  ])('%s at %s: %s', (product, time, state) => {
    expect(stateAt(product, shanghai(time))).toBe(state);
  });
});

describe('a right stream', () => {
  it('has no faults', () => {
    expect(faultsOf(rightStream())).toEqual([]);
  });

  it('may begin with what was so before the week', () => {
    const snapshot = tick('rb2701', shanghai('2026-09-17T16:10:00'), '20260917', 900);
    expect(faultsOf([snapshot, ...rightStream()])).toEqual([]);
  });
});

describe('a fault is found:', () => {
  it('a night tick with the next day as its date', () => {
    const faults = changed((ticks) =>
      ticks.map((each) =>
        of('rb2701')(each) && at('2026-09-21 21:00')(each)
          ? tick('rb2701', each.timestamp + 86_400_000, each.tradingDay, each.volume)
          : each,
      ),
    );
    expect(faults[0]).toBe(
      'rb2701 at 2026-09-22 21:00:00.500 of trading day 20260922: its product has no session then',
    );
  });

  it('Friday’s night after midnight with the date of Monday', () => {
    const late = tick('au2612', shanghai('2026-09-21T01:30:00'), '20260921', 12);
    expect(changed((ticks) => [...ticks.filter((each) => each.timestamp < late.timestamp), late])[0]).toBe(
      'au2612 at 2026-09-21 01:30:00.000 of trading day 20260921: its product has no session then',
    );
  });

  it('a night that is accounted to the day before', () => {
    const faults = changed((ticks) =>
      ticks.map((each) =>
        of('au2612')(each) && at('2026-09-18 21:00')(each) ? { ...each, tradingDay: '20260918' } : each,
      ),
    );
    expect(faults[0]).toMatch(
      /^au2612 at 2026-09-18 21:00:00.500 of trading day 20260918: its product has no session/,
    );
  });

  it.each([
    ['a weekend', '2026-09-19T10:00:00', '20260921'],
    ['the holiday', '2026-09-25T10:00:00', '20260928'],
    ['the night before the holiday', '2026-09-24T21:30:00', '20260928'],
    ['a break', '2026-09-22T12:00:00', '20260922'],
    ['four seconds after an end', '2026-09-22T10:15:04', '20260922'],
    ['the time between close and night', '2026-09-22T17:30:00', '20260922'],
    ['the minutes of an auction before its last', '2026-09-22T20:56:00', '20260923'],
  ])('a tick in %s', (_, time, day) => {
    const stray = tick('rb2701', shanghai(time), day, 99);
    const before = rightStream().filter((each) => each.timestamp < stray.timestamp);
    expect(faultsOf([...before, stray])[0]).toContain('its product has no session then');
  });

  it('a trading day that is none', () => {
    const holiday = tick('rb2701', shanghai('2026-09-25T10:00:00'), '20260925', 1);
    expect(faultsOf([holiday])[0]).toContain('its trading day is none of the week');
  });

  it('a timestamp that is not its text', () => {
    const [first, ...others] = rightStream();
    expect(faultsOf([{ ...first!, datetime: '2026-09-17 20:59:59.005' }, ...others])[0]).toMatch(
      /its timestamp \d+ is 2026-09-17 20:59:59.499/,
    );
  });

  it('a product that is silent in one of its sessions', () => {
    expect(
      changed((ticks) =>
        ticks.filter(
          (each) =>
            !(
              of('T2612')(each) &&
              at('2026-09-23 1')(each) &&
              each.timestamp >= shanghai('2026-09-23T13:00:00') &&
              each.volume < 30
            ),
        ),
      ),
    ).toEqual(['T2612: no tick in trading from 2026-09-23 13:00:00 to 2026-09-23 15:15:00']);
    expect(
      changed((ticks) =>
        ticks.filter((each) => !(of('rb2701')(each) && at('2026-09-17 2')(each) && each.volume > 0)),
      ),
    ).toEqual(['rb2701: no tick in night from 2026-09-17 21:00:00 to 2026-09-17 23:00:00']);
  });

  it('an auction without its tick', () => {
    expect(
      changed((ticks) => ticks.filter((each) => !(of('si2701')(each) && at('2026-09-28 08:59')(each)))),
    ).toEqual(['si2701: no tick in auction from 2026-09-28 08:55:00 to 2026-09-28 08:59:59']);
  });

  it('a contract that continues after its last day', () => {
    const late = tick('IF2609', shanghai('2026-09-21T09:30:00'), '20260921', 1);
    const faults = faultsOf([...rightStream().filter((each) => each.timestamp < late.timestamp), late]);
    expect(faults[0]).toContain('the contract has expired');
  });

  it('a contract that ticks before it is listed, and one that nobody has asked for', () => {
    const early = tick('IF2611', shanghai('2026-09-18T09:30:00'), '20260918', 1);
    const stranger = tick('IF2710', shanghai('2026-09-18T09:30:00'), '20260918', 1);
    expect(faultsOf([early])[0]).toContain('the contract is not listed yet');
    expect(faultsOf([stranger])[0]).toContain('it was not subscribed');
  });

  it('a new contract that does not begin', () => {
    expect(changed((ticks) => ticks.filter((each) => !of(newContract)(each)))).toContain(
      'IF2611: no tick in auction from 2026-09-21 09:25:00 to 2026-09-21 09:29:59',
    );
  });

  it('volume and time that step back', () => {
    const first = tick('rb2701', shanghai('2026-09-22T09:30:00'), '20260922', 100);
    const lower = tick('rb2701', shanghai('2026-09-22T09:31:00'), '20260922', 99);
    const earlier = tick('rb2701', shanghai('2026-09-22T09:29:00'), '20260922', 101);
    const dayBefore = tick('rb2701', shanghai('2026-09-21T09:29:00'), '20260921', 1000);
    expect(faultsOf([first, lower])[0]).toContain('its volume 99 is less than 100 before');
    expect(faultsOf([first, earlier])[0]).toContain('after one of 2026-09-22 09:30:00.000');
    expect(faultsOf([first, dayBefore])[0]).toContain('after one of trading day 20260922');
  });
});
