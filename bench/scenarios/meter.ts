import type { GatewayProcess } from '../processes/gateway.js';
import type { Load, LoadWindow } from '../processes/load.js';
import { cpuPct, cpuTime, residentMb, threadCount } from '../processes/usage.js';
import { latenciesOf, loadUse, type RunFigures } from './runFigures.js';

const msPerS = 1000;

/** What a window is measured by itself, whatever is done in it. */
export type WindowFigures = Pick<
  RunFigures,
  | 'delivered_per_s'
  | 'p50_ms'
  | 'p99_ms'
  | 'p999_ms'
  | 'max_ms'
  | 'gateway_cpu_pct'
  | 'gateway_main_cpu_pct'
  | 'gateway_rss_mb'
  | 'gateway_threads'
  | 'front_cpu_pct'
  | 'load_cpu_pct'
  | 'load_capacity_per_s'
  | 'mb_per_s'
  | 'frames_per_read'
>;

export interface MeasuredWindow {
  readonly window: LoadWindow;
  /** ms since the epoch. */
  readonly begunMs: number;
  readonly endedMs: number;
  readonly seconds: number;
  readonly figures: WindowFigures;
}

/** Measures the gateway, a front and the load generator from its making until `end`. */
export class Meter {
  readonly #gateway: GatewayProcess;
  /** Process id of the front, if there is one. */
  readonly #front: number | undefined;
  readonly #load: Load;
  /** ms since the epoch. */
  readonly begunMs = Date.now();
  readonly #cpuBefore: ReturnType<typeof cpuTime>;
  readonly #frontBefore: number;

  constructor(gateway: GatewayProcess, front: number | undefined, load: Load) {
    this.#gateway = gateway;
    this.#front = front;
    this.#load = load;
    this.#cpuBefore = cpuTime(gateway.child.pid);
    this.#frontBefore = this.#frontCpu();
    load.begin();
  }

  async end(): Promise<MeasuredWindow> {
    const { pid } = this.#gateway.child;
    const window = await this.#load.end();
    const endedMs = Date.now();
    const seconds = (endedMs - this.begunMs) / msPerS;
    const cpu = cpuTime(pid);
    return {
      window,
      begunMs: this.begunMs,
      endedMs,
      seconds,
      figures: {
        delivered_per_s: window.delivered / seconds,
        ...latenciesOf(window),
        gateway_cpu_pct: cpuPct(this.#cpuBefore.all, cpu.all, seconds),
        gateway_main_cpu_pct: cpuPct(this.#cpuBefore.main, cpu.main, seconds),
        gateway_rss_mb: residentMb(pid).now,
        gateway_threads: threadCount(pid),
        front_cpu_pct: cpuPct(this.#frontBefore, this.#frontCpu(), seconds),
        ...loadUse(window),
      },
    };
  }

  #frontCpu(): number {
    return this.#front === undefined ? 0 : cpuTime(this.#front).all;
  }
}
