import { Debugger } from '../../workers/debugger.js';
import { freePorts } from '../ports.js';
import { FrontsProcess, GatewayProcess } from '../processes.js';
import { until } from '../../helpers/until.js';
import type { Action, ChaosShape } from './plan.js';

export interface WorldOptions extends ChaosShape {
  readonly redundancy: number;
  readonly connectionsPerWorker: number;
  /** Ticks per second of each instrument. */
  readonly rate: number;
  readonly seed: number;
  /** Instruments that the clients will want. */
  readonly wanted: number;
}

interface Connection {
  readonly connection_id: string;
  readonly front_addr: string;
  readonly broker_id: string;
  readonly max_subscriptions: number;
  readonly priority: number;
}

/**
 * An instrument's ticks are half a second apart, as real ones are: a line that comes back does not overtake one that
 * is behind by less than that.
 */
export const arrivals = 'burst';
/** Refused logins and lost workers are tried again ever later, and the machine may be slow. */
const wholeDeadlineMs = 90_000;
const reconnectMs = 100;
const firstPriority = 1;
/** Faults that only a session which begins can meet. */
const meetNewSessions: ReadonlySet<string> = new Set([
  'refuse',
  'login_error',
  'subscribe_responses',
  'stale_snapshot',
  'return_code',
]);

/** Brokers with their fronts in a process each, and a gateway with a connection to every front. */
export class World {
  /** The fronts number their ticks from here on, µs since the epoch. */
  readonly startUs = Date.now() * 1000;
  readonly gateway: GatewayProcess;
  readonly #options: WorldOptions;
  readonly #basePort: number;
  readonly #brokers: FrontsProcess[];
  readonly #frozen = new Set<number>();
  /** By broker and front; undefined for what was removed. */
  readonly #connections: (Connection | undefined)[][];
  #debugger: Debugger | undefined;

  private constructor(options: WorldOptions, basePort: number) {
    this.#options = options;
    this.#basePort = basePort;
    const brokers = Array.from({ length: options.brokers }, (_, broker) => broker);
    this.#brokers = brokers.map((broker) => this.#startFronts(broker));
    this.#connections = brokers.map((broker) => this.#connectionsOf(broker));
    this.gateway = new GatewayProcess(this.#config(), [], {
      QACTPMD_SIM_RECONNECT_MS: `${reconnectMs}`,
      NODE_OPTIONS: '--inspect=127.0.0.1:0',
    });
  }

  static async start(options: WorldOptions): Promise<World> {
    const world = new World(options, await freePorts(options.brokers * options.fronts));
    try {
      for (const fronts of world.#brokers) await fronts.ready();
      await world.gateway.loggedIn();
      const [, url] = /(ws:\S+)/.exec(await world.gateway.line(/Debugger listening on/))!;
      world.#debugger = await Debugger.attach(url!);
      return world;
    } catch (error) {
      await world.kill();
      throw error;
    }
  }

  /** Does one step of an episode. */
  async act(broker: number, action: Action): Promise<void> {
    const fronts = this.#brokers[broker]!;
    switch (action.do) {
      case 'kill':
        await fronts.stop('SIGKILL');
        this.#frozen.delete(broker);
        break;
      case 'freeze':
        fronts.child.kill('SIGSTOP');
        this.#frozen.add(broker);
        break;
      case 'restart':
        await this.#restart(broker);
        break;
      case 'thaw':
        this.#thaw(broker);
        break;
      case 'worker_crash':
        await this.#says(/its worker crashed/, () => this.#debugger!.runInWorker('process.exit(5)'));
        break;
      case 'remove_connection':
        this.#connections[broker]![action.front] = undefined;
        await this.#reload();
        break;
      case 'change_priority': {
        const { priority } = action;
        this.#connections[broker]![action.front] = { ...this.#connectionOf(broker, action.front), priority };
        await this.#reload();
        break;
      }
      default:
        await fronts.fault(action.do, action.fields, action.front);
        if (meetNewSessions.has(action.do)) await fronts.fault('disconnect', {}, action.front);
    }
  }

  /** Puts everything of a broker right again. */
  async restore(broker: number): Promise<void> {
    this.#thaw(broker);
    if (!this.#brokers[broker]!.isRunning) await this.#restart(broker);
    await this.#brokers[broker]!.clear();
    const changed = this.#connections[broker]!.some((each) => each?.priority !== firstPriority);
    if (!changed) return;
    this.#connections[broker] = this.#connectionsOf(broker);
    await this.#reload();
  }

  /**
   * Waits until every line that there should be is there: the gateway says so, and the fronts have been asked for
   * as many instruments.
   */
  async whole(): Promise<void> {
    const { brokers, fronts, redundancy, wanted } = this.#options;
    const lines = redundancy * wanted;
    let seen: unknown;
    await until(
      'the gateway to be whole',
      async () => {
        const { status, connections } = (await this.gateway.health()).body;
        const asked = await Promise.all(this.#brokers.map((each) => each.load()));
        const carried = connections.reduce((sum, { subscriptions }) => sum + subscriptions, 0);
        const sessions = asked.reduce((sum, each) => sum + each.sessions, 0);
        const subscribed = asked.reduce((sum, each) => sum + each.subscriptions, 0);
        const down = connections.filter((each) => each.status !== 'logged_in').map(({ id }) => id);
        seen = { status, connections: connections.length, down, carried, sessions, subscribed };
        return (
          status === 'healthy' &&
          connections.length === brokers * fronts &&
          sessions === connections.length &&
          carried === lines &&
          subscribed === lines
        );
      },
      wholeDeadlineMs,
    ).catch((error: unknown) => {
      throw new Error(`${String(error)}; it is ${JSON.stringify(seen)}`);
    });
  }

  /** Stops every front in the middle of its ticks. */
  freezeAll(): void {
    for (const [broker, fronts] of this.#brokers.entries()) {
      fronts.child.kill('SIGSTOP');
      this.#frozen.add(broker);
    }
  }

  /** Ends everything in order; exit codes of the gateway and of the fronts. */
  async stop(): Promise<(number | null)[]> {
    for (const broker of this.#brokers.keys()) this.#thaw(broker);
    this.#debugger?.close();
    return [await this.gateway.stop(), ...(await Promise.all(this.#brokers.map((fronts) => fronts.stop())))];
  }

  async kill(): Promise<void> {
    this.#debugger?.close();
    await Promise.all([this.gateway, ...this.#brokers].map((program) => program.stop('SIGKILL')));
  }

  async #reload(): Promise<void> {
    await this.#says(/"msg":"SIGHUP: /, () => this.gateway.configure(this.#config()));
  }

  /** Does something and waits until the gateway has logged that it happened. */
  async #says(line: RegExp, act: () => unknown): Promise<void> {
    const count = (): number => this.gateway.lines.filter((each) => line.test(each)).length;
    const before = count();
    await act();
    await until(`one more line like ${line}`, () => count() > before);
  }

  #thaw(broker: number): void {
    if (this.#frozen.delete(broker)) this.#brokers[broker]!.child.kill('SIGCONT');
  }

  async #restart(broker: number): Promise<void> {
    this.#brokers[broker] = this.#startFronts(broker);
    await this.#brokers[broker].ready();
  }

  #portOf(broker: number, front: number): number {
    return this.#basePort + broker * this.#options.fronts + front;
  }

  #startFronts(broker: number): FrontsProcess {
    const { fronts, rate, seed } = this.#options;
    return new FrontsProcess(fronts, this.#portOf(broker, 0), [
      ...['--control-port', '0', '--bench-start', `${this.startUs}`],
      ...['--rate', `${rate}`, '--seed', `${seed}`, '--arrivals', arrivals],
    ]);
  }

  #connectionsOf(broker: number): (Connection | undefined)[] {
    return Array.from({ length: this.#options.fronts }, (_, front) => this.#connectionOf(broker, front));
  }

  #connectionOf(broker: number, front: number): Connection {
    return {
      connection_id: `broker_${broker}_front_${front}`,
      front_addr: `tcp://127.0.0.1:${this.#portOf(broker, front)}`,
      broker_id: `${9000 + broker}`,
      max_subscriptions: this.#options.wanted,
      priority: firstPriority,
    };
  }

  #config(): object {
    const { redundancy, connectionsPerWorker } = this.#options;
    return {
      redundancy,
      connections_per_worker: connectionsPerWorker,
      silence_timeout: 1,
      discover_instruments: false,
      history_memory: 0,
      trading_hours: 'always',
      config_watch: false,
      connections: this.#connections.flat().filter((each) => each !== undefined),
    };
  }
}
