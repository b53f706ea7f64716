import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { json } from 'node:stream/consumers';
import { request } from 'node:http';
import type { Rejection } from '../../src/market/quotes/rejections.js';
import { packagePath } from '../../src/base/paths.js';
import { until, untilReads } from '../helpers/until.js';

const tooManyRequests = 429;
const tooManyRequestsMs = 100;

/** A program under test, its output, and its end. */
export class Program {
  readonly child: ChildProcess;
  readonly lines: string[] = [];
  readonly complaints: string[] = [];
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;

  constructor(script: string[], args: string[], env: Record<string, string> = {}) {
    this.child = spawn(process.execPath, [packagePath(...script), ...args], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    createInterface({ input: this.child.stdout! }).on('line', (line) => this.lines.push(line));
    createInterface({ input: this.child.stderr! }).on('line', (line) => this.complaints.push(line));
    this.ended = once(this.child, 'close').then(([code, signal]) => ({
      code: code as number | null,
      signal: signal as NodeJS.Signals | null,
    }));
  }

  get output(): string {
    return [...this.lines, ...this.complaints].join('\n');
  }

  get isRunning(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** The first line of output that matches. */
  line(pattern: RegExp): Promise<string> {
    const look = (): string | undefined => {
      const found = [...this.lines, ...this.complaints].find((line) => pattern.test(line));
      if (found === undefined && !this.isRunning) throw new Error(`ended before ${pattern}:\n${this.output}`);
      return found;
    };
    return until(() => `a line like ${pattern} in\n${this.output}`, look);
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    if (this.isRunning) this.child.kill(signal);
    return (await this.ended).code;
  }
}

/** Ids of the processes whose parent is `pid`. */
export function childrenOf(pid: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((candidate) => parentOf(candidate) === pid);
}

function parentOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    // It has ended between the listing and the look.
    return undefined;
  }
}

export function isAlive(pid: number): boolean {
  return parentOf(pid) !== undefined;
}

export interface Health {
  status: string;
  timestamp: string;
  connections: {
    id: string;
    status: string;
    quality: number;
    subscriptions: number;
    reason: string;
    ticks: number;
    reconnects: number;
  }[];
  instruments: Record<
    | 'wanted'
    | 'waiting'
    | 'refused'
    | 'short'
    | 'stale'
    | 'unproven'
    | 'unproven_waiting'
    | 'slots'
    | 'free_slots'
    | 'no_slots',
    number
  >;
  ticks: Record<'accepted' | Rejection | 'reset' | 'missed', number>;
  websocket: { active_sessions: number; total_messages: number };
  redis: { connected: boolean; latency: string };
}

/** Simulated fronts are open at all hours unless they are told otherwise. */
function configText(folder: string, config: { readonly limits?: object }): string {
  const common = {
    websocket_host: '127.0.0.1',
    websocket_port: 0,
    flow_path: folder,
    trading_hours: 'always',
  };
  // Tests ask and connect as often as they can.
  const limits = { requests_per_second: 100_000, connects_per_second: 100_000, ...config.limits };
  return JSON.stringify({ ...common, ...config, limits });
}

/** Asks the gateway on that port, whose flow folder is `folder`, for a page on its management socket. */
export function askManagement(
  folder: string,
  port: number,
  method: 'GET' | 'POST',
  path: string,
): Promise<{ code: number; body: unknown }> {
  return new Promise((resolve, reject) => {
    const socketPath = join(folder, `management-${port}.sock`);
    const sent = request({ socketPath, method, path, agent: false }, (response) => {
      json(response).then((body) => resolve({ code: response.statusCode!, body }), reject);
    });
    sent.on('error', reject);
    sent.end();
  });
}

/** A gateway process with a configuration and working folder of its own. */
export class GatewayProcess extends Program {
  readonly folder: string;
  readonly #file: string;

  constructor(config: object, args: string[] = [], env: Record<string, string> = {}) {
    const folder = mkdtempSync(join(tmpdir(), 'qactpmd-e2e-'));
    const file = join(folder, 'config.json');
    writeFileSync(file, configText(folder, config));
    super(['dist', 'src', 'main.js'], ['--config', file, ...args], env);
    this.folder = folder;
    this.#file = file;
    void this.ended.then(() => rmSync(folder, { recursive: true, force: true }));
  }

  /** Writes another configuration and has it read. */
  configure(config: object): void {
    writeFileSync(this.#file, configText(this.folder, config));
    this.child.kill('SIGHUP');
  }

  /** The port that it listens on, once it does. */
  async port(): Promise<number> {
    return (JSON.parse(await this.line(/"msg":"listening"/)) as { port: number }).port;
  }

  async url(): Promise<string> {
    return `ws://127.0.0.1:${await this.port()}/`;
  }

  /** Asks for a page on the management socket. */
  async manage(method: 'GET' | 'POST', path: string): Promise<{ code: number; body: unknown }> {
    return askManagement(this.folder, await this.port(), method, path);
  }

  async health(): Promise<{ code: number; body: Health }> {
    for (;;) {
      const response = await fetch(`http://127.0.0.1:${await this.port()}/health`);
      const body = (await response.json()) as Health;
      if (response.status !== tooManyRequests) return { code: response.status, body };
      // Who looks more often than the gateway answers one address looks again a little later.
      await delay(tooManyRequestsMs);
    }
  }

  async healthUntil(what: string, check: (health: Health) => boolean, deadlineMs?: number): Promise<Health> {
    return untilReads(what, async () => (await this.health()).body, check, deadlineMs);
  }

  loggedIn(): Promise<Health> {
    return this.healthUntil('all connections to be logged in', ({ connections }) =>
      connections.every(({ status }) => status === 'logged_in'),
    );
  }
}

/** Simulated fronts in a process of their own. */
export class FrontsProcess extends Program {
  constructor(fronts: number, basePort: number, args: string[] = []) {
    super(
      ['dist', 'src', 'simulator', 'main.js'],
      ['--fronts', `${fronts}`, '--base-port', `${basePort}`, ...args],
    );
  }

  async ready(): Promise<this> {
    await this.line(/^ready/);
    return this;
  }

  /** Sets a fault on a front, or on all of them; the fronts must run with --control-port 0. */
  async fault(name: string, fields: object = {}, front: number | 'all' = 'all'): Promise<void> {
    await this.#control('POST', `/fronts/${front}/faults`, { fault: name, ...fields });
  }

  /** Ends one fault, or all of them. */
  async clear(name?: string, front: number | 'all' = 'all'): Promise<void> {
    await this.#control(
      'DELETE',
      `/fronts/${front}/faults`,
      name === undefined ? undefined : { fault: name },
    );
  }

  /** Sessions that the fronts have at the moment. */
  async sessions(): Promise<number> {
    return (await this.load()).sessions;
  }

  /** Sessions that the fronts have at the moment, their subscriptions, and the ticks that were sent to them. */
  async load(): Promise<{ sessions: number; subscriptions: number; ticks: number }> {
    const { fronts } = (await this.#control('GET', '/fronts')) as {
      fronts: { sessions: { subscriptions: number; ticks: number }[] }[];
    };
    const sessions = fronts.flatMap((front) => front.sessions);
    return {
      sessions: sessions.length,
      subscriptions: sessions.reduce((sum, { subscriptions }) => sum + subscriptions, 0),
      ticks: sessions.reduce((sum, { ticks }) => sum + ticks, 0),
    };
  }

  /** Sets the scripted clock, in ms since the epoch, and its speed. */
  async setClock(at: number, speed = 1): Promise<void> {
    await this.#control('POST', '/clock', { at: new Date(at).toISOString(), speed });
  }

  /** What the exchange's clock shows, in ms since the epoch. */
  async clock(): Promise<number> {
    return Date.parse(((await this.#control('GET', '/clock')) as { at: string }).at);
  }

  async #control(method: string, path: string, body?: object): Promise<unknown> {
    const port = /127\.0\.0\.1:(\d+)\D*$/.exec(await this.line(/control at/))![1]!;
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return response.json();
  }
}

/** Connections of a configuration to neighbouring ports of loopback. */
export function connectionsTo(basePort: number, count: number): object[] {
  return Array.from({ length: count }, (_, index) => ({
    connection_id: `line_${index + 1}`,
    front_addr: `tcp://127.0.0.1:${basePort + index}`,
    broker_id: '9999',
  }));
}
