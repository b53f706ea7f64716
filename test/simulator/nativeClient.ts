import { execFile, spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { vi } from 'vitest';
import { packagePath } from '../../src/paths.js';

export const vendorLibrary = packagePath('libs', 'simulator', 'build', 'thostmduserapi_se.so');
const clientProgram = packagePath('libs', 'simulator', 'build', 'test_client');

/** One line of the native client: a callback, a command's return code, or an exception of the factory. */
export interface ClientEvent {
  readonly event?: string;
  readonly thread?: number;
  readonly returned?: string;
  readonly code?: number;
  readonly threw?: string;
  readonly version?: string;
  readonly id?: string;
  readonly reason?: number;
  readonly error?: number;
  readonly text?: string;
  readonly request?: number;
  readonly last?: boolean;
  readonly trading_day?: string;
  readonly broker?: string;
  readonly user?: string;
  /** A tick's fields by their offset in the vendor's struct. */
  readonly fields?: Readonly<Record<string, number | string>>;
}

/** Builds the libraries and the native client. */
export async function buildNative(): Promise<void> {
  const run = promisify(execFile);
  await run('make', ['-C', packagePath('libs', 'simulator')]);
  await run('make', ['-C', packagePath('test', 'simulator', 'native')]);
}

/** A process that has loaded the vendor library and does with it what it is told. */
export class NativeClient {
  readonly events: ClientEvent[] = [];
  readonly flowFolder: string;
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #closed: Promise<number | null>;
  #answers = 0;

  constructor(env: Readonly<Record<string, string>> = {}) {
    this.flowFolder = mkdtempSync(join(tmpdir(), 'flow-'));
    this.#process = spawn(clientProgram, [vendorLibrary], { env: { ...process.env, ...env } });
    this.#process.stderr.pipe(process.stderr);
    createInterface({ input: this.#process.stdout }).on('line', (line) => {
      this.events.push(JSON.parse(line) as ClientEvent);
    });
    this.#closed = new Promise((resolve) => this.#process.once('close', (code) => resolve(code)));
  }

  /** Callbacks of one name, in the order of their arrival. */
  callbacks(name: string): ClientEvent[] {
    return this.events.filter((event) => event.event === name);
  }

  ticks(id?: string): ClientEvent[] {
    return this.callbacks('tick').filter((tick) => id === undefined || tick.id === id);
  }

  /** Sends a command and gives its answer. Commands are answered in order. */
  async command(line: string): Promise<ClientEvent> {
    const number = this.#answers++;
    this.#process.stdin.write(`${line}\n`);
    return this.until(
      () => this.events.filter((event) => event.returned !== undefined || event.threw !== undefined)[number],
      `the answer to "${line}"`,
    );
  }

  /** Waits until `find` finds something. */
  until<T>(find: () => T | undefined | false, what: string, timeout = 15_000): Promise<T> {
    return vi.waitFor(
      () => {
        const found = find();
        if (found === undefined || found === false) throw new Error(`still waiting for ${what}`);
        return found;
      },
      { timeout, interval: 5 },
    );
  }

  /** Creates an instance on a front address, begins it and waits for its connection. */
  async connect(address: string): Promise<void> {
    await this.command(`create ${this.flowFolder}/`);
    await this.command('spi on');
    await this.command(`front ${address}`);
    await this.command('init');
    await this.until(() => this.callbacks('connected')[0], 'OnFrontConnected');
  }

  /** Logs in, waits for the answer, subscribes. */
  async start(ids: readonly string[]): Promise<void> {
    const before = this.callbacks('login').length;
    await this.command('login 9999 someone');
    await this.until(() => this.callbacks('login')[before], 'OnRspUserLogin');
    await this.command(`subscribe ${ids.join(' ')}`);
  }

  /** Ends the process, which releases its instance; its exit code. */
  async close(): Promise<number | null> {
    this.#process.stdin.end();
    const code = await this.#closed;
    rmSync(this.flowFolder, { recursive: true, force: true });
    return code;
  }
}
