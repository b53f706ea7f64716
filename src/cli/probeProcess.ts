import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type { LibraryFacts } from '../ctp/bridge.js';
import { packagePath } from '../base/paths.js';
import {
  passwordVariable,
  type ProbeCommand,
  type ProbeMessage,
  type ProbeOrder,
  type ProbeState,
} from './probeMessages.js';

const pollMs = 10;
/** A process that was asked to end and has not by then hangs. */
const endMs = 5_000;

export const nothingYet: ProbeState = {
  opened: 0,
  everConnected: 0,
  connected: 0,
  disconnected: 0,
  reasons: [],
  login: undefined,
  ticks: 0,
  released: 0,
};

/** One process that drives a library, and what it has reported. Its end, of whatever kind, is a finding. */
export class ProbeProcess {
  readonly #child: ChildProcess;
  readonly #folder: string;
  readonly #closed: Promise<unknown>;
  #killed = false;
  facts: LibraryFacts | undefined;
  state = nothingYet;
  /** Why the library could not be used; empty when it could. */
  failure = '';

  constructor(order: Omit<ProbeOrder, 'folder'>, password = '') {
    this.#folder = mkdtempSync(join(tmpdir(), 'qactpmd-check-'));
    const script = packagePath('dist', 'src', 'cli', 'libraryProbe.js');
    this.#child = spawn(process.execPath, [script, JSON.stringify({ ...order, folder: this.#folder })], {
      cwd: this.#folder,
      env: { ...process.env, [passwordVariable]: password },
      // What libraries print is none of the report.
      stdio: ['pipe', 'ignore', 'ignore', 'pipe'],
    });
    this.#child.stdin!.on('error', () => undefined);
    createInterface({ input: this.#child.stdio[3] as Readable }).on('line', (line) => {
      const message = JSON.parse(line) as ProbeMessage;
      if (message.type === 'facts') this.facts = message.facts;
      else if (message.type === 'state') this.state = message.state;
      else this.failure = message.text;
    });
    this.#closed = once(this.#child, 'close');
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** One line on an end that nobody asked for; empty while it runs, and after an orderly end. */
  get crash(): string {
    if (this.isRunning || this.#killed || this.failure !== '') return '';
    const { signalCode, exitCode } = this.#child;
    if (signalCode !== null) return `it crashed (${signalCode})`;
    return exitCode === 0 ? '' : `it ended the process with code ${exitCode}`;
  }

  command(command: ProbeCommand): void {
    this.#child.stdin!.write(`${command}\n`);
  }

  /** Waits until the check holds. False when the time is up or the process has ended. */
  async until(check: () => boolean, deadlineMs: number): Promise<boolean> {
    const deadline = performance.now() + deadlineMs;
    while (!check()) {
      if (!this.isRunning) {
        await this.#closed;
        return check();
      }
      if (performance.now() > deadline) return false;
      await delay(pollMs);
    }
    return true;
  }

  /** Waits for the end of a process that ends by itself. False when it had to be killed. */
  async ended(deadlineMs: number): Promise<boolean> {
    const inTime = await this.until(() => !this.isRunning, deadlineMs);
    await this.#kill();
    return inTime;
  }

  /** Asks it to end. False when it had to be killed. */
  end(): Promise<boolean> {
    this.command('end');
    return this.ended(endMs);
  }

  async #kill(): Promise<void> {
    if (this.isRunning) {
      this.#killed = true;
      this.#child.kill('SIGKILL');
    }
    await this.#closed;
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
