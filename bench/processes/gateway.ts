import { mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { packagePath } from '../../src/base/paths.js';
import type { TickTraceReport } from '../../src/profile/tickTrace.js';
import { Child, until } from './child.js';

export interface GatewayOptions {
  readonly connections: readonly object[];
  readonly folder: string;
  /** Module that is loaded before the gateway, to make one of its hops slow. */
  readonly preload: string | undefined;
  /** Further settings. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Further environment. */
  readonly env?: Readonly<Record<string, string>>;
}

interface Health {
  readonly connections: readonly ConnectionHealth[];
  readonly ticks: { readonly accepted: number; readonly missed: number };
}

/** A connection as /health shows it. */
export interface ConnectionHealth {
  readonly status: string;
  readonly subscriptions: number;
  /** Since the gateway's start. */
  readonly ticks: number;
}

/** The gateway's own count of ticks. */
export type TickCounters = Health['ticks'];

/** The gateway under test: the compiled program, as a user runs it. */
export class GatewayProcess {
  readonly child: Child;
  readonly port: number;
  readonly #socket: string;

  private constructor(child: Child, port: number, socket: string) {
    this.child = child;
    this.port = port;
    this.#socket = socket;
  }

  /** Starts it; resolves when all its connections are logged in. */
  static async start(options: GatewayOptions): Promise<GatewayProcess> {
    const flow = join(options.folder, 'flow');
    mkdirSync(flow, { recursive: true });
    const file = join(options.folder, 'gateway.json');
    const config = {
      websocket_host: '127.0.0.1',
      websocket_port: 0,
      flow_path: flow,
      // Nothing but what a scenario asks for is subscribed.
      discover_instruments: false,
      // As the fronts are.
      trading_hours: 'always',
      // All clients of the load come from one address, and stand for many.
      limits: { max_clients_per_address: 1_000_000, connects_per_second: 1_000_000 },
      ...options.config,
      connections: options.connections,
    };
    writeFileSync(file, JSON.stringify(config));
    const main = packagePath('dist', 'src', 'main.js');
    const preload = options.preload === undefined ? [] : ['--import', options.preload];
    const child = new Child(
      'the gateway',
      process.execPath,
      [...preload, main, '--config', file, '--profile'],
      options.env,
    );
    try {
      const port = await child.next('a port', (line) =>
        line.includes('"msg":"listening"') ? (JSON.parse(line) as { port: number }).port : undefined,
      );
      const gateway = new GatewayProcess(child, port, join(flow, 'profile.sock'));
      await until('the connections to be logged in', async () => {
        const { connections } = await gateway.#health();
        return connections.every(({ status }) => status === 'logged_in') ? true : undefined;
      });
      return gateway;
    } catch (error) {
      await child.stop('SIGKILL');
      throw error;
    }
  }

  async connections(): Promise<readonly ConnectionHealth[]> {
    return (await this.#health()).connections;
  }

  async ticks(): Promise<TickCounters> {
    return (await this.#health()).ticks;
  }

  /** Follows ticks for so many seconds. */
  async trace(seconds: number, oneIn: number): Promise<TickTraceReport> {
    return JSON.parse(await this.#ask(`ticks ${seconds} ${oneIn}`)) as TickTraceReport;
  }

  /** A .cpuprofile of so many seconds. */
  profile(seconds: number): Promise<string> {
    return this.#ask(`cpu ${seconds}`);
  }

  async #ask(command: string): Promise<string> {
    const socket = connect({ path: this.#socket, allowHalfOpen: true });
    socket.end(`${command}\n`);
    const answer = await text(socket);
    if (answer.startsWith('error')) throw new Error(`profile socket: ${answer.trim()}`);
    return answer;
  }

  async #health(): Promise<Health> {
    const response = await fetch(`http://127.0.0.1:${this.port}/health`);
    return (await response.json()) as Health;
  }
}
