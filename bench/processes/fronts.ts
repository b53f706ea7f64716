import { packagePath } from '../../src/base/paths.js';
import { Child } from './child.js';

export const arrivalKinds = ['poisson', 'burst', 'uniform'] as const;
export type Arrivals = (typeof arrivalKinds)[number];

/** Packets that may wait for the gateway: the bench wants to see lateness, not a front that cuts its client. */
const queueLimit = 1_000_000;

/** Where a run's ticks come from, and what they are. */
export interface FeedOptions {
  readonly arrivals: Arrivals;
  /** Ticks per second of each instrument, at most 1000. */
  readonly rate: number;
  /** µs since the epoch: before it nothing ticks, and intended times count from it. */
  readonly startUs: number;
  readonly seed: number;
  /** Instruments that the fronts list, as instruments() gives them. */
  readonly instruments: number;
}

/** Simulated fronts in bench mode, in a process of their own. */
export class Fronts {
  readonly child: Child;
  /** Front addresses for the gateway. */
  readonly addresses: readonly string[];

  private constructor(child: Child, addresses: readonly string[]) {
    this.child = child;
    this.addresses = addresses;
  }

  /**
   * @param preload module that is loaded before the program, to make it slow
   * @param basePort port of the first; 0 picks free ports
   */
  static async start(
    fronts: number,
    options: FeedOptions,
    preload: string | undefined,
    basePort = 0,
  ): Promise<Fronts> {
    const main = packagePath('dist', 'src', 'simulator', 'main.js');
    const child = new Child('the simulated fronts', process.execPath, [
      ...(preload === undefined ? [] : ['--import', preload]),
      main,
      ...['--fronts', String(fronts), '--base-port', String(basePort), '--seed', String(options.seed)],
      ...['--instruments', String(options.instruments), '--queue-limit', String(queueLimit)],
      ...['--bench', '--bench-start', String(options.startUs)],
      ...['--arrivals', options.arrivals, '--rate', String(options.rate)],
    ]);
    try {
      const addresses = await child.next('its addresses', (line) => {
        const found = line.startsWith('ready:') ? line.match(/tcp:\/\/\S+/g) : null;
        return found ?? undefined;
      });
      return new Fronts(child, addresses);
    } catch (error) {
      await child.stop('SIGKILL');
      throw error;
    }
  }

  /** Stops in the middle: what has been sent still arrives, nothing follows. */
  freeze(): void {
    this.child.process.kill('SIGSTOP');
  }

  /** Continues where it was stopped. */
  thaw(): void {
    this.child.process.kill('SIGCONT');
  }

  async stop(): Promise<void> {
    await this.child.stop('SIGKILL');
  }
}

/** An address at which the simulated library itself makes the ticks of its session, without a front. */
export function inLibrary(options: FeedOptions): string {
  const { arrivals, rate, startUs, seed } = options;
  return `sim://?each=${rate}&arrivals=${arrivals}&bench_start=${startUs}&seed=${seed}`;
}
