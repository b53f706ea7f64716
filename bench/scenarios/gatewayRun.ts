import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packagePath } from '../../src/base/paths.js';
import { sequencesAt } from '../expectedTicks.js';
import { hopsOf, type HopName } from '../figures/hops.js';
import { pause, until } from '../processes/child.js';
import { Fronts, inLibrary, type FeedOptions } from '../processes/fronts.js';
import { GatewayProcess } from '../processes/gateway.js';
import { Load } from '../processes/load.js';
import { sampleFrame } from '../processes/sampleFrame.js';
import { Meter } from './meter.js';
import { judge, type RunFigures } from './runFigures.js';

/** What one run of the gateway is under. */
export interface RunOptions {
  readonly protocol: 'action' | 'aid';
  readonly instruments: readonly string[];
  /** Each client's instruments. */
  readonly plan: readonly (readonly string[])[];
  readonly feed: Pick<FeedOptions, 'arrivals' | 'rate'>;
  /** fronts: over TCP from a process of their own; library: made inside the simulated vendor library. */
  readonly supply: 'fronts' | 'library';
  readonly connections: number;
  /** Further settings of the gateway. */
  readonly config?: Readonly<Record<string, unknown>>;
  readonly warmupS: number;
  readonly seconds: number;
  /** Sample ticks on their way through the gateway. */
  readonly trace: boolean;
  /** Make this hop slow on purpose. */
  readonly slow?: HopName | undefined;
  /** Take a CPU profile of the gateway's main thread during the window. */
  readonly profile?: boolean;
  /** What continues beside, during the window. */
  readonly beside?: Beside;
}

/** Something that continues beside what is measured. */
export interface Beside {
  /** With the gateway at a port, before the warm-up: what is started then is not measured. */
  prepare(port: number): Promise<void>;
  begin(): void;
  /** Ends it, and waits for that. */
  end(): Promise<void>;
}

/** Connections have room for some more than their share, so that assignment is never stuck. */
const roomPerInstrument = 1.05;
const probingClients = 50;
const traceOneIn = 16;
const slowClientUs = 3000;
const burstUs = 500_000;
/** A busy machine may hold everything up for some hundred ms. */
const quietMs = 700;
/** A front that is frozen may not have sent what was due in its last turns. */
const unsentMs = 250;
const silentDeadlineMs = 30_000;
const msPerS = 1000;
const seed = 1;

/** A gateway with fronts of its own to which no load of the bench goes. */
export interface OtherGateway {
  readonly port: number;
  stop(): Promise<void>;
}

/** Starts fronts and a gateway such as `runGateway` would with the same options. */
export async function startOtherGateway(options: RunOptions): Promise<OtherGateway> {
  const folder = mkdtempSync(join(tmpdir(), 'qactpmd-bench-'));
  const feed = feedOf(options);
  const fronts = await Fronts.start(options.connections, feed, undefined);
  const connections = connectionsOf(options, feed, fronts.addresses);
  const config = { log_level: 'info', ...options.config };
  const gateway = await GatewayProcess.start({ connections, folder, preload: undefined, config });
  return {
    port: gateway.port,
    stop: async () => {
      await gateway.child.stop('SIGKILL');
      await fronts.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function feedOf(options: RunOptions): FeedOptions {
  return {
    ...options.feed,
    seed,
    // A whole second, so that bursts begin with their period.
    startUs: Math.floor(Date.now() / msPerS) * 1e6,
    instruments: options.instruments.length,
  };
}

/** One run with processes and files of its own. */
export async function runGateway(options: RunOptions): Promise<RunFigures> {
  const folder = mkdtempSync(join(tmpdir(), 'qactpmd-bench-'));
  const feed = feedOf(options);
  let fronts: Fronts | undefined;
  let gateway: GatewayProcess | undefined;
  let load: Load | undefined;
  try {
    if (options.supply === 'fronts')
      fronts = await Fronts.start(options.connections, feed, preloadFor(options.slow, ['front']));
    gateway = await GatewayProcess.start({
      connections: connectionsOf(options, feed, fronts?.addresses),
      folder,
      preload: preloadFor(options.slow, ['ring', 'book', 'encode', 'write']),
      config: { log_level: 'info', ...options.config },
    });
    load = await Load.start({
      port: gateway.port,
      protocol: options.protocol,
      plan: options.plan,
      startUs: feed.startUs,
      burstUs: feed.arrivals === 'burst' ? burstUs : 0,
      probes: options.trace ? probingClients : 0,
      slowUs: options.slow === 'client' ? slowClientUs : 0,
      folder,
    });
    return await measure(options, feed, fronts, gateway, load);
  } finally {
    await load?.child.stop('SIGKILL');
    await gateway?.child.stop();
    await fronts?.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measure(
  options: RunOptions,
  feed: FeedOptions,
  fronts: Fronts | undefined,
  gateway: GatewayProcess,
  load: Load,
): Promise<RunFigures> {
  await everyStreamSpeaks(load);
  await options.beside?.prepare(gateway.port);
  const sample = options.protocol === 'aid' ? '' : await sampleFrame(gateway.port, options.instruments[0]!);
  await pause(options.warmupS * msPerS);

  options.beside?.begin();
  const ticksBefore = await gateway.ticks();
  const meter = new Meter(gateway, fronts?.child.pid, load);
  // The gateway takes one at a time.
  const tracing =
    options.trace && options.profile !== true ? gateway.trace(options.seconds, traceOneIn) : undefined;
  const profiling = options.profile === true ? gateway.profile(options.seconds) : undefined;
  const recorded = Promise.all([tracing, profiling]);
  // Awaited below; should the run fail before, that failure is the one to tell.
  recorded.catch(() => undefined);
  await pause(options.seconds * msPerS);
  const { window, begunMs, endedMs, seconds, figures } = await meter.end();
  const [trace, cpuprofile] = await recorded;
  await options.beside?.end();

  const stoppedMs = Date.now();
  fronts?.freeze();
  await quiet(load, fronts !== undefined);
  const ticksAfter = await gateway.ticks();
  const history = await load.finish();
  const offered = dueBetween(options, feed, begunMs, endedMs);
  const due = sequencesAt(options.instruments, feed, stoppedMs - unsentMs);
  return {
    offered_per_s: offered.deliveries / seconds,
    ticks_per_s: offered.ticks / seconds,
    ...judge(options.protocol, history, due, fronts !== undefined),
    ...figures,
    ticks_taken: ticksAfter.accepted,
    missed_in_rings: ticksAfter.missed - ticksBefore.missed,
    drains_ms: window.bursts.map(([, us]) => us / msPerS),
    hops: trace === undefined ? undefined : hopsOf(trace, feed.startUs, load.probes()),
    loop_lag_ms: trace?.loop_delay_ms,
    gc: trace?.gc,
    cpuprofile,
    sample,
  };
}

/** Waits until every client has seen every one of its instruments, or until no more of them speak up. */
export async function everyStreamSpeaks(load: Load): Promise<void> {
  await until(
    'every client to have a state of every instrument',
    async () => ((await load.counts()).silent === 0 ? true : undefined),
    silentDeadlineMs,
  );
}

/** Waits until the clients receive nothing any more, where the flow can be stopped. */
export async function quiet(load: Load, stops: boolean): Promise<void> {
  let before = -1;
  for (;;) {
    await pause(quietMs);
    const { received } = await load.counts();
    if (received === before || !stops) return;
    before = received;
  }
}

function connectionsOf(
  options: RunOptions,
  feed: FeedOptions,
  addresses: readonly string[] | undefined,
): object[] {
  const share = Math.ceil((options.instruments.length * roomPerInstrument) / options.connections);
  return Array.from({ length: options.connections }, (_, index) => ({
    connection_id: `line_${index + 1}`,
    front_addr: addresses?.[index] ?? inLibrary(feed),
    broker_id: '9999',
    max_subscriptions: Math.max(share, 100),
  }));
}

/** What was due by the fronts' rule between two times. */
function dueBetween(
  options: RunOptions,
  feed: FeedOptions,
  fromMs: number,
  toMs: number,
): { readonly ticks: number; readonly deliveries: number } {
  const subscribers = new Map<string, number>();
  for (const id of options.plan.flat()) subscribers.set(id, (subscribers.get(id) ?? 0) + 1);
  const before = sequencesAt(options.instruments, feed, fromMs);
  const after = sequencesAt(options.instruments, feed, toMs);
  let ticks = 0;
  let deliveries = 0;
  for (const id of options.instruments) {
    const due = after.get(id)! - before.get(id)!;
    ticks += due;
    deliveries += due * (subscribers.get(id) ?? 0);
  }
  return { ticks, deliveries };
}

function preloadFor(slow: HopName | undefined, here: readonly HopName[]): string | undefined {
  if (slow === undefined || !here.includes(slow)) return undefined;
  return packagePath('dist', 'bench', 'slow', `${slow}.js`);
}
