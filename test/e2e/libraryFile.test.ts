import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { libraryOf, newestVerified } from '../helpers/generations.js';
import { Client } from './client.js';
import { rb } from './contracts.js';
import { GatewayProcess } from './processes.js';

it('a gateway lives on when the file of the library that it has loaded is overwritten in place', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'qactpmd-overwritten-'));
  const library = join(folder, 'thostmduserapi_se.so');
  copyFileSync(libraryOf(newestVerified), library);
  const line = (id: string): object => ({
    connection_id: id,
    front_addr: 'sim://?rate=50',
    ctp_library: library,
  });
  const gateway = new GatewayProcess({ connections: [line('first')] });
  try {
    await gateway.loggedIn();
    const client = await Client.connect(`${await gateway.url()}?protocol=action`);
    client.send({ action: 'subscribe', instruments: [rb] });
    const tick = (): Promise<unknown> => client.next('a tick', (frame) => frame['action'] === 'market_data');
    await tick();
    // The same file, shorter: what is mapped of its end is gone.
    writeFileSync(library, 'nothing of a library');
    for (let i = 0; i < 100; i++) await tick();
    // A session of code that has not run before.
    gateway.configure({ connections: [line('first'), line('second')] });
    await gateway.healthUntil(
      'the second connection',
      ({ connections }) => connections.length === 2 && connections[1]!.status === 'logged_in',
    );
    await client.close();
  } finally {
    expect(await gateway.stop()).toBe(0);
    rmSync(folder, { recursive: true });
  }
});
