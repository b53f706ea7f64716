import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dueTicks } from '../dueTicks.js';
import { sequencesAt } from '../expectedTicks.js';
import { interruptionOf, type Arrival, type DueTicks } from '../figures/interruption.js';
import { pause, until } from '../processes/child.js';
import { Fronts, type FeedOptions } from '../processes/fronts.js';
import { GatewayProcess, type ConnectionHealth } from '../processes/gateway.js';
import { Load, type Probe } from '../processes/load.js';
import { cpuPct, cpuTime, residentMb, threadCount } from '../processes/usage.js';
import { everyStreamSpeaks, judge, latenciesOf, loadUse, quiet, type RunFigures } from './gatewayRun.js';

/** What can happen to a front's process: it is gone, or it stays and says nothing. */
export const faultKinds = ['SIGKILL', 'SIGSTOP'] as const;
export type FaultKind = (typeof faultKinds)[number];

export interface FailoverOptions {
  readonly instruments: readonly string[];
  /** Each client's instruments; the first client has all of them. */
  readonly plan: readonly (readonly string[])[];
  /** Ticks per second of each instrument. */
  readonly rate: number;
  readonly redundancy: number;
  /** Each has one fault of each kind. */
  readonly rounds: number;
}

/** What one fault did to the first client's streams. */
export interface FaultFigures {
  readonly fault: FaultKind;
  /** The longest gap of any instrument. */
  readonly gap_ms: number;
  /** From the fault to the next one, so that the way back counts as well. */
  readonly lost: number;
  /** Instruments of which a tick was lost. */
  readonly interrupted: number;
}

export interface FailoverFigures {
  /** Of the whole run; latencies and losses include the faults'. */
  readonly run: RunFigures;
  readonly faults: readonly FaultFigures[];
}

/** The shortest that can be set. */
export const silenceTimeoutS = 1;
/** The watchdog calls the end of a flow a silence when the flow has lasted for two time-outs. */
const provenFlowMs = 2500;
/** What a fault still causes after the gateway has noticed it happens within this time. */
const settleMs = 500;
const reconnectMs = 200;
const unsentMs = 250;
const noticeDeadlineMs = 20_000;
const msPerS = 1000;
const seed = 1;
const lines = 2;

/** One gateway, two fronts of different brokers in processes of their own, and fault after fault. */
export async function runFailover(options: FailoverOptions): Promise<FailoverFigures> {
  const folder = mkdtempSync(join(tmpdir(), 'qactpmd-failover-'));
  const feed: FeedOptions = {
    arrivals: 'poisson',
    rate: options.rate,
    seed,
    startUs: Math.floor(Date.now() / msPerS) * 1e6,
    instruments: options.instruments.length,
  };
  const run = new FailoverRun(options, feed, folder);
  try {
    await run.start();
    return await run.measure();
  } finally {
    await run.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

class FailoverRun {
  readonly #options: FailoverOptions;
  readonly #feed: FeedOptions;
  readonly #folder: string;
  readonly #fronts: Fronts[] = [];
  readonly #faults: { readonly fault: FaultKind; readonly atMs: number }[] = [];
  #gateway!: GatewayProcess;
  #load!: Load;
  readonly #started: { stop(): Promise<void> }[] = [];

  constructor(options: FailoverOptions, feed: FeedOptions, folder: string) {
    this.#options = options;
    this.#feed = feed;
    this.#folder = folder;
  }

  async start(): Promise<void> {
    const { instruments, plan, redundancy } = this.#options;
    for (let line = 0; line < lines; line++) this.#fronts[line] = await this.#startFront();
    this.#gateway = await GatewayProcess.start({
      connections: this.#fronts.map(({ addresses }, line) => ({
        connection_id: `line_${line + 1}`,
        front_addr: addresses[0],
        broker_id: `broker_${line + 1}`,
        max_subscriptions: instruments.length,
      })),
      folder: this.#folder,
      preload: undefined,
      config: { redundancy, silence_timeout: silenceTimeoutS, trading_hours: 'always' },
      env: { QACTPMD_SIM_RECONNECT_MS: String(reconnectMs) },
    });
    this.#started.push(this.#gateway.child);
    this.#load = await Load.start({
      port: this.#gateway.port,
      protocol: 'action',
      plan,
      startUs: this.#feed.startUs,
      burstUs: 0,
      probes: 1,
      slowUs: 0,
      folder: this.#folder,
    });
    this.#started.push({ stop: () => this.#load.child.stop('SIGKILL') });
  }

  async measure(): Promise<FailoverFigures> {
    const { pid } = this.#gateway.child;
    await everyStreamSpeaks(this.#load);
    await this.#whole();
    const ticksBefore = await this.#gateway.ticks();
    const begunMs = Date.now();
    const cpuBefore = cpuTime(pid);
    const frontBefore = cpuTime(this.#fronts[0]!.child.pid).all;
    this.#load.begin();
    for (let round = 0; round < this.#options.rounds; round++) {
      await pause(provenFlowMs);
      await this.#stopFront(0);
      await this.#killFront(1);
    }
    const window = await this.#load.end();
    const endedMs = Date.now();
    const seconds = (endedMs - begunMs) / msPerS;
    const cpuAfter = cpuTime(pid);
    const frontAfter = cpuTime(this.#fronts[0]!.child.pid).all;
    const memory = residentMb(pid);
    const threads = threadCount(pid);
    for (const front of this.#fronts) front.freeze();
    const stoppedMs = Date.now();
    await quiet(this.#load, true);
    const missed = (await this.#gateway.ticks()).missed - ticksBefore.missed;
    const history = await this.#load.finish();
    const { instruments, plan, rate } = this.#options;
    const verdict = judge(
      { protocol: 'action' },
      history,
      sequencesAt(instruments, this.#feed, stoppedMs - unsentMs),
      true,
    );
    return {
      faults: this.#figures(this.#load.probes(), begunMs, endedMs),
      run: {
        offered_per_s: rate * plan.reduce((sum, ids) => sum + ids.length, 0),
        delivered_per_s: window.delivered / seconds,
        ticks_per_s: rate * instruments.length,
        ...verdict,
        ...latenciesOf(window),
        gateway_cpu_pct: cpuPct(cpuBefore.all, cpuAfter.all, seconds),
        gateway_main_cpu_pct: cpuPct(cpuBefore.main, cpuAfter.main, seconds),
        gateway_rss_mb: memory.now,
        gateway_threads: threads,
        missed_in_rings: missed,
        // Of the one that is not killed.
        front_cpu_pct: cpuPct(frontBefore, frontAfter, seconds),
        ...loadUse(window),
        drains_ms: [],
        hops: undefined,
        loop_lag_ms: undefined,
        gc: undefined,
        cpuprofile: undefined,
        sample: '',
      },
    };
  }

  async stop(): Promise<void> {
    for (const each of this.#started.reverse()) await each.stop();
  }

  async #startFront(port = 0): Promise<Fronts> {
    const front = await Fronts.start(1, this.#feed, undefined, port);
    this.#started.push(front);
    return front;
  }

  /** Stops a front's process until the gateway has noticed, and lets it go on. */
  async #stopFront(line: number): Promise<void> {
    const front = this.#fronts[line]!;
    this.#faults.push({ fault: 'SIGSTOP', atMs: Date.now() });
    front.freeze();
    await this.#noticed(line);
    front.thaw();
    await this.#whole();
  }

  /** Kills a front's process; another one takes its place on the same port. */
  async #killFront(line: number): Promise<void> {
    const front = this.#fronts[line]!;
    this.#faults.push({ fault: 'SIGKILL', atMs: Date.now() });
    await front.stop();
    await this.#noticed(line);
    this.#fronts[line] = await this.#startFront(Number(new URL(front.addresses[0]!).port));
    await this.#whole();
  }

  async #noticed(line: number): Promise<void> {
    await this.#connections(`line ${line + 1} to be given up`, (all) => all[line]!.status !== 'logged_in');
    await pause(settleMs);
  }

  /** Both are logged in and carry together what they should. */
  async #whole(): Promise<void> {
    const { instruments, redundancy } = this.#options;
    await this.#connections('the gateway to be whole', (all) => {
      const carried = all.reduce((sum, each) => sum + each.subscriptions, 0);
      return all.every(({ status }) => status === 'logged_in') && carried === redundancy * instruments.length;
    });
    await pause(settleMs);
  }

  async #connections(what: string, test: (all: readonly ConnectionHealth[]) => boolean): Promise<void> {
    let seen: readonly ConnectionHealth[] = [];
    const check = async (): Promise<true | undefined> => {
      seen = await this.#gateway.connections();
      return test(seen) ? true : undefined;
    };
    await until(what, check, noticeDeadlineMs).catch((error: unknown) => {
      throw new Error(`${String(error)}; it is ${JSON.stringify(seen)}\n${this.#gateway.child.lastWords}`);
    });
  }

  #figures(probes: readonly Probe[], begunMs: number, endedMs: number): FaultFigures[] {
    const due = dueTicks(this.#options.instruments, this.#feed, begunMs - msPerS, endedMs);
    const arrivals = new Map<string, Arrival[]>(this.#options.instruments.map((id) => [id, []]));
    for (const probe of probes) arrivals.get(probe.instrument)!.push(probe);
    return this.#faults.map(({ fault, atMs }, index) => {
      const nextMs = this.#faults[index + 1]?.atMs ?? endedMs;
      const nothing: DueTicks = { first: 0, atMs: [] };
      const each = this.#options.instruments.map((id) =>
        interruptionOf(due.get(id) ?? nothing, arrivals.get(id)!, atMs, nextMs),
      );
      return {
        fault,
        gap_ms: Math.max(...each.map(({ gapMs }) => gapMs)),
        lost: each.reduce((sum, { lost }) => sum + lost, 0),
        interrupted: each.filter(({ lost }) => lost > 0).length,
      };
    });
  }
}
