import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

const defaultWaitMs = 30_000;
const stopGraceMs = 12_000;
/** Lines of output that are kept for an error message. */
const keptLines = 40;

/** Waits until `check` gives a value; rejects, naming what was waited for, at the deadline. */
export async function until<T>(
  what: string,
  check: () => T | undefined | Promise<T | undefined>,
  deadlineMs = defaultWaitMs,
): Promise<T> {
  const deadline = Date.now() + deadlineMs;
  for (;;) {
    const found = await check();
    if (found !== undefined) return found;
    if (Date.now() > deadline) throw new Error(`waited ${deadlineMs} ms for ${what}`);
    await pause(20);
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

const alive = new Set<Child>();

/** Leaves no process behind, however the bench ends. */
function endWithTheBench(child: Child): void {
  if (alive.size === 0) process.on('exit', killAll);
  alive.add(child);
}

function outlived(child: Child): void {
  alive.delete(child);
  if (alive.size === 0) process.off('exit', killAll);
}

function killAll(): void {
  for (const child of alive) child.process.kill('SIGKILL');
}

/** A process of a run, its lines of output, and its end. */
export class Child {
  readonly name: string;
  readonly process: ChildProcess;
  readonly #lines: string[] = [];
  readonly #listeners = new Set<(line: string) => void>();
  readonly #closed: Promise<unknown>;

  constructor(name: string, command: string, args: readonly string[], env: Record<string, string> = {}) {
    this.name = name;
    this.process = spawn(command, args, {
      env: { ...process.env, ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    endWithTheBench(this);
    this.#closed = once(this.process, 'close').finally(() => outlived(this));
    // A program that cannot be started has no pid, and whoever the caller is for it is told.
    this.#closed.catch(() => undefined);
    // A process that is gone does not read its commands; that it is gone is noticed by anyone who waits for it.
    this.process.stdin!.on('error', () => undefined);
    for (const stream of [this.process.stdout!, this.process.stderr!])
      createInterface({ input: stream }).on('line', (line) => this.#take(line));
  }

  get pid(): number {
    const { pid } = this.process;
    if (pid === undefined) throw new Error(`${this.name} could not be started`);
    return pid;
  }

  get running(): boolean {
    return this.process.exitCode === null && this.process.signalCode === null;
  }

  /** What it said last, for errors. */
  get lastWords(): string {
    return this.#lines.slice(-keptLines).join('\n');
  }

  send(command: string): void {
    this.process.stdin!.write(`${command}\n`);
  }

  /** The first line, from now on, of which `pick` makes something. */
  async next<T>(what: string, pick: (line: string) => T | undefined, deadlineMs = defaultWaitMs): Promise<T> {
    let found: T | undefined;
    const listener = (line: string): void => {
      found ??= pick(line);
    };
    this.#listeners.add(listener);
    try {
      return await until(
        `${what} of ${this.name}`,
        () => {
          if (found === undefined && !this.running)
            throw new Error(`${this.name} ended before ${what}:\n${this.lastWords}`);
          return found;
        },
        deadlineMs,
      );
    } finally {
      this.#listeners.delete(listener);
    }
  }

  /** Ends it in order, or by force when it takes too long. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (this.running) this.process.kill(signal);
    const timer = setTimeout(() => this.process.kill('SIGKILL'), stopGraceMs);
    await this.#closed;
    clearTimeout(timer);
  }

  #take(line: string): void {
    this.#lines.push(line);
    if (this.#lines.length > 2 * keptLines) this.#lines.splice(0, keptLines);
    for (const listener of this.#listeners) listener(line);
  }
}
