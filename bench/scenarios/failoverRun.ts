import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dueTicks } from '../dueTicks.js';
import { sequencesAt } from '../expectedTicks.js';
import { interruptionOf, type Arrival, type DueTicks, type Interruption } from '../figures/interruption.js';
import { pause, until } from '../processes/child.js';
import { Fronts, type FeedOptions } from '../processes/fronts.js';
import { GatewayProcess, type ConnectionHealth } from '../processes/gateway.js';
import { Load, type Probe } from '../processes/load.js';
import { everyStreamSpeaks, quiet } from './gatewayRun.js';
import { Meter } from './meter.js';
import { judge, type RunFigures } from './runFigures.js';

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
  /** The longest gap of any instrument, from the fault to the next one: the way back counts as well. */
  readonly gap_ms: number;
  /** While the front was down. */
  readonly lost: number;
  /** While the front came back and after it. */
  readonly lost_on_return: number;
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
/** The watchdog calls the end of a flow a silence when the flow has lasted for some time-outs. */
const provenFlowMs = 2900;
/** What a fault still causes after the gateway has noticed it happens within this time. */
const settleMs = 200;
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

interface Fault {
  readonly fault: FaultKind;
  readonly atMs: number;
  /** When the front was let continue, or was started again. */
  backMs: number;
}

class FailoverRun {
  readonly #options: FailoverOptions;
  readonly #feed: FeedOptions;
  readonly #folder: string;
  readonly #fronts: Fronts[] = [];
  readonly #faults: Fault[] = [];
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
    await everyStreamSpeaks(this.#load);
    for (let line = 0; line < lines; line++) await this.#whole(line, 0);
    const ticksBefore = await this.#gateway.ticks();
    // Of the front that is not killed.
    const meter = new Meter(this.#gateway, this.#fronts[0]!.child.pid, this.#load);
    for (let round = 0; round < this.#options.rounds; round++) {
      // All that it carries has come to it by the last kill of the other one.
      const flowingMs = Date.now() - (this.#faults.at(-1)?.atMs ?? meter.begunMs);
      await pause(Math.max(0, provenFlowMs - flowingMs));
      await this.#stopFront(0);
      await this.#killFront(1);
    }
    const { begunMs, endedMs, figures } = await meter.end();
    for (const front of this.#fronts) front.freeze();
    const stoppedMs = Date.now();
    await quiet(this.#load, true);
    const ticksAfter = await this.#gateway.ticks();
    const history = await this.#load.finish();
    const { instruments, plan, rate } = this.#options;
    const verdict = judge(
      'action',
      history,
      sequencesAt(instruments, this.#feed, stoppedMs - unsentMs),
      true,
    );
    return {
      faults: this.#figures(this.#load.probes(), begunMs, endedMs),
      run: {
        offered_per_s: rate * plan.reduce((sum, ids) => sum + ids.length, 0),
        ticks_per_s: rate * instruments.length,
        ...verdict,
        ...figures,
        ticks_taken: ticksAfter.accepted,
        missed_in_rings: ticksAfter.missed - ticksBefore.missed,
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

  /** Stops a front's process until the gateway has noticed, and lets it continue. */
  async #stopFront(line: number): Promise<void> {
    const front = this.#fronts[line]!;
    const fault: Fault = { fault: 'SIGSTOP', atMs: Date.now(), backMs: NaN };
    this.#faults.push(fault);
    front.freeze();
    const ticks = await this.#noticed(line);
    fault.backMs = Date.now();
    front.thaw();
    await this.#whole(line, ticks);
  }

  /** Kills a front's process; another one takes its place on the same port. */
  async #killFront(line: number): Promise<void> {
    const front = this.#fronts[line]!;
    const fault: Fault = { fault: 'SIGKILL', atMs: Date.now(), backMs: NaN };
    this.#faults.push(fault);
    await front.stop();
    const ticks = await this.#noticed(line);
    fault.backMs = Date.now();
    this.#fronts[line] = await this.#startFront(Number(new URL(front.addresses[0]!).port));
    await this.#whole(line, ticks);
  }

  /** Waits until the gateway has given the line up; the line's ticks until then. */
  async #noticed(line: number): Promise<number> {
    const all = await this.#connections(`line ${line + 1} to be given up`, (now) => {
      return now[line]!.status !== 'logged_in';
    });
    await pause(settleMs);
    return all[line]!.ticks;
  }

  /**
   * Waits until both lines are logged in and carry together what they should, and until as many ticks have come over
   * the one that was down as it carries: its front begins with the state of each.
   */
  async #whole(line: number, ticks: number): Promise<void> {
    const { instruments, redundancy } = this.#options;
    await this.#connections('the gateway to be whole', (now) => {
      const carried = now.reduce((sum, each) => sum + each.subscriptions, 0);
      return (
        now.every(({ status }) => status === 'logged_in') &&
        carried === redundancy * instruments.length &&
        now[line]!.ticks >= ticks + now[line]!.subscriptions
      );
    });
    await pause(settleMs);
  }

  async #connections(
    what: string,
    test: (now: readonly ConnectionHealth[]) => boolean,
  ): Promise<readonly ConnectionHealth[]> {
    let seen: readonly ConnectionHealth[] = [];
    const check = async (): Promise<true | undefined> => {
      seen = await this.#gateway.connections();
      return test(seen) ? true : undefined;
    };
    await until(what, check, noticeDeadlineMs).catch((error: unknown) => {
      throw new Error(`${String(error)}; it is ${JSON.stringify(seen)}\n${this.#gateway.child.lastWords}`);
    });
    return seen;
  }

  #figures(probes: readonly Probe[], begunMs: number, endedMs: number): FaultFigures[] {
    const due = dueTicks(this.#options.instruments, this.#feed, begunMs - msPerS, endedMs);
    const arrivals = new Map<string, Arrival[]>(this.#options.instruments.map((id) => [id, []]));
    for (const probe of probes) arrivals.get(probe.instrument)!.push(probe);
    const nothing: DueTicks = { first: 0, atMs: [] };
    return this.#faults.map(({ fault, atMs, backMs }, index) => {
      const nextMs = this.#faults[index + 1]?.atMs ?? endedMs;
      const between = (fromMs: number, toMs: number): Interruption[] =>
        this.#options.instruments.map((id) =>
          interruptionOf(due.get(id) ?? nothing, arrivals.get(id)!, fromMs, toMs),
        );
      const all = between(atMs, nextMs);
      const down = between(atMs, backMs);
      const sum = (each: readonly Interruption[]): number =>
        each.reduce((total, { lost }) => total + lost, 0);
      return {
        fault,
        gap_ms: Math.max(...all.map(({ gapMs }) => gapMs)),
        lost: sum(down),
        lost_on_return: sum(all) - sum(down),
        interrupted: all.filter(({ lost }) => lost > 0).length,
      };
    });
  }
}
