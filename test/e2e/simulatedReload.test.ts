import { expect, it } from 'vitest';
import { freePorts } from './ports.js';
import { GatewayProcess } from './processes.js';

it('a reload that asks for more simulated fronts says that it needs a restart, and connects to no others', async () => {
  const base_port = await freePorts(4);
  const gateway = new GatewayProcess({ simulator: { fronts: 2, base_port } });
  try {
    const before = await gateway.loggedIn();
    expect(before.connections).toHaveLength(2);
    gateway.configure({ simulator: { fronts: 4, base_port }, unsubscribe_grace: 7 });
    await gateway.line(/SIGHUP: these need a restart and stay as they were: simulator\.fronts"/);
    await gateway.line(/SIGHUP: settings changed: unsubscribe_grace"/);
    const { body } = await gateway.health();
    expect(body.connections.map(({ id, status }) => [id, status])).toEqual(
      before.connections.map(({ id }) => [id, 'logged_in']),
    );
    expect(body.status).toBe('healthy');
  } finally {
    expect(await gateway.stop()).toBe(0);
  }
});
