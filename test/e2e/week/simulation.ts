import type { SessionsReport } from '../../../src/market/sessions/sessionBoard.js';
import { freePorts } from '../ports.js';
import { connectionsTo, FrontsProcess, GatewayProcess } from '../processes.js';
import { until } from '../../helpers/until.js';
import { Follower } from './follower.js';
import type { SeenTick } from './checker.js';
import { ScriptedClock } from './scriptedClock.js';

/** Ends of the steps fall into each auction. */
const stepMs = 10 * 60_000;
const stepOffsetMs = 7 * 60_000;
/** Two ticks of each contract in the shortest session. */
const ticksPerSecond = 1 / 1800;
/** Longer than a step: none of its ticks is too late to be sent. */
const lateLimitMs = 3_600_000;

/**
 * Simulated fronts with the exchanges' hours, and a gateway, that both live by scripted clocks, and its client. Time passes
 * in steps, and each waits for the ticks of the one before: how fast the machine is makes no difference.
 */
export class Simulation {
  readonly fronts: FrontsProcess;
  readonly gateway: GatewayProcess;
  readonly client: Follower;
  readonly #clock: ScriptedClock;
  readonly #aheadMs: number;
  /** Where the fronts' clock was set to. */
  #at: number;

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
   * Starts all of them; time continues at the pace of the machine until `runUntil`.
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
      ...['--late-limit', String(lateLimitMs), '--queue-limit', '1000000', '--control-port', '0'],
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

  /** Lets time pass up to an instant of the fronts' clock; `look` is called in each step. */
  async runUntil(target: number, look: () => Promise<void> = () => Promise.resolve()): Promise<void> {
    while (this.#at < target) {
      const next = Math.floor((this.#at - stepOffsetMs) / stepMs + 1) * stepMs + stepOffsetMs;
      this.#at = Math.min(next, target);
      // The gateway is there first, so that no tick comes before its time.
      this.#clock.set(this.#at + this.#aheadMs);
      await this.fronts.setClock(this.#at);
      await Promise.all([look(), this.#settle()]);
    }
  }

  /**
   * Continues to a later instant, where nothing ticks in between. The gateway gets there last, so that what it finds listed
   * is listed at the fronts.
   */
  async skipTo(instant: number): Promise<void> {
    this.#at = instant;
    await this.fronts.setClock(instant);
    this.#clock.set(instant + this.#aheadMs);
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

  /**
   * Waits until the gateway has every tick that the fronts have sent, and the client what it was sent: one that lags by
   * too much is sent the newest ticks alone.
   */
  async #settle(): Promise<void> {
    const { ticks: sent } = await this.fronts.load();
    let taken = 0;
    await until(
      () => `${sent} ticks sent by ${new Date(this.#at).toISOString()}, the gateway has ${taken}`,
      async () => {
        taken = (await this.gateway.health()).body.connections[0]!.ticks;
        return taken >= sent;
      },
    );
    await this.client.catchUp();
  }
}
