import pino from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import { LoginPlaces } from '../../src/coordinator/workers/loginPlaces.js';
import type { ConnectionSpec, WorkerCommand } from '../../src/coordinator/workers/workerMessages.js';
import { OpenConnections } from '../../src/coordinator/openConnections.js';
import type { WorkerPool } from '../../src/coordinator/workers/workerPool.js';
import type { ConnectionConfig } from '../../src/config/gatewayConfig.js';
import { RingTickSource } from '../../src/ring/ringTickSource.js';
import { load } from '../config/sources.js';
import { World } from './world.js';

/** Connections to one broker, and what their workers are told; the workers themselves do not matter here. */
function connectionsOf(...ids: string[]): {
  readonly open: OpenConnections;
  readonly configs: readonly ConnectionConfig[];
  readonly specs: ConnectionSpec[];
  readonly retried: number[];
} {
  const connections = ids.map((id) => ({
    connection_id: id,
    front_addr: 'tcp://127.0.0.1:1',
    broker_id: 'b',
    user_id: id,
    password: 'wrong',
  }));
  const config = load({ file: { connections } });
  const specs: ConnectionSpec[] = [];
  const retried: number[] = [];
  const pool = {
    open: (opened: readonly ConnectionSpec[]) => specs.push(...opened),
    send: (command: WorkerCommand) => {
      if (command.type === 'retry_login') retried.push(command.connection);
    },
  } as unknown as WorkerPool;
  const open = new OpenConnections(config, {
    log: pino({ level: 'silent' }),
    source: new RingTickSource(),
    coordinator: new World([]).coordinator,
    pool,
    onAdded: () => undefined,
    onGone: () => undefined,
  });
  for (const connection of config.connections) open.open(connection);
  onTestFinished(() => open.retire());
  return { open, configs: config.connections, specs, retried };
}

function spend({ loginPlaces }: ConnectionSpec): void {
  new LoginPlaces(loginPlaces!).barred();
}

function mayLogin({ loginPlaces }: ConnectionSpec): boolean {
  return new LoginPlaces(loginPlaces!).take() === 'taken';
}

describe('logins that were refused', () => {
  it('are tried again by the connections that stay, and by none that is replaced or removed', () => {
    const { open, configs, specs, retried } = connectionsOf('stays', 'corrected', 'removed');
    specs.forEach(spend);
    open.replace({ ...configs[1]!, password: 'right' });
    open.remove('removed');
    open.retryLogins();
    expect(retried).toEqual([0, 3]);
    expect(specs.map(mayLogin)).toEqual([true, false, false, true]);
  });

  it('are tried again where the new connection logs in with what the old one did', () => {
    const { open, configs, specs, retried } = connectionsOf('moved');
    spend(specs[0]!);
    open.replace({ ...configs[0]!, frontAddr: ['tcp://127.0.0.1:2'] });
    open.retryLogins();
    expect(retried).toEqual([1]);
    expect(mayLogin(specs[1]!)).toBe(true);
  });
});
