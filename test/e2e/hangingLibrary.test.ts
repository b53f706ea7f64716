import { expect, it } from 'vitest';
import { builtNative } from '../native/nativeBuild.js';
import { Client } from './client.js';
import { rb } from './contracts.js';
import { until } from '../helpers/until.js';
import { GatewayProcess } from './processes.js';

const testMs = 90_000;
/** A worker that hangs is noticed after 10 s. */
const noticeMs = 40_000;

it(
  'a connection that shares its worker with a library that hangs keeps ticking while it moves to another worker',
  async () => {
    const good = { connection_id: 'good', front_addr: 'sim://?rate=100' };
    const stuck = {
      connection_id: 'stuck',
      front_addr: 'tcp://127.0.0.1:1',
      ctp_library: builtNative('fake_hangs_at_init'),
    };
    const config = (...connections: object[]): object => ({ connections_per_worker: 2, connections });
    const gateway = new GatewayProcess(config(good));
    try {
      await gateway.loggedIn();
      const client = await Client.connect(`${await gateway.url()}?protocol=action`);
      client.send({ action: 'subscribe', instruments: [rb] });
      gateway.configure(config(good, stuck));
      const logged = (text: RegExp): number => gateway.lines.filter((line) => text.test(line)).length;
      const tick = (): Promise<unknown> =>
        client.next('a tick', (frame) => frame['action'] === 'market_data');
      await until(
        'the move',
        async () => {
          await tick();
          return logged(/good: the worker hangs in the vendor library over another connection/) > 0;
        },
        noticeMs,
      );
      await until('the end of the old line', async () => {
        await tick();
        return logged(/good: closed/) > 0;
      });
      for (let i = 0; i < 100; i++) await tick();
      // The other one hangs again, on a worker of its own.
      await until('the second hang', () => logged(/stuck: its worker crashed/) > 1, noticeMs);
      for (let i = 0; i < 100; i++) await tick();
      expect(logged(/good: the worker hangs/)).toBe(1);
      const { connections } = (await gateway.health()).body;
      expect(connections.map(({ id, status }) => [id, status])).toContainEqual(['good', 'logged_in']);
      await client.close();
    } finally {
      expect(await gateway.stop()).toBe(0);
    }
  },
  testMs,
);
