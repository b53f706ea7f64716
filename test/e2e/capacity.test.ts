import { afterEach, describe, expect, it } from 'vitest';
import { Client } from './client.js';
import { GatewayProcess } from './processes.js';

let gateway: GatewayProcess | undefined;
afterEach(() => gateway?.stop('SIGKILL'));

const delivery = String(new Date().getFullYear() + 1).slice(-2);

describe('instruments beyond the room of all connections', () => {
  it('make the gateway degraded until there is room', async () => {
    gateway = new GatewayProcess({
      health_check_interval: 1,
      connections: [{ connection_id: 'small', front_addr: 'sim://?rate=10', max_subscriptions: 1 }],
    });
    await gateway.loggedIn();
    const client = await Client.connect(`${await gateway.url()}?protocol=action`);
    client.send({ action: 'subscribe', instruments: [`rb${delivery}01`] });
    await client.next('a tick', (frame) => frame['action'] === 'market_data');
    expect((await gateway.health()).body.status).toBe('healthy');

    client.send({ action: 'subscribe', instruments: [`cu${delivery}01`] });
    // It waits as soon as it is wanted, and lacks room when a place was looked for.
    const crowded = await gateway.healthUntil(
      'the lack of room',
      ({ status, instruments }) => status === 'degraded' && instruments.short === 1,
    );
    expect(crowded.instruments).toMatchObject({ wanted: 2, waiting: 1, refused: 0, short: 1 });
    expect((await gateway.health()).code).toBe(200);
    await gateway.line(/degraded, no connection carries 1 of its instruments/);

    client.send({ action: 'unsubscribe', instruments: [`rb${delivery}01`] });
    await client.next(
      'a tick of the one that waited',
      (frame) => frame['instrument_id'] === `cu${delivery}01` && frame['action'] === 'market_data',
    );
    expect((await gateway.health()).body.status).toBe('healthy');
    await client.close();
    expect(await gateway.stop()).toBe(0);
  });
});
