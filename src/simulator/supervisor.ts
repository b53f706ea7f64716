import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { packagePath } from '../base/paths.js';
import { portInUse } from './portInUse.js';
import { marked } from '../base/logEvents.js';

const startDeadlineMs = 15_000;
const stopDeadlineMs = 3_000;
const firstRestartMs = 250;
const longestRestartMs = 10_000;
/** A child that lived this long begins its restarts again. */
const settledMs = 30_000;
/** A signal to the whole group may end the child before this process learns of it. */
const groupSignalMs = 100;
const portHint =
  'set other ports with simulator.base_port or QACTPMD_SIMULATOR_BASE_PORT, or run without fronts: --front-addr sim://';

/** Descriptor and path of the product file in the child. */
const productsDescriptor = 4;
const productsPath = `/proc/self/fd/${productsDescriptor}`;

/** How the simulated fronts are started: the config's `simulator` section, and its product table. */
export interface SimulatorParts {
  readonly fronts: number;
  readonly basePort: number;
  /** Ticks per second and instrument. */
  readonly rate: number;
  readonly seed: number;
  /** Absolute path of the file that goes over the built-in product table; empty for none. */
  readonly productsFile: string;
}

/** Runs the simulated fronts as a child process, starts it again when it dies, and ends it with the gateway. */
export class SimulatorSupervisor {
  readonly #options: SimulatorParts;
  readonly #log: Logger;
  #child: ChildProcess | undefined;
  #restartTimer: NodeJS.Timeout | undefined;
  #restartMs = firstRestartMs;
  #retiring = false;
  /** A copy of the product file as the gateway was started with; undefined where there is none. */
  #products: number | undefined;

  constructor(options: SimulatorParts, log: Logger) {
    this.#options = options;
    this.#log = log;
    // The file may change at any time: fronts that start again continue with what the gateway holds.
    if (options.productsFile !== '') this.#products = copyWithoutName(options.productsFile);
  }

  /** Process id of the child, undefined while there is none. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Resolves when the fronts listen, or `shutdown` does not wait for them any longer; rejects when the first start fails. */
  async start(shutdown: AbortSignal): Promise<void> {
    const giveUp = (): void => void this.stop();
    shutdown.addEventListener('abort', giveUp, { once: true });
    try {
      await this.#launch();
    } catch (error) {
      await delay(groupSignalMs);
      if (!shutdown.aborted) throw error;
    } finally {
      shutdown.removeEventListener('abort', giveUp);
    }
  }

  /** From now on the end of the child is nothing to mend. */
  retire(): void {
    this.#retiring = true;
    clearTimeout(this.#restartTimer);
  }

  /** Ends the child: asks first, kills after a deadline. */
  async stop(): Promise<void> {
    this.retire();
    if (this.#products !== undefined) closeSync(this.#products);
    this.#products = undefined;
    const child = this.#child;
    if (child?.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    const kill = setTimeout(() => child.kill('SIGKILL'), stopDeadlineMs);
    await ended;
    clearTimeout(kill);
  }

  async #launch(): Promise<void> {
    const { fronts, basePort, rate, seed } = this.#options;
    const startedAt = Date.now();
    const child = fork(
      packagePath('dist', 'src', 'simulator', 'main.js'),
      [
        ...['--fronts', `${fronts}`, '--base-port', `${basePort}`, '--rate', `${rate}`, '--seed', `${seed}`],
        ...(this.#products === undefined ? [] : ['--products', productsPath]),
      ],
      { stdio: ['ignore', 'ignore', 'pipe', 'ipc', this.#products ?? 'ignore'] },
    );
    this.#child = child;
    let complaint = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      complaint = (complaint + text).slice(-2000);
    });

    await new Promise<void>((resolve, reject) => {
      let ready = false;
      const deadline = setTimeout(() => child.kill('SIGKILL'), startDeadlineMs);
      child.on('message', () => {
        ready = true;
        clearTimeout(deadline);
        this.#log.info({ pid: child.pid, fronts, base_port: basePort }, 'simulated fronts are listening');
        resolve();
      });
      child.on('error', (error) => {
        complaint = error.message;
      });
      child.on('close', (code, signal) => {
        clearTimeout(deadline);
        this.#child = undefined;
        const cause = complaint.trim().split('\n').at(-1) ?? '';
        const end = `${signal ?? `exit code ${code ?? '?'}`}${cause === '' ? '' : `: ${cause}`}`;
        if (!ready && !this.#retiring) reject(new Error(failureText(end)));
        else if (!ready) resolve();
        else if (!this.#retiring) this.#restart(end, Date.now() - startedAt);
      });
    });
  }

  #restart(end: string, livedMs: number): void {
    if (livedMs > settledMs) this.#restartMs = firstRestartMs;
    const delayMs = this.#restartMs;
    this.#restartMs = Math.min(delayMs * 2, longestRestartMs);
    this.#restartTimer = setTimeout(() => {
      this.#log.warn(
        marked('simulator_restarted', { restart_ms: delayMs }),
        `the simulated fronts exited (${end}); starting them again`,
      );
      this.#restartTimer = setTimeout(() => {
        this.#launch().catch((error: unknown) => this.#restart(String(error), 0));
      }, delayMs);
    }, groupSignalMs);
  }
}

/** Opens a copy that nobody else sees, and that is gone with anyone who has it open. */
function copyWithoutName(file: string): number {
  const folder = mkdtempSync(join(tmpdir(), 'qactpmd-products-'));
  try {
    const copy = join(folder, 'products.json');
    writeFileSync(copy, readFileSync(file));
    return openSync(copy, 'r');
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function failureText(end: string): string {
  return `the simulated fronts did not start (${end})${end.includes(portInUse) ? `; ${portHint}` : ''}`;
}
