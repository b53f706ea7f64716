import { describe, expect, it } from 'vitest';
import { load, problemsOf } from './sources.js';

/** As the C++ gateway's files number their connections. */
const numbered = Array.from({ length: 90 }, (_, i) => ({
  connection_id: `broker_${i + 1}`,
  front_addr: `tcp://127.0.0.1:${41_000 + i}`,
  broker_id: String(9000 + i),
  max_subscriptions: 300,
  priority: i + 1,
  enabled: true,
}));

describe('a file of the C++ gateway', () => {
  it('is taken as it is, its priorities scaled in their order, with a warning for what means something else', () => {
    const file = {
      websocket_port: 7799,
      redis_host: '192.168.2.27',
      redis_port: 6379,
      load_balance_strategy: 'connection_quality',
      health_check_interval: 30,
      maintenance_interval: 60,
      max_retry_count: 3,
      auto_failover: true,
      connections: numbered,
    };
    const { connections, redisEnabled, warnings } = load({ file });
    const priorities = connections.map(({ priority }) => priority);
    expect(priorities).toEqual(priorities.toSorted((a, b) => a - b));
    expect([priorities[0], priorities[8], priorities[9], priorities[88], priorities[89]]).toEqual([
      1, 1, 2, 10, 10,
    ]);
    expect(redisEnabled).toBe(false);
    expect(warnings).toEqual([
      expect.stringMatching(/^connections: priorities up to 90 are taken as 1 to 10, in the same order; /),
      expect.stringMatching(/^redis_host is given and redis_enabled is not, so nothing is stored in Redis: /),
    ]);
  });
});

describe('priorities', () => {
  const prioritiesOf = (...priorities: (number | undefined)[]): number[] =>
    load({
      file: {
        connections: priorities.map((priority, i) => ({ ...numbered[i], priority: priority ?? 1 })),
      },
    }).connections.map(({ priority }) => priority);

  it('from 1 to 10 are left as they are', () => {
    expect(prioritiesOf(1, 10, 3)).toEqual([1, 10, 3]);
  });

  it('are scaled where one is above 10', () => {
    expect(prioritiesOf(1, 10, 11, undefined)).toEqual([1, 10, 10, 1]);
    expect(prioritiesOf(14, 80, 100)).toEqual([2, 8, 10]);
  });

  it('above 100 are refused, and so is what is no priority beside scaled ones', () => {
    const connections = [
      { ...numbered[0], priority: 90 },
      { ...numbered[1], priority: 101 },
      { ...numbered[2], priority: '7' },
    ];
    expect(problemsOf({ file: { connections } })).toEqual([
      'gateway.json: connections[1].priority: must be an integer from 1 to 10, not 101',
      'gateway.json: connections[2].priority: must be an integer from 1 to 10, not "7"',
    ]);
  });
});

describe('a Redis that is named', () => {
  const warning = /^redis_host is given and redis_enabled is not, so nothing is stored/;

  it('is warned of unless something says whether to store in it', () => {
    expect(load({ file: { redis_host: 'redis' } }).warnings).toEqual([expect.stringMatching(warning)]);
    expect(load({ env: { QACTPMD_REDIS_HOST: 'redis' } }).warnings).toEqual([expect.stringMatching(warning)]);
  });

  it.each([true, false])('is not warned of with redis_enabled %s', (redis_enabled) => {
    expect(load({ file: { redis_host: 'redis', redis_enabled } }).warnings).toEqual([]);
    expect(
      load({ file: { redis_host: 'redis' }, env: { QACTPMD_REDIS_ENABLED: String(redis_enabled) } }).warnings,
    ).toEqual([]);
  });

  it('is nothing to be warned of where none is named', () => {
    expect(load({ file: { redis_port: 6380 } }).warnings).toEqual([]);
  });
});
