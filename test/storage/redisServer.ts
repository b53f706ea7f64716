import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';
import { temporaryFolder } from '../config/sources.js';

export interface RedisServer {
  readonly port: number;
  readonly process: ChildProcess;
  /** Kills it and waits for its end. */
  kill(): Promise<void>;
}

/** Starts a sentinel that watches a master and makes its replica master within a second or two of its death. */
export async function startSentinel(port: number, name: string, masterPort: number): Promise<RedisServer> {
  const file = join(temporaryFolder(), 'sentinel.conf');
  writeFileSync(
    file,
    [
      `sentinel monitor ${name} 127.0.0.1 ${masterPort} 1`,
      `sentinel down-after-milliseconds ${name} 500`,
      `sentinel failover-timeout ${name} 3000`,
      '',
    ].join('\n'),
  );
  return run(port, /Sentinel ID is/, [file, '--sentinel', '--port', `${port}`, '--bind', '127.0.0.1']);
}

/** Starts a redis-server of the test's own on loopback, without persistence; it ends with the test. */
export async function startRedis(port: number, ...options: string[]): Promise<RedisServer> {
  const arguments_ = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
  return run(port, /Ready to accept/, [...arguments_, '--dir', temporaryFolder(), ...options]);
}

async function run(port: number, readiness: RegExp, arguments_: readonly string[]): Promise<RedisServer> {
  const child = spawn('redis-server', arguments_, {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, PATH: [process.env['PATH'], '/usr/sbin'].join(delimiter) },
  });
  const failed = once(child, 'error').then(([error]: unknown[]) => {
    throw new Error('redis-server cannot be started, run npm run test:setup', { cause: error });
  });
  const ended = once(child, 'exit');
  const kill = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null && child.kill('SIGKILL')) await ended;
  };
  onTestFinished(kill);
  const ready = (async () => {
    const printed: string[] = [];
    for await (const line of createInterface(child.stdout)) {
      if (readiness.test(line)) return;
      printed.push(line);
    }
    throw new Error(`redis-server on port ${port} exited before it was ready:\n${printed.join('\n')}`);
  })();
  await Promise.race([ready, failed]);
  child.stdout.resume();
  return { port, process: child, kill };
}
