import { pino } from 'pino';
import { expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.js';
import type { ConnectionReport } from '../../src/coordinator/connections.js';
import { LineRace } from '../../src/coordinator/measures/lineRace.js';
import { healthReport } from '../../src/app/healthReport.js';
import { ExchangeClock } from '../../src/market/quotes/exchangeClock.js';
import { InstrumentDirectory } from '../../src/market/instruments/instrumentDirectory.js';
import { loadProducts } from '../../src/market/instruments/products.js';
import { QuoteBook } from '../../src/market/quotes/quoteBook.js';
import { WeekdayCalendar } from '../../src/market/calendar/tradingCalendar.js';
import { Sinks } from '../../src/sinks/sinks.js';
import { plan, World } from '../coordinator/world.js';

it('a connection that another is to replace counts while it carries on alone', () => {
  const directory = new InstrumentDirectory({ products: loadProducts(), maxInstruments: 10 });
  const book = new QuoteBook(directory, new ExchangeClock(new WeekdayCalendar()));
  const sources = { file: undefined, args: { frontAddr: ['sim://'] }, cwd: '/' };
  const sinks = new Sinks({
    config: loadConfig({ ...sources, env: { QACTPMD_HISTORY_MEMORY: '0' } }),
    book,
    keyOf: (slot) => directory.bySlot(slot).key,
    onQuotes: () => undefined,
    log: pino({ level: 'silent' }),
  });
  const { coordinator } = new World([plan('only'), plan('only')]);
  const race = new LineRace().take(0);
  const status = (): string => {
    const connections: ConnectionReport[] = coordinator.status().map((each) => ({
      ...each,
      brokerName: '',
      ticks: 0,
      ticksPerSecond: 0,
      lastTickMs: NaN,
      race,
      isReplaced: each.index === 0,
    }));
    const ticks = { ...book.counters, missed: 0 };
    const demand = coordinator.demand();
    const offSession = { instruments: 0, opened_days: [] };
    const parts = { demand, sinks: sinks.health(), stale: 0, slots: directory.slots, ticks, offSession };
    return healthReport({ connections, ...parts }).status;
  };
  expect(status()).toBe('unhealthy');
  coordinator.connectionState(0, 'logged_in', '');
  expect(status()).toBe('degraded');
  coordinator.connectionState(1, 'logged_in', '');
  expect(status()).toBe('healthy');
});
