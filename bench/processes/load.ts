import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packagePath } from '../../src/base/paths.js';
import { Child } from './child.js';

const readyDeadlineMs = 60_000;
const bytesPerProbe = 24;

export interface LoadOptions {
  readonly port: number;
  readonly protocol: 'action' | 'aid';
  /** Each client's instruments. */
  readonly plan: readonly (readonly string[])[];
  /** µs since the epoch at which intended send times are 0. */
  readonly startUs: number;
  /** Period of synchronised bursts; 0 for none. */
  readonly burstUs: number;
  /** So many clients write down every delivery, for the table of hops. */
  readonly probes: number;
  /** The clients wait so long before each read, in µs. */
  readonly slowUs: number;
  /** For its files. */
  readonly folder: string;
}

/** What the clients received between begin and end. Times are µs. */
export interface LoadWindow {
  readonly window_us: number;
  readonly cpu_us: number;
  readonly bytes: number;
  /** Reads that brought something. */
  readonly reads: number;
  readonly delivered: number;
  /** Deliveries before their intended time: clocks or stamps are wrong. */
  readonly early: number;
  readonly p50_us: number;
  readonly p99_us: number;
  readonly p999_us: number;
  readonly max_us: number;
  /** Deliveries of each burst, and the time from its intended begin to the last of them. */
  readonly bursts: readonly (readonly [number, number])[];
}

/** What the clients received from their first frame to their last. */
export interface LoadHistory {
  readonly connected: number;
  readonly received: number;
  /** Since the last begin of a window. */
  readonly missing: number;
  /** Until then: while the clients came in. */
  readonly missing_before: number;
  readonly repeated: number;
  readonly late: number;
  readonly stale: number;
  readonly strangers: number;
  /** Streams that never showed a state. */
  readonly silent: number;
  /** By instrument: the least and the greatest last number that any client ended on; -1 for none. */
  readonly last: Readonly<Record<string, readonly [number, number]>>;
}

/** One delivery to one of the probing clients. */
export interface Probe {
  readonly instrument: string;
  readonly sequence: number;
  /** ms since the epoch. */
  readonly receivedMs: number;
}

/** The load generator (bench/load) with all its clients. */
export class Load {
  readonly child: Child;
  readonly #options: LoadOptions;
  readonly #probeFile: string;

  private constructor(options: LoadOptions) {
    const { port, protocol, plan, startUs, burstUs, probes, slowUs, folder } = options;
    this.#options = options;
    this.#probeFile = join(folder, `probes-${port}-${protocol}`);
    const planFile = join(folder, `plan-${port}-${protocol}`);
    writeFileSync(planFile, plan.map((ids) => `${ids.join(',')}\n`).join(''));
    const given: [string, string | number][] = [
      ['port', port],
      ['protocol', protocol],
      ['plan', planFile],
      ['start-us', startUs],
      ['burst-us', burstUs],
      ['slow-us', slowUs],
    ];
    if (probes > 0) given.push(['probes', probes], ['probe-file', this.#probeFile]);
    this.child = new Child(
      'the load generator',
      packagePath('bench', 'load', 'build', 'load'),
      given.flatMap(([name, value]) => [`--${name}`, String(value)]),
    );
  }

  /** Starts it; resolves when every client has subscribed and been answered. */
  static async start(options: LoadOptions): Promise<Load> {
    const load = new Load(options);
    try {
      await load.#event('ready', readyDeadlineMs);
      return load;
    } catch (error) {
      await load.child.stop('SIGKILL');
      throw error;
    }
  }

  /** Frames with a state so far, and streams that have not shown any. */
  async counts(): Promise<{ readonly received: number; readonly silent: number }> {
    this.child.send('count');
    return (await this.#event('counts')) as { received: number; silent: number };
  }

  begin(): void {
    this.child.send('begin');
  }

  async end(): Promise<LoadWindow> {
    this.child.send('end');
    return (await this.#event('window')) as LoadWindow;
  }

  /** The histories of the whole run; the generator ends. */
  async finish(): Promise<LoadHistory> {
    this.child.send('finish');
    const history = (await this.#event('final')) as LoadHistory;
    await this.child.stop();
    return history;
  }

  /** The deliveries to the probing clients; to be read after `finish`. */
  probes(): Probe[] {
    const bytes = readFileSync(this.#probeFile);
    const names = [...new Set(this.#options.plan.flat())];
    const probes: Probe[] = [];
    for (let at = 0; at + bytesPerProbe <= bytes.length; at += bytesPerProbe) {
      const number = (place: number): number => Number(bytes.readBigInt64LE(at + 8 * place));
      probes.push({ instrument: names[number(0)]!, sequence: number(1), receivedMs: number(2) / 1000 });
    }
    return probes;
  }

  #event(name: string, deadlineMs?: number): Promise<unknown> {
    return this.child.next(
      name,
      (line) => (line.startsWith(`{"event":"${name}"`) ? (JSON.parse(line) as unknown) : undefined),
      deadlineMs,
    );
  }
}
