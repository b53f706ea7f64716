import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AidFollower } from './aidFollower.js';
import { freePorts } from './ports.js';
import { connectionsTo, FrontsProcess, GatewayProcess, Program } from './processes.js';
import { until } from '../helpers/until.js';
import { PushRecorder, stateOf, type Quote } from './pushRecorder.js';

/** The example program, which runs the package tqsdk as it comes from the registry. */
class TqClient extends Program {
  #read = 0;
  readonly #found = new Map<string, string[]>();
  readonly #states = new Map<string, Quote[]>();

  constructor(port: number, wishes: readonly string[]) {
    super(['examples', 'tqsdk-js', 'quotes.mjs'], [`127.0.0.1:${port}`, ...wishes]);
  }

  /** What its search has found. */
  found(wish: string): string[] | undefined {
    this.#take();
    return this.#found.get(wish);
  }

  /** Every state of a quote that it has shown, oldest first. */
  of(symbol: string): readonly Quote[] {
    this.#take();
    return this.#states.get(symbol) ?? [];
  }

  #take(): void {
    for (; this.#read < this.lines.length; this.#read++) {
      const line = this.lines[this.#read]!;
      // The package writes lines of its own when it is cut off.
      if (!line.startsWith('{"')) continue;
      const { wish, found, symbol, quote } = JSON.parse(line) as Record<'wish' | 'symbol', string> & {
        found?: string[];
        quote: Quote;
      };
      if (found !== undefined) this.#found.set(wish, found);
      else this.#states.set(symbol, [...(this.#states.get(symbol) ?? []), quote]);
    }
  }
}

const timeOf = (quote: Quote | undefined): number => Number(quote?.['timestamp'] ?? 0);

/** A quote by the protocol's names: the package makes changes of these two, and keeps them under other ones. */
const plain = (quote: Quote): Quote => ({
  ...quote,
  last_price: quote['_last_price'],
  pre_settlement: quote['_pre_settlement'],
});

let port: number;
let frontPort: number;
let fronts: [FrontsProcess, FrontsProcess];
let gateway: GatewayProcess;
let tqsdk: TqClient;
/** Raw clients: one that gets every tick, and one that peeks as the package does. */
let recorder: PushRecorder;
let follower: AidFollower;
/** A contract of each exchange. */
let symbols: string[];

function startGateway(): GatewayProcess {
  return new GatewayProcess({
    websocket_port: port,
    load_balance_strategy: 'round_robin',
    trading_hours: 'always',
    connections: connectionsTo(frontPort, 2),
  });
}

async function follow(): Promise<void> {
  const url = `ws://127.0.0.1:${port}/`;
  recorder = await PushRecorder.ofChanges(url, symbols);
  follower = await AidFollower.start(url, symbols.join(','));
}

/** The states of a quote that the package has shown since the raw clients knew it, past `since` (ms). */
function shown(symbol: string, since: number): Quote[] {
  const known = Math.max(since, timeOf(follower.of(symbol)[0]));
  return tqsdk
    .of(symbol)
    .filter((quote) => timeOf(quote) > known)
    .map(plain);
}

/** Waits until the package has shown each quote in so many states, which must be those that ticks brought about. */
async function followed(count: number, since: number): Promise<void> {
  await until(
    () => `quotes to go on: ${tqsdk.output.slice(-600)}`,
    () => symbols.every((symbol) => shown(symbol, since).length >= count),
  );
  for (const symbol of symbols) {
    const states = shown(symbol, since).map(stateOf);
    await until(`${symbol} at the recorder`, () => recorder.states(symbol).includes(states.at(-1)!));
    const known = new Set(recorder.states(symbol));
    expect(states.filter((state) => !known.has(state))).toEqual([]);
    const last = timeOf(shown(symbol, since).at(-1));
    await until(`${symbol} at the raw client`, () => timeOf(follower.of(symbol).at(-1)) >= last);
    const told = new Map(follower.of(symbol).map((quote) => [stateOf(quote), quote]));
    const both = shown(symbol, since).filter((quote) => told.has(stateOf(quote)));
    expect(both.length).toBeGreaterThan(0);
    // All that the protocol has beyond the common members: other names of the same values, and what does not change.
    for (const quote of both) expect(quote).toMatchObject(told.get(stateOf(quote))!);
  }
}

beforeAll(async () => {
  frontPort = await freePorts(2);
  port = await freePorts(1);
  fronts = [0, 1].map((index) => new FrontsProcess(1, frontPort + index, ['--rate', '5'])) as typeof fronts;
  gateway = startGateway();
  await Promise.all(fronts.map((front) => front.ready()));
  await gateway.loggedIn();
  const file = (await (await fetch(`http://127.0.0.1:${port}/symbols/latest.json`)).json()) as Record<
    string,
    { exchange_id: string; class: string }
  >;
  const futures = Object.entries(file).filter(([, entry]) => entry.class === 'FUTURE');
  symbols = ['SHFE', 'INE', 'DCE', 'CZCE', 'CFFEX', 'GFEX'].map(
    (exchange) => futures.find(([, entry]) => entry.exchange_id === exchange)![0],
  );
  tqsdk = new TqClient(port, [...symbols, 'luowengang', 'lwg', 'rb', 'doupo', 'nothing']);
  await follow();
});

afterAll(async () => {
  recorder.stop();
  await follower.stop();
  await tqsdk.stop();
  await gateway.stop();
  await Promise.all(fronts.map((front) => front.stop()));
});

describe('the package tqsdk, unmodified', () => {
  it('becomes ready, gets quotes and follows their changes as a raw client does', async () => {
    await followed(10, 0);
    for (const symbol of symbols) {
      const [first] = tqsdk.of(symbol);
      // From the instrument file and from the tick.
      expect(first).toMatchObject({ class: 'FUTURE', instrument_id: symbol, expired: false });
      expect(first!['_last_price']).toBeGreaterThan(0);
      expect(typeof first!['change']).toBe('number');
    }
  });

  it('finds instruments by product, initials and full pinyin', () => {
    const rebar = tqsdk.found('rb')!;
    expect(rebar.length).toBeGreaterThan(5);
    expect(rebar.every((symbol) => symbol.startsWith('SHFE.rb'))).toBe(true);
    expect(tqsdk.found('lwg')).toEqual(rebar);
    expect(tqsdk.found('luowengang')).toEqual(rebar);
    expect(tqsdk.found('doupo')!.every((symbol) => symbol.startsWith('DCE.m'))).toBe(true);
    expect(tqsdk.found('nothing')).toEqual([]);
  });

  it('continues when the front of some of its instruments is killed', async () => {
    const { connections } = await gateway.healthUntil('both connections to carry something', (health) =>
      health.connections.every(({ subscriptions }) => subscriptions > 0),
    );
    const wanted = connections.reduce((sum, { subscriptions }) => sum + subscriptions, 0);
    await fronts[0].stop('SIGKILL');
    await gateway.healthUntil(
      'the other connection to carry all',
      (health) => health.connections[1]!.subscriptions === wanted,
    );
    await followed(10, Date.now());
  });

  it('continues after a restart of the gateway', async () => {
    await gateway.stop('SIGKILL');
    recorder.stop();
    await follower.stop();
    const since = Date.now();
    gateway = startGateway();
    await gateway.port();
    await follow();
    await followed(10, since);
  });
});
