import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packagePath } from '../../src/paths.js';
import { sequencesAt } from '../expectedTicks.js';
import { hopsOf, type HopName, type Hops } from '../figures/hops.js';
import { pause, until } from '../processes/child.js';
import { Fronts, inLibrary, type FeedOptions } from '../processes/fronts.js';
import { GatewayProcess } from '../processes/gateway.js';
import { Load, type LoadHistory, type LoadWindow } from '../processes/load.js';
import { sampleFrame } from '../processes/sampleFrame.js';
import { cpuPct, cpuTime, residentMb, threadCount } from '../processes/usage.js';

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
}

/** What one run gave. */
export interface RunFigures {
  /** Deliveries that were due, per second: ticks of the window times their subscribers. */
  readonly offered_per_s: number;
  readonly delivered_per_s: number;
  readonly ticks_per_s: number;
  /** From the window's begin to the end of the run. */
  readonly lost: number;
  /** Until the window's begin: while the clients came in, and in the warm-up. */
  readonly lost_before: number;
  readonly duplicated: number;
  readonly reordered: number;
  readonly stale: number;
  /** Instruments of which some client did not end on the last state that any client has. */
  readonly behind: number;
  /** Ticks that were due 250 ms before the front was frozen and that no client has. */
  readonly unseen: number;
  readonly p50_ms: number;
  readonly p99_ms: number;
  readonly p999_ms: number;
  readonly max_ms: number;
  readonly gateway_cpu_pct: number;
  readonly gateway_main_cpu_pct: number;
  readonly gateway_rss_mb: number;
  readonly gateway_threads: number;
  /** Ticks that the main thread read too late. */
  readonly missed_in_rings: number;
  readonly front_cpu_pct: number;
  readonly load_cpu_pct: number;
  /** Deliveries per second of the load generator's own CPU time: what it could take. */
  readonly load_capacity_per_s: number;
  readonly mb_per_s: number;
  /** Deliveries in one read of a client: how much goes together in one write. */
  readonly frames_per_read: number;
  readonly drains_ms: readonly number[];
  readonly hops: Hops | undefined;
  readonly loop_lag_ms: { readonly p50: number; readonly p99: number; readonly max: number } | undefined;
  readonly gc: { readonly count: number; readonly total_ms: number; readonly max_ms: number } | undefined;
  readonly cpuprofile: string | undefined;
  /** A market_data frame, for baselines that are to send the same bytes; '' in runs of the aid protocol. */
  readonly sample: string;
}

export type Verdict = Pick<
  RunFigures,
  'lost' | 'lost_before' | 'duplicated' | 'reordered' | 'stale' | 'behind' | 'unseen'
>;

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

/** One run with processes and files of its own. */
export async function runGateway(options: RunOptions): Promise<RunFigures> {
  const folder = mkdtempSync(join(tmpdir(), 'qactpmd-bench-'));
  // A whole second, so that bursts begin with their period.
  const feed: FeedOptions = {
    ...options.feed,
    seed,
    startUs: Math.floor(Date.now() / msPerS) * 1e6,
    instruments: options.instruments.length,
  };
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
  const sample = options.protocol === 'aid' ? '' : await sampleFrame(gateway.port, options.instruments[0]!);
  await pause(options.warmupS * msPerS);

  const { pid } = gateway.child;
  const ticksBefore = await gateway.ticks();
  const begunMs = Date.now();
  const cpuBefore = cpuTime(pid);
  const frontBefore = fronts === undefined ? 0 : cpuTime(fronts.child.pid).all;
  load.begin();
  // The gateway takes one at a time.
  const tracing =
    options.trace && options.profile !== true ? gateway.trace(options.seconds, traceOneIn) : undefined;
  const profiling = options.profile === true ? gateway.profile(options.seconds) : undefined;
  const recorded = Promise.all([tracing, profiling]);
  // Awaited below; should the run fail before, that failure is the one to tell.
  recorded.catch(() => undefined);
  await pause(options.seconds * msPerS);
  const window = await load.end();
  const seconds = (Date.now() - begunMs) / msPerS;
  const cpuAfter = cpuTime(pid);
  const frontAfter = fronts === undefined ? 0 : cpuTime(fronts.child.pid).all;
  const memory = residentMb(pid);
  const threads = threadCount(pid);
  const endedMs = begunMs + seconds * msPerS;
  const [trace, cpuprofile] = await recorded;

  const stoppedMs = Date.now();
  fronts?.freeze();
  await quiet(load, fronts !== undefined);
  const ticksAfter = await gateway.ticks();
  const history = await load.finish();
  const offered = dueBetween(options, feed, begunMs, endedMs);
  const due = sequencesAt(options.instruments, feed, stoppedMs - unsentMs);
  const verdict = judge(options, history, due, fronts !== undefined);
  return {
    offered_per_s: offered.deliveries / seconds,
    delivered_per_s: window.delivered / seconds,
    ticks_per_s: offered.ticks / seconds,
    ...verdict,
    ...latenciesOf(window),
    gateway_cpu_pct: cpuPct(cpuBefore.all, cpuAfter.all, seconds),
    gateway_main_cpu_pct: cpuPct(cpuBefore.main, cpuAfter.main, seconds),
    gateway_rss_mb: memory.now,
    gateway_threads: threads,
    missed_in_rings: ticksAfter.missed - ticksBefore.missed,
    front_cpu_pct: cpuPct(frontBefore, frontAfter, seconds),
    ...loadUse(window),
    drains_ms: window.bursts.map(([, us]) => us / msPerS),
    hops: trace === undefined ? undefined : hopsOf(trace, feed.startUs, load.probes()),
    loop_lag_ms: trace?.loop_delay_ms,
    gc: trace?.gc,
    cpuprofile,
    sample,
  };
}

export function latenciesOf(
  window: LoadWindow,
): Pick<RunFigures, 'p50_ms' | 'p99_ms' | 'p999_ms' | 'max_ms'> {
  return {
    p50_ms: window.p50_us / msPerS,
    p99_ms: window.p99_us / msPerS,
    p999_ms: window.p999_us / msPerS,
    max_ms: window.max_us / msPerS,
  };
}

export function loadUse(
  window: LoadWindow,
): Pick<RunFigures, 'load_cpu_pct' | 'load_capacity_per_s' | 'mb_per_s' | 'frames_per_read'> {
  return {
    load_cpu_pct: (100 * window.cpu_us) / window.window_us,
    load_capacity_per_s: (window.delivered * 1e6) / Math.max(1, window.cpu_us),
    mb_per_s: window.bytes / window.window_us,
    frames_per_read: window.delivered / Math.max(1, window.reads),
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

/**
 * The clients' histories against what must have arrived at least. Where the flow has stopped, all clients must agree; where
 * ticks are made in the library it goes on, and a client may be some ms behind another. A tick that no client has may also be one that a
 * late front had not sent when it was frozen, so it is lost only where the front had time enough.
 */
export function judge(
  { protocol }: Pick<RunOptions, 'protocol'>,
  history: LoadHistory,
  atLeast: ReadonlyMap<string, number>,
  stopped: boolean,
): Verdict {
  let behind = history.silent;
  let unseen = 0;
  for (const [id, [least, most]] of Object.entries(history.last)) {
    if (least < (stopped ? most : Math.min(most, atLeast.get(id) ?? 0))) behind++;
    unseen += Math.max(0, (atLeast.get(id) ?? 0) - most);
  }
  return {
    lost: protocol === 'action' ? history.missing : 0,
    lost_before: protocol === 'action' ? history.missing_before : 0,
    duplicated: history.repeated,
    reordered: history.late,
    stale: history.stale,
    behind,
    unseen,
  };
}

function preloadFor(slow: HopName | undefined, here: readonly HopName[]): string | undefined {
  if (slow === undefined || !here.includes(slow)) return undefined;
  return packagePath('dist', 'bench', 'slow', `${slow}.js`);
}
