import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AidFollower, type Quote } from './aidFollower.js';
import { freePorts } from './ports.js';
import { connectionsTo, FrontsProcess, GatewayProcess, Program, until } from './processes.js';

/** The example program, which runs the package tqsdk as it comes from the registry. */
class TqClient extends Program {
  #read = 0;
  readonly #found = new Map<string, string[]>();
  readonly #states = new Map<string, Quote[]>();

  constructor(port: number, wishes: readonly string[]) {
    super(['examples', 'tqsdk-js', 'quotes.js'], [`127.0.0.1:${port}`, ...wishes]);
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

/** The names under which the package keeps what it makes a change of. */
const keptAs: Readonly<Record<string, string>> = {
  last_price: '_last_price',
  pre_settlement: '_pre_settlement',
};

const moment = (quote: Quote): string => `${String(quote['timestamp'])} ${String(quote['volume'])}`;
const timeOf = (quote: Quote | undefined): number => Number(quote?.['timestamp'] ?? 0);

function byMoment(states: readonly Quote[]): Map<string, Quote[]> {
  const groups = new Map<string, Quote[]>();
  for (const state of states) {
    const group = groups.get(moment(state));
    if (group === undefined) groups.set(moment(state), [state]);
    else group.push(state);
  }
  return groups;
}

/** Fails where the package shows another state than the raw client saw at the same moment; the moments both have seen. */
function compare(shown: readonly Quote[], raw: readonly Quote[]): number {
  const groups = byMoment(raw);
  let moments = 0;
  for (const state of shown) {
    const candidates = groups.get(moment(state));
    if (candidates === undefined) continue;
    moments++;
    const names = Object.keys(candidates[0]!);
    expect(candidates).toContainEqual(
      Object.fromEntries(names.map((name) => [name, state[keptAs[name] ?? name]])),
    );
  }
  return moments;
}

let port: number;
let frontPort: number;
let fronts: [FrontsProcess, FrontsProcess];
let gateway: GatewayProcess;
let tqsdk: TqClient;
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

const follow = (): Promise<AidFollower> => AidFollower.start(`ws://127.0.0.1:${port}/`, symbols.join(','));

/** Waits until the package has followed each quote for so many states past `since` (ms), and compares them. */
async function followed(states: number, since: number): Promise<void> {
  await until(
    () => `quotes to go on: ${tqsdk.output.slice(-600)}`,
    () =>
      symbols.every((symbol) => tqsdk.of(symbol).filter((quote) => timeOf(quote) > since).length >= states),
  );
  for (const symbol of symbols) {
    await until(
      () => `${symbol} to be seen alike`,
      () => compare(tqsdk.of(symbol), follower.of(symbol)) >= states,
    );
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
  follower = await follow();
});

afterAll(async () => {
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

  it('goes on when the front of some of its instruments is killed', async () => {
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

  it('goes on after a restart of the gateway', async () => {
    await gateway.stop('SIGKILL');
    await follower.stop();
    const since = Date.now();
    gateway = startGateway();
    await gateway.port();
    follower = await follow();
    await followed(10, since);
  });
});
