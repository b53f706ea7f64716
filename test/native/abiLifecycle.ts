import { expect } from 'vitest';
import { loadProducts } from '../../src/market/instruments/products.js';
import { liveContracts } from '../../src/market/instruments/contracts.js';
import { freePort } from '../e2e/ports.js';
import { FrontProcess } from '../simulator/frontProcess.js';
import type { AbiSession } from './abiClient.js';
import { expectCleanCallbacks, expectLogin, expectTick } from './abiChecks.js';

const products = ['rb', 'm', 'SR', 'IF', 'si', 'sc'];
/** A front that dies is noticed by whichever of read and write comes first. */
const connectionLost: readonly (number | undefined)[] = [0x1001, 0x1002];
const notConnected = -1;
const instrumentNotFound = 16;
const absentMethod = -102;
/** Day before the first login. */
const noTradingDay = 19800100;
const ticksWanted = 3;

/** One listed contract of each of six exchanges. */
export function listedIds(): string[] {
  const contracts = liveContracts(loadProducts(), new Date());
  return products.map((product) => contracts.find((contract) => contract.product === product)!.id);
}

/** A simulated front in a process of its own, which can be stopped and started again on its port. */
export class RestartableFront {
  #process: FrontProcess;
  readonly #port: number;

  private constructor(port: number) {
    this.#port = port;
    this.#process = this.#start();
  }

  static async start(): Promise<RestartableFront> {
    return new RestartableFront(await freePort());
  }

  #start(): FrontProcess {
    return new FrontProcess(['--fronts', '1', '--base-port', String(this.#port), '--rate', '20']);
  }

  async address(): Promise<string> {
    await this.#process.ports();
    return `tcp://127.0.0.1:${this.#port}`;
  }

  async stop(): Promise<void> {
    await this.#process.stop('SIGKILL');
  }

  async restart(): Promise<void> {
    this.#process = this.#start();
    await this.#process.ports();
  }
}

async function untilTicks(session: AbiSession, ids: readonly string[], from = 0): Promise<void> {
  const seen = (): boolean => ids.every((id) => session.ticks(id).length >= from + ticksWanted);
  await session.until(seen, 'ticks');
}

/** The ids that were answered, with their error ids. */
const answered = (session: AbiSession, name: string): unknown[] =>
  session.callbacks(name).map((event) => [event.fields!['InstrumentID'], event.info!['ErrorID']]);

async function beforeConnection(session: AbiSession, front: RestartableFront): Promise<void> {
  const missing = await session.command(`create ${session.flowPath}missing/`);
  expect(missing.threw).toContain('can not open CFlow file');
  await session.command(`create ${session.flowPath}`);
  expect(await session.code('day')).toBe(noTradingDay);
  for (const request of ['login 9999 gateway', 'logout', 'subscribe rb2701', 'unsubscribe rb2701'])
    expect(await session.code(request), request).toBe(notConnected);
  const { methods } = session.generation;
  expect(await session.code('subscribe_quote rb2701')).toBe(
    methods === 'first' ? absentMethod : notConnected,
  );
  expect(await session.code('multicast')).toBe(methods === 'B' ? notConnected : absentMethod);
  await session.command('spi on');
  await session.command('fens');
  await session.command(`front ${await front.address()}`);
  await session.command('init');
  await session.callback('connected');
  expect(session.callbacks('disconnected')).toEqual([]);
}

async function loginAndTicks(session: AbiSession): Promise<void> {
  const ids = listedIds();
  expect(await session.code('login 9999 gateway')).toBe(0);
  expectLogin(session, await session.callback('login'), false);
  expect(await session.code('day')).toBe(Number(session.callbacks('login')[0]!.fields!['TradingDay']));

  expect(await session.code(`subscribe ${ids.join(' ')} nothing`)).toBe(0);
  await session.callback('subscribed', ids.length + 1);
  expect(answered(session, 'subscribed')).toEqual([...ids, 'nothing'].map((id) => [id, 0]));
  expect(session.callbacks('subscribed').every((event) => event.request === 0)).toBe(true);
  await untilTicks(session, ids);
  for (const id of ids) for (const tick of session.ticks(id)) expectTick(session.generation, id, tick);
  expect(session.ticks('nothing')).toEqual([]);
}

async function longIds(session: AbiSession): Promise<void> {
  const widest = session.generation.idBytes - 1;
  const before = session.callbacks('subscribed').length;
  await session.command(`subscribe ${'x'.repeat(widest)} ${'y'.repeat(widest + 1)}`);
  await session.callback('subscribed', before + 2);
  expect(new Map(answered(session, 'subscribed').slice(before) as [string, number][])).toEqual(
    new Map([
      ['x'.repeat(widest), 0],
      ['y'.repeat(widest), instrumentNotFound],
    ]),
  );
}

async function quoteRequestsAndQueries(session: AbiSession): Promise<void> {
  const { methods } = session.generation;
  if (methods === 'first') return;
  expect(await session.code('subscribe_quote m2701-C-3000')).toBe(0);
  expect((await session.callback('quote_subscribed')).fields).toMatchObject({ InstrumentID: 'm2701-C-3000' });
  expect(await session.code('unsubscribe_quote m2701-C-3000')).toBe(0);
  expect((await session.callback('quote_unsubscribed')).info).toMatchObject({ ErrorID: 0 });
  expect(await session.code('multicast')).toBe(methods === 'B' ? 0 : absentMethod);
}

async function unsubscribe(session: AbiSession): Promise<void> {
  const [first, ...others] = listedIds();
  await session.command(`unsubscribe ${first}`);
  await session.callback('unsubscribed');
  expect(answered(session, 'unsubscribed')).toEqual([[first, 0]]);
  const seen = session.ticks(first!).length;
  await untilTicks(session, others, Math.max(...others.map((id) => session.ticks(id).length)));
  expect(session.ticks(first!).length).toBe(seen);
}

async function frontStopped(session: AbiSession): Promise<void> {
  expect(connectionLost).toContain((await session.callback('disconnected')).reason);
  // A dying front may accept the immediate reconnection, to close it again.
  const refused = async (): Promise<boolean> => (await session.code('login 9999 gateway')) === notConnected;
  await session.until(refused, 'the return code');
  expect(await session.code('subscribe rb2701')).toBe(notConnected);
}

async function frontBack(session: AbiSession): Promise<void> {
  const ids = listedIds();
  // The number of connections says nothing, see above.
  const turns = (): (string | undefined)[] =>
    session.events.map((event) => event.event).filter((name) => name?.endsWith('connected'));
  await session.until(() => turns().at(-1) === 'connected', 'the connection');
  expect(await session.code('login 9999 gateway')).toBe(0);
  expectLogin(session, await session.callback('login', 2), true);
  // Nothing of the earlier connection is subscribed any more.
  const before = session.callbacks('tick').length;
  await session.command(`subscribe ${ids[1]}`);
  await untilTicks(session, [ids[1]!], session.ticks(ids[1]!).length);
  const later = session.callbacks('tick').slice(before);
  expect(later.every((event) => event.fields!['InstrumentID'] === ids[1])).toBe(true);
}

async function logout(session: AbiSession): Promise<void> {
  expect(await session.code('logout 9999 gateway')).toBe(0);
  const { fields, info, request } = await session.callback('logout');
  expect({ fields, info, request }).toEqual({
    fields: { BrokerID: '9999', UserID: 'gateway' },
    info: { ErrorID: 0, ErrorMsg: 'CTP:No Error' },
    request: 8,
  });
}

async function release(session: AbiSession): Promise<void> {
  await session.command('spi off');
  await session.command('day');
  const before = session.events.filter((event) => event.event !== undefined).length;
  expect(await session.code('login 9999 gateway')).toBe(0);
  expect(await session.code('release')).toBe(0);
  expect(session.events.filter((event) => event.event !== undefined).length).toBe(before);

  const connections = session.callbacks('connected').length;
  await session.begin('sim://?rate=100');
  await session.callback('connected', connections + 1);
  await session.command('release');
  const reasons = session.callbacks('disconnected').map((event) => event.reason);
  if (session.generation.methods === 'first') expect(reasons.pop()).toBe(0);
  expect(reasons.length).toBeGreaterThan(0);
  for (const reason of reasons) expect(connectionLost).toContain(reason);
}

type Stage = (session: AbiSession, front: RestartableFront) => Promise<void>;

const stages: Readonly<Record<string, Stage>> = {
  'refuses requests before it is connected': beforeConnection,
  'logs in, subscribes and gets ticks': loginAndTicks,
  'refuses an id that does not fit its field': longIds,
  'has the requests of its generation': quoteRequestsAndQueries,
  unsubscribes: unsubscribe,
  'reports a stopped front': frontStopped,
  'reconnects by itself and starts anew': frontBack,
  'logs out': logout,
  'is released without a Spi and with one': release,
};
export const stageNames = Object.keys(stages);

/** What went wrong per generation and stage; a stage after a failed one counts as failed. */
export type Outcome = ReadonlyMap<string, ReadonlyMap<string, unknown>>;

/** Takes all sessions through their lives in step, since they share one front that is stopped on the way. */
export async function runLifecycle(sessions: readonly AbiSession[]): Promise<Outcome> {
  const front = await RestartableFront.start();
  const failures = new Map(sessions.map((session) => [session.generation.id, new Map<string, unknown>()]));
  try {
    for (const [name, stage] of Object.entries(stages)) {
      if (stage === frontStopped) await front.stop();
      if (stage === frontBack) await front.restart();
      await Promise.all(
        sessions.map(async (session) => {
          const failed = failures.get(session.generation.id)!;
          if (failed.size > 0) return void failed.set(name, new Error('an earlier stage failed'));
          try {
            await stage(session, front);
            expectCleanCallbacks(session);
          } catch (error) {
            failed.set(name, error);
          }
        }),
      );
    }
  } finally {
    await front.stop();
  }
  return failures;
}
