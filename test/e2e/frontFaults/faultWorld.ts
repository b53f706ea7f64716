import { expect, it } from 'vitest';
import { Client } from '../client.js';
import { freePorts } from '../ports.js';
import { connectionsTo, FrontsProcess, GatewayProcess, type Health } from '../processes.js';
import { until } from '../../helpers/until.js';

/** Ticks per second of each instrument. */
const rate = 100;

export interface Push {
  instrument_id: string;
  timestamp: number;
  datetime: string;
  trading_day: string;
  volume: number;
  last_price: number | null;
  bid_price1: number | null;
  bid_volume1: number;
  ask_price1: number | null;
  ask_volume1: number;
  turnover: number;
  settlement: number | null;
  close_price: number | null;
}

export interface WorldOptions {
  /** Fronts, each with a connection of the gateway. */
  readonly fronts?: number;
  readonly frontArgs?: readonly string[];
  /** Further settings of the gateway. */
  readonly config?: object;
}

/** Fronts that take faults, a gateway behind them that connects again at once, and an action client. */
export class FaultWorld {
  readonly fronts: FrontsProcess;
  readonly gateway: GatewayProcess;
  readonly client: Client;

  private constructor(fronts: FrontsProcess, gateway: GatewayProcess, client: Client) {
    this.fronts = fronts;
    this.gateway = gateway;
    this.client = client;
  }

  static async start({ fronts: count = 1, frontArgs = [], config }: WorldOptions = {}): Promise<FaultWorld> {
    const basePort = await freePorts(count);
    const fronts = new FrontsProcess(count, basePort, [
      ...['--rate', String(rate), '--control-port', '0'],
      ...frontArgs,
    ]);
    const connections = connectionsTo(basePort, count);
    // Without grace, so that what is wanted again is asked for again.
    const settings = { unsubscribe_grace: 0, connections, ...config };
    const gateway = new GatewayProcess(settings, [], { QACTPMD_SIM_RECONNECT_MS: '100' });
    try {
      await fronts.ready();
      await gateway.loggedIn();
      const client = await Client.connect(`${await gateway.url()}?protocol=action`);
      return new FaultWorld(fronts, gateway, client);
    } catch (error) {
      await Promise.all([gateway.stop('SIGKILL'), fronts.stop('SIGKILL')]);
      throw error;
    }
  }

  async stop(): Promise<void> {
    await this.client.close();
    const codes = [await this.gateway.stop(), await this.fronts.stop()];
    expect(codes).toEqual([0, 0]);
  }

  async subscribe(...instruments: string[]): Promise<void> {
    this.client.send({ action: 'subscribe', instruments });
    await this.client.next('the ack', (frame) => frame['action'] === 'subscribe');
  }

  async push(what = 'a push', test: (data: Push) => boolean = () => true): Promise<Push> {
    const frame = await this.client.next(
      what,
      (each) => each['action'] === 'market_data' && test(each['data'] as Push),
    );
    return frame['data'] as Push;
  }

  /** Waits until each of the instruments has been pushed. */
  async pushOfEach(instruments: readonly string[]): Promise<void> {
    const missing = new Set(instruments);
    await this.push(`a push of ${instruments.join(', ')}`, ({ instrument_id }) => {
      missing.delete(instrument_id);
      return missing.size === 0;
    });
  }

  /** Takes a number of pushes and proves that no instrument steps back in volume or time. */
  async steady(count = 20): Promise<Push[]> {
    const newest = new Map<string, Push>();
    const pushes: Push[] = [];
    for (let i = 0; i < count; i++) {
      const data = await this.push();
      const before = newest.get(data.instrument_id);
      if (before?.trading_day === data.trading_day) {
        expect(data.volume).toBeGreaterThanOrEqual(before.volume);
        expect(data.timestamp).toBeGreaterThanOrEqual(before.timestamp);
      }
      newest.set(data.instrument_id, data);
      pushes.push(data);
    }
    return pushes;
  }

  log(pattern: RegExp): string[] {
    return this.gateway.lines.filter((line) => pattern.test(line));
  }

  async logSays(pattern: RegExp, times = 1): Promise<void> {
    await until(`the log line ${pattern}`, () => this.log(pattern).length >= times);
  }

  async tickCounters(): Promise<Health['ticks']> {
    return (await this.gateway.health()).body.ticks;
  }

  async reconnects(): Promise<number> {
    return (await this.gateway.health()).body.connections[0]!.reconnects;
  }
}

/** A test with a world of its own. */
export const inWorld = it.extend<{ world: FaultWorld }>({
  world: async ({ onTestFinished }, use) => {
    const world = await FaultWorld.start();
    onTestFinished(() => world.stop());
    await use(world);
  },
});
