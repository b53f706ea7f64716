import { pino } from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import { RedisMonitor } from '../../src/storage/redis.js';
import { loadConfig } from '../../src/config/load.js';
import { freePort, startRedis } from './redisServer.js';

const redisDefaults = loadConfig({
  file: undefined,
  args: { frontAddr: ['sim://'] },
  env: {},
  cwd: '/',
}).redis;
const patience = { timeout: 20_000, interval: 20 };

interface Watched {
  readonly monitor: RedisMonitor;
  /** `level: text` of each line logged so far. */
  readonly lines: string[];
}

function watch(port: number, settings: { redisEnabled?: boolean; redisPassword?: string } = {}): Watched {
  const lines: string[] = [];
  const logger = pino(
    { formatters: { level: (level) => ({ level }) } },
    {
      write: (line: string) => {
        const { level, msg } = JSON.parse(line) as { level: string; msg: string };
        lines.push(`${level}: ${msg}`);
      },
    },
  );
  const monitor = new RedisMonitor(
    {
      redisEnabled: settings.redisEnabled ?? true,
      redis: { ...redisDefaults, port, password: settings.redisPassword ?? '' },
    },
    logger,
  );
  onTestFinished(() => monitor.close());
  return { monitor, lines };
}

const connected =
  ({ monitor }: Watched): (() => boolean) =>
  () =>
    monitor.status().connected;

describe('RedisMonitor', () => {
  it('measures the latency of a server that answers', async () => {
    const { port } = await startRedis(await freePort());
    const watched = watch(port);
    watched.monitor.start();
    watched.monitor.start();
    await expect.poll(connected(watched), patience).toBe(true);
    expect(watched.monitor.status()).toEqual({
      enabled: true,
      connected: true,
      latency: expect.stringMatching(/^\d+\.\dms$/) as string,
    });
    expect(watched.lines).toEqual([`info: Redis at 127.0.0.1:${port} is connected`]);
  });

  it('does nothing when it is not enabled', () => {
    const watched = watch(1, { redisEnabled: false });
    watched.monitor.start();
    expect(watched.monitor.status()).toEqual({ enabled: false, connected: false, latency: null });
    expect(watched.lines).toEqual([]);
  });

  it('logs one line for an outage and one for its end', async () => {
    const port = await freePort();
    const watched = watch(port);
    watched.monitor.start();
    const down = `warn: Redis at 127.0.0.1:${port} cannot be used: connection refused; trying again`;
    await expect.poll(() => watched.lines, patience).toEqual([down]);
    const first = await startRedis(port);
    await expect.poll(connected(watched), patience).toBe(true);
    expect(watched.lines).toEqual([down, `info: Redis at 127.0.0.1:${port} answers again`]);
    await first.kill();
    await expect.poll(connected(watched), patience).toBe(false);
    expect(watched.monitor.status()).toEqual({ enabled: true, connected: false, latency: null });
    await startRedis(port);
    await expect.poll(connected(watched), patience).toBe(true);
    expect(watched.lines).toHaveLength(4);
    expect(watched.lines[2]).toMatch(
      /^warn: Redis at .* cannot be used: it closed the connection; trying again$/,
    );
    expect(watched.lines[3]).toMatch(/answers again$/);
  });

  it('names a wrong and a missing password without showing one', async () => {
    const { port } = await startRedis(await freePort(), '--requirepass', 'right');
    const wrong = watch(port, { redisPassword: 'hunter2' });
    const missing = watch(port);
    const right = watch(port, { redisPassword: 'right' });
    for (const { monitor } of [wrong, missing, right]) monitor.start();
    await expect.poll(connected(right), patience).toBe(true);
    await expect
      .poll(() => wrong.lines, patience)
      .toEqual([`warn: Redis at 127.0.0.1:${port} cannot be used: wrong password; trying again`]);
    await expect
      .poll(() => missing.lines, patience)
      .toEqual([
        `warn: Redis at 127.0.0.1:${port} cannot be used: it asks for a password, none is configured; trying again`,
      ]);
    expect(missing.monitor.status().connected).toBe(false);
  });

  it('notices a server that stands still, and its return', async () => {
    const server = await startRedis(await freePort());
    const watched = watch(server.port);
    watched.monitor.start();
    await expect.poll(connected(watched), patience).toBe(true);
    server.process.kill('SIGSTOP');
    await expect.poll(connected(watched), patience).toBe(false);
    expect(watched.lines[1]).toMatch(/cannot be used: no answer within 2000 ms; trying again$/);
    server.process.kill('SIGCONT');
    await expect.poll(connected(watched), patience).toBe(true);
    expect(watched.lines).toHaveLength(3);
  });

  it('closes at any moment, again, and stays closed', async () => {
    const { port } = await startRedis(await freePort());
    const before = watch(port);
    before.monitor.close();
    before.monitor.start();
    const during = watch(port);
    during.monitor.start();
    during.monitor.close();
    during.monitor.close();
    const after = watch(port);
    after.monitor.start();
    await expect.poll(connected(after), patience).toBe(true);
    after.monitor.close();
    for (const { monitor } of [before, during, after]) expect(monitor.status().connected).toBe(false);
    expect(before.lines.concat(during.lines)).toEqual([]);
    expect(after.lines).toHaveLength(1);
  });
});
