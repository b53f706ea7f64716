import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BaselineKind } from '../baselines/server.js';
import { BaselineProcess } from '../processes/baseline.js';
import { pause } from '../processes/child.js';
import { Load } from '../processes/load.js';
import { cpuPct, cpuTime, residentMb } from '../processes/usage.js';
import { judge, latenciesOf, loadUse, type RunFigures } from './runFigures.js';

export interface BaselineRunOptions {
  readonly kind: BaselineKind;
  readonly instruments: readonly string[];
  readonly plan: readonly (readonly string[])[];
  /** A market_data frame of the gateway. */
  readonly sample: string;
  readonly warmupS: number;
  readonly seconds: number;
}

export type BaselineFigures = Pick<
  RunFigures,
  | 'offered_per_s'
  | 'delivered_per_s'
  | 'lost'
  | 'duplicated'
  | 'reordered'
  | 'p50_ms'
  | 'p99_ms'
  | 'p999_ms'
  | 'max_ms'
  | 'load_cpu_pct'
  | 'load_capacity_per_s'
  | 'frames_per_read'
> & { readonly cpu_pct: number; readonly rss_mb: number };

const msPerS = 1000;
const settleMs = 300;

/** A baseline server with its clients, ready to be tried at one rate after the other. */
export class BaselineBench {
  readonly #options: BaselineRunOptions;
  readonly #folder: string;
  readonly #server: BaselineProcess;
  readonly #load: Load;

  private constructor(options: BaselineRunOptions, folder: string, server: BaselineProcess, load: Load) {
    this.#options = options;
    this.#folder = folder;
    this.#server = server;
    this.#load = load;
  }

  static async start(options: BaselineRunOptions): Promise<BaselineBench> {
    const folder = mkdtempSync(join(tmpdir(), 'qactpmd-bench-'));
    let server: BaselineProcess | undefined;
    try {
      server = await BaselineProcess.start(options.kind, options.instruments, options.sample, folder);
      const load = await Load.start({
        port: server.port,
        protocol: 'action',
        plan: options.plan,
        startUs: server.startUs,
        burstUs: 0,
        probes: 0,
        slowUs: 0,
        folder,
      });
      return new BaselineBench(options, folder, server, load);
    } catch (error) {
      await server?.child.stop('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
  }

  /** Measures one window at a rate, in ticks per second over all instruments. */
  async at(ticksPerS: number): Promise<BaselineFigures> {
    const { plan, instruments, warmupS, seconds } = this.#options;
    const { pid } = this.#server.child;
    this.#server.setRate(ticksPerS);
    await pause(warmupS * msPerS);
    const before = cpuTime(pid);
    this.#load.begin();
    await pause(seconds * msPerS);
    const window = await this.#load.end();
    const windowS = window.window_us / 1e6;
    const after = cpuTime(pid);
    this.#server.setRate(0);
    await this.#settled();
    const fanOut = plan.reduce((sum, ids) => sum + ids.length, 0) / instruments.length;
    return {
      offered_per_s: ticksPerS * fanOut,
      delivered_per_s: window.delivered / windowS,
      lost: 0,
      duplicated: 0,
      reordered: 0,
      ...latenciesOf(window),
      ...loadUse(window),
      cpu_pct: cpuPct(before.all, after.all, windowS),
      rss_mb: residentMb(pid).now,
    };
  }

  /** What the clients lost of everything that was sent since the last window began; the last thing to be asked. */
  async lost(): Promise<number> {
    const last = await this.#server.last();
    const { lost, unseen } = judge('action', await this.#load.finish(), last, true);
    return lost + unseen;
  }

  async stop(): Promise<void> {
    await this.#load.child.stop('SIGKILL');
    await this.#server.child.stop('SIGKILL');
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Waits until what is under way has arrived, which takes a while after a rate that was too high. */
  async #settled(): Promise<void> {
    let before = -1;
    for (;;) {
      await pause(settleMs);
      const { received } = await this.#load.counts();
      if (received === before) return;
      before = received;
    }
  }
}
