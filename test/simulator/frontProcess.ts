import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { vi } from 'vitest';
import { packagePath } from '../../src/base/paths.js';
import { ControlClient } from './controlClient.js';

export interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
}

/** The simulated fronts as a process of their own. */
export class FrontProcess {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  readonly messages: unknown[] = [];
  output = '';
  complaints = '';

  constructor(args: readonly string[], ipc = false) {
    this.child = spawn(process.execPath, [packagePath('dist', 'src', 'simulator', 'main.js'), ...args], {
      stdio: ['ignore', 'pipe', 'pipe', ...(ipc ? (['ipc'] as const) : [])],
    });
    this.child.stdout!.setEncoding('utf8').on('data', (text: string) => (this.output += text));
    this.child.stderr!.setEncoding('utf8').on('data', (text: string) => (this.complaints += text));
    this.child.on('message', (message) => this.messages.push(message));
    // Not the child's own 'close': it never comes once the parent has disconnected.
    const exited = new Promise<Ended>((resolve) =>
      this.child.once('exit', (code, signal) => resolve({ code, signal })),
    );
    const drained = [this.child.stdout!, this.child.stderr!].map((stream) => once(stream, 'close'));
    this.ended = Promise.all([exited, ...drained]).then(([ended]) => ended);
  }

  /** Ports in order, once the fronts listen. */
  async ports(): Promise<number[]> {
    await vi.waitFor(
      () => {
        if (!this.output.endsWith('\n')) throw new Error(`the fronts are not ready; ${this.complaints}`);
      },
      { timeout: 25_000, interval: 10 },
    );
    return [...this.output.matchAll(/tcp:\/\/[^:]+:(\d+)/g)].map((match) => Number(match[1]));
  }

  /** The control API of fronts that were started with --control-port. */
  async control(): Promise<ControlClient> {
    await this.ports();
    return new ControlClient(Number(/control at http:\/\/[^:]+:(\d+)/.exec(this.output)![1]));
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<Ended> {
    this.child.kill(signal);
    return this.ended;
  }
}
