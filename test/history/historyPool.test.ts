import { expect, it, onTestFinished } from 'vitest';
import { HistoryPool } from '../../src/history/historyPool.js';
import type { HistoryQuery } from '../../src/history/query.js';
import { until } from '../helpers/until.js';

const query: HistoryQuery = {
  key: 'SHFE.rb2601',
  fromMs: 0,
  toMs: Infinity,
  limit: 1,
  after: undefined,
  format: 'json',
  columns: ['datetime'],
};

it('answers queries with an error, and says why, where its threads cannot be started', async () => {
  const faults: string[] = [];
  const pool = new HistoryPool({
    source: { kind: 'memory', window: new SharedArrayBuffer(64) },
    queries: 2,
    waiting: 2,
    onFault: ({ message }) => faults.push(message),
  });
  onTestFinished(() => pool.close());
  const failures: string[] = [];
  const receiver = {
    chunk: () => undefined,
    failed: (code: string, message: string) => failures.push(`${code}: ${message}`),
  };
  for (let asked = 1; asked <= 5; asked++) {
    pool.run(query, receiver, '127.0.0.1');
    await until('the query to fail', () => (failures.length === asked ? true : undefined));
  }
  expect(failures[0]).toMatch(/^internal_error: .*not a window of ticks/);
  expect(pool.counters).toMatchObject({ running: 0, failed: 5 });
});
