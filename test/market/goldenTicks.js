import { readFileSync } from 'node:fs';
import { ExchangeClock } from '../../dist/src/market/quotes/exchangeClock.js';
import { loadCalendar } from '../../dist/src/market/calendar/holidayCalendar.js';
import { WeekdayCalendar } from '../../dist/src/market/calendar/tradingCalendar.js';

// Prints what the built exchange clock makes of each golden tick: a child process of exchangeClock.test.ts, so that the
// host's time zone can be chosen.

const cases = JSON.parse(readFileSync(new URL('goldenTicks.json', import.meta.url), 'utf8'));
const clocks = {
  exchange: new ExchangeClock(loadCalendar()),
  always: new ExchangeClock(new WeekdayCalendar(), true),
};
const shanghai = (text) => Date.parse(`${text.replace(' ', 'T')}+08:00`);
const text = (epochMs) => new Date(epochMs + 8 * 3_600_000).toISOString().slice(0, -1).replace('T', ' ');

/** As the bridge decodes it: 0 where empty, -1 where malformed. */
const day = (field) => (field === '' ? 0 : /^\d{8}$/.test(field) ? Number(field) : -1);

const time = (field) => {
  const match = /^(\d\d):(\d\d):(\d\d)(?:\.(\d{1,3}))?$/.exec(field);
  if (match === null) return { seconds: field === '' ? -1 : -2, millisec: 0 };
  const [hours, minutes, seconds] = match.slice(1, 4).map(Number);
  return {
    seconds: hours * 3600 + minutes * 60 + seconds,
    millisec: Number((match[4] ?? '').padEnd(3, '0')),
  };
};

const found = cases.map((tick) => {
  const out = { epochMs: NaN, tradingDay: 0, stale: false, repaired: false };
  const { seconds, millisec } = time(tick.time);
  const { exchange, tradingDay, actionDay, received } = tick;
  const clock = clocks[tick.hours ?? 'exchange'];
  const at = shanghai(received);
  const verdict = clock.resolve(exchange, day(tradingDay), day(actionDay), seconds, millisec, at, out);
  if (verdict !== 'dated') return { refused: verdict };
  return { natural: text(out.epochMs), day: out.tradingDay, stale: out.stale, repaired: out.repaired };
});
process.stdout.write(JSON.stringify({ offset: new Date(2024, 3, 12).getTimezoneOffset(), found }));
