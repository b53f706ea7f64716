import { createHash, type Hash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import WebSocket from 'ws';
import { packagePath } from '../../src/base/paths.js';
import { Child, until } from '../processes/child.js';
import { GatewayProcess } from '../processes/gateway.js';
import type { MadeRecording } from '../processes/recording.js';
import { cpuPct, cpuTime, residentMb } from '../processes/usage.js';

const replayDeadlineMs = 300_000;
const quietMs = 200;
const frameStart = '{"action":"market_data"';

/** What one replay at maximum speed gave. */
export interface ReplayFigures {
  readonly ticks: number;
  /** From the client's subscription, which the replay waits for, to the last tick in the gateway's book. */
  readonly seconds: number;
  readonly ticks_per_s: number;
  /** Ticks of the recording that the book has not accepted. */
  readonly lost: number;
  /** Ticks of the client's instruments that it has not received. */
  readonly lost_by_client: number;
  readonly missed_in_rings: number;
  /** Of every frame that the client received, and of the state of every instrument at the end. */
  readonly digest: string;
  readonly gateway_cpu_pct: number;
  readonly gateway_main_cpu_pct: number;
  readonly gateway_rss_mb: number;
  readonly front_cpu_pct: number;
}

/**
 * Replays a recording into a gateway with processes of its own.
 *
 * @param watched instruments of the one client
 */
export async function runReplay(
  recording: MadeRecording,
  watched: readonly string[],
): Promise<ReplayFigures> {
  const folder = mkdtempSync(join(tmpdir(), 'qactpmd-replay-'));
  let front: Child | undefined;
  let gateway: GatewayProcess | undefined;
  let client: Watcher | undefined;
  try {
    const main = packagePath('dist', 'src', 'simulator', 'main.js');
    const given = ['--base-port', '0', '--replay', recording.path, '--speed', 'max', '--replay-wait', '3600'];
    front = new Child('the replay', process.execPath, [main, ...given]);
    const address = await front.next('its address', (line) => /tcp:\/\/\S+/.exec(line)?.[0]);
    gateway = await GatewayProcess.start({
      folder,
      preload: undefined,
      connections: [
        { connection_id: 'replay', front_addr: address, max_subscriptions: recording.keys.length + 1 },
      ],
      config: {
        tick_flow: 'lossless',
        silence_timeout: 0,
        // The client's own are the last ones that the replay waits for.
        always_subscribe: recording.keys.filter((key) => !watched.includes(key)),
      },
    });
    const { pid } = gateway.child;
    const cpuBefore = cpuTime(pid);
    const frontBefore = cpuTime(front.pid).all;
    const total = [...recording.counts.values()].reduce((sum, count) => sum + count, 0);
    const ended = front.next('the end', (line) => /^replayed:/.exec(line)?.[0], replayDeadlineMs);
    ended.catch(() => undefined);
    client = await Watcher.connect(gateway.port, watched);
    const begun = performance.now();
    await ended;
    const ticks = await settled(gateway, total);
    const seconds = (performance.now() - begun) / 1000;
    const cpuAfter = cpuTime(pid);
    const frontAfter = cpuTime(front.pid).all;
    const due = watched.reduce((sum, key) => sum + (recording.counts.get(key) ?? 0), 0);
    const received = await client.received(due);
    const { accepted, missed } = ticks;
    return {
      ticks: total,
      seconds,
      ticks_per_s: accepted / seconds,
      lost: total - accepted,
      lost_by_client: due - received,
      missed_in_rings: missed,
      digest: await digestOf(gateway.port, client, recording.keys),
      gateway_cpu_pct: cpuPct(cpuBefore.all, cpuAfter.all, seconds),
      gateway_main_cpu_pct: cpuPct(cpuBefore.main, cpuAfter.main, seconds),
      gateway_rss_mb: residentMb(pid).now,
      front_cpu_pct: cpuPct(frontBefore, frontAfter, seconds),
    };
  } finally {
    client?.close();
    await gateway?.child.stop();
    await front?.stop('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The gateway's counters once all ticks are in the book, or once no more come. */
async function settled(
  gateway: GatewayProcess,
  total: number,
): Promise<{ accepted: number; missed: number }> {
  let before = -1;
  let since = performance.now();
  return until('the last tick', async () => {
    const now = await gateway.ticks();
    if (now.accepted !== before) since = performance.now();
    before = now.accepted;
    return now.accepted >= total || performance.now() - since > 10 * quietMs ? now : undefined;
  });
}

async function digestOf(port: number, client: Watcher, keys: readonly string[]): Promise<string> {
  const all = await Watcher.connect(port, keys);
  await all.received(keys.length);
  all.close();
  return createHash('sha256').update(client.digest).update(all.digest).digest('hex').slice(0, 16);
}

/** A client that hashes what it receives, by instrument: frames of several instruments may change places. */
class Watcher {
  readonly #socket: WebSocket;
  readonly #hashes = new Map<string, Hash>();
  #count = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data: Buffer) => this.#take(data.toString('utf8')));
  }

  static connect(port: number, instruments: readonly string[]): Promise<Watcher> {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/?protocol=action`);
    const watcher = new Watcher(socket);
    return new Promise((resolve, reject) => {
      socket.once('error', reject);
      socket.once('open', () => {
        socket.send(JSON.stringify({ action: 'subscribe', instruments }));
        resolve(watcher);
      });
    });
  }

  /** Frames so far, once there are so many or no more come. */
  async received(expected: number): Promise<number> {
    let before = -1;
    let since = performance.now();
    return until('the last frame', () => {
      if (this.#count !== before) since = performance.now();
      before = this.#count;
      return before >= expected || performance.now() - since > 10 * quietMs ? before : undefined;
    });
  }

  get digest(): string {
    const parts = [...this.#hashes].sort(([a], [b]) => (a < b ? -1 : 1));
    return parts.map(([key, hash]) => `${key} ${hash.copy().digest('hex')}`).join('\n');
  }

  close(): void {
    this.#socket.terminate();
  }

  #take(text: string): void {
    if (!text.startsWith(frameStart)) return;
    const quote = JSON.parse(text) as { data: { instrument_id: string } };
    const { instrument_id: id } = quote.data;
    let hash = this.#hashes.get(id);
    if (hash === undefined) this.#hashes.set(id, (hash = createHash('sha256')));
    hash.update(text);
    this.#count++;
  }
}
