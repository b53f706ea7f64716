import type { SessionsReport } from '../../../src/market/sessionBoard.js';
import { freePorts } from '../ports.js';
import { connectionsTo, FrontsProcess, GatewayProcess, until } from '../processes.js';
import { Follower } from './follower.js';
import type { SeenTick } from './checker.js';
import { ScriptedClock } from './scriptedClock.js';

const speed = 32_000;
/** Two ticks of each contract in the shortest session. */
const ticksPerSecond = 1 / 1800;
const deadlineMs = 150_000;

/** Simulated fronts with the exchanges' hours, and a gateway, that both live by scripted clocks, and its client. */
export class Simulation {
  readonly fronts: FrontsProcess;
  readonly gateway: GatewayProcess;
  readonly client: Follower;
  readonly #clock: ScriptedClock;
  readonly #aheadMs: number;
  /** The fronts' time, and the monotonic clock at it; how fast it runs. */
  #at: number;
  #since = performance.now();
  #speed = 1;

  private constructor(parts: {
    fronts: FrontsProcess;
    gateway: GatewayProcess;
    client: Follower;
    clock: ScriptedClock;
    aheadMs: number;
    begin: number;
  }) {
    this.fronts = parts.fronts;
    this.gateway = parts.gateway;
    this.client = parts.client;
    this.#clock = parts.clock;
    this.#aheadMs = parts.aheadMs;
    this.#at = parts.begin;
  }

  /**
   * Starts all of them; time stands nearly still until `runUntil`.
   *
   * @param begin where the fronts begin, ISO
   * @param aheadMs how far the gateway's clock is ahead of theirs
   */
  static async start(
    dates: 'production' | 'simnow',
    begin: string,
    aheadMs: number,
    take: (tick: SeenTick) => void,
  ): Promise<Simulation> {
    const basePort = await freePorts(1);
    const fronts = new FrontsProcess(1, basePort, [
      ...['--hours', 'exchange', '--dates', dates, '--rate', String(ticksPerSecond), '--clock-start', begin],
      ...['--late-limit', '60000', '--queue-limit', '1000000', '--control-port', '0'],
    ]);
    const beginMs = Date.parse(begin);
    const clock = new ScriptedClock(beginMs + aheadMs);
    const connections = connectionsTo(basePort, 1).map((each) => ({ ...each, max_subscriptions: 2000 }));
    const gateway = new GatewayProcess(
      {
        trading_hours: 'exchange',
        silence_timeout: 0,
        maintenance_interval: 1,
        unsubscribe_grace: 3600,
        discover_instruments: false,
        connections,
      },
      [],
      clock.env,
    );
    try {
      await fronts.ready();
      await gateway.loggedIn();
      const client = await Follower.connect(await gateway.url(), take);
      return new Simulation({ fronts, gateway, client, clock, aheadMs, begin: beginMs });
    } catch (error) {
      await Promise.all([gateway.stop(), fronts.stop()]);
      clock.close();
      throw error;
    }
  }

  /** Lets time run up to an instant of the fronts' clock and beyond; `look` is called on the way. */
  async runUntil(target: number, look: () => Promise<void> = () => Promise.resolve()): Promise<void> {
    const from = this.#now();
    // The gateway is there first, so that no tick comes before its time.
    this.#clock.set(from + this.#aheadMs, speed);
    this.#keep(from, speed);
    await this.fronts.setClock(this.#now(), speed);
    await until(
      () => `${new Date(target).toISOString()}, at ${new Date(this.#now()).toISOString()}`,
      async () => {
        await look();
        return this.#now() > target;
      },
      deadlineMs,
    );
  }

  /**
   * Time goes on from an instant at which nothing ticks, or from the present if that is later, at the pace of the machine.
   * The gateway gets there last, so that what it finds listed is listed at the fronts.
   */
  async pauseAt(instant: number): Promise<void> {
    const at = Math.max(instant, this.#now());
    await this.fronts.setClock(at, 1);
    this.#clock.set(at + this.#aheadMs, 1);
    this.#keep(at, 1);
  }

  async sessions(): Promise<SessionsReport> {
    const response = await fetch(`http://127.0.0.1:${await this.gateway.port()}/api/sessions`);
    return (await response.json()) as SessionsReport;
  }

  /** Exit codes of both programs. */
  async stop(): Promise<(number | null)[]> {
    await this.client.close();
    const codes = [await this.gateway.stop(), await this.fronts.stop()];
    this.#clock.close();
    return codes;
  }

  #now(): number {
    return this.#at + (performance.now() - this.#since) * this.#speed;
  }

  #keep(at: number, atSpeed: number): void {
    this.#at = at;
    this.#since = performance.now();
    this.#speed = atSpeed;
  }
}
