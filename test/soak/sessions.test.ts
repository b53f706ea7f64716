import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, expect, it } from 'vitest';
import { openVendorLibrary, type VendorLibrary, VendorSession } from '../../src/ctp/bridge.js';
import { EventChannel } from '../../src/ring/eventChannel.js';
import { EventReader } from '../../src/ring/eventRing.js';
import { allocateTickRing, TickRingReader } from '../../src/ring/tickRing.js';
import { until } from '../helpers/until.js';
import { generations, libraryOf } from '../helpers/generations.js';

/** `npm run soak` sets twenty thousand. */
const rounds = Number(process.env['QACTPMD_SOAK_ROUNDS'] ?? 4_000);
/** Sessions at once; each round is one of them, opened and released. */
const lanes = 10;
const deadlineMs = 15_000;
/** A released session keeps what a late callback may touch: its gate and its vtable. */
const bytesPerRound = 300;
/** Arenas of the allocator, one for each thread of a library at most: on a busy machine more threads live at once. */
const noiseBytes = 24 * 1024 * 1024;

const folder = mkdtempSync(join(tmpdir(), 'qactpmd-soak-'));
afterAll(() => rmSync(folder, { recursive: true }));

interface Use {
  readonly threads: number;
  readonly descriptors: number;
  readonly flowFiles: number;
  readonly bytes: number;
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

function use(): Use {
  collectGarbage();
  const pages = Number(readFileSync('/proc/self/statm', 'utf8').split(' ')[1]);
  return {
    threads: readdirSync('/proc/self/task').length,
    descriptors: readdirSync('/proc/self/fd').length,
    flowFiles: readdirSync(folder, { recursive: true }).length,
    bytes: pages * 4096,
  };
}

/** Not expect(): the test runner keeps something of each. */
function accepted(code: number): void {
  if (code !== 0) throw new Error(`a request returned ${code}`);
}

/** Sessions of one channel, one after another on each lane's ring. */
class Lanes {
  readonly #channel = new EventChannel();
  readonly #events = new EventReader(this.#channel.handle.ring);
  readonly #rings = Array.from({ length: lanes }, () => allocateTickRing(1024));
  readonly #readers = this.#rings.map((ring) => new TickRingReader(ring));
  /** Events that nobody has asked for yet, by session. */
  readonly #heard = new Map<number, string[]>();

  constructor(private readonly libraries: readonly VendorLibrary[]) {}

  /** Connect, log in, subscribe, tick, release. */
  async round(lane: number, number: number): Promise<void> {
    const session = new VendorSession({
      owner: this.#channel.handle.owner,
      library: this.libraries[number % this.libraries.length]!,
      connection: lane,
      flowFolder: join(folder, String(lane)),
      tickRing: this.#rings[lane]!,
      tickDoorbells: [],
    });
    const reader = this.#readers[lane]!;
    while (reader.next());
    accepted(session.start(['sim://?rate=1000']));
    await this.#hears(session, 'front_connected');
    accepted(session.login('9999', '', '', 1));
    await this.#hears(session, 'login_response');
    accepted(session.subscribe(['au2612', 'cu2612'], [1, 2]));
    await this.#waits(() => reader.next(), 'a tick');
    session.close();
    await this.#hears(session, 'released');
    this.#heard.delete(session.handle);
  }

  release(): void {
    this.#channel.release();
  }

  async #hears({ handle }: VendorSession, type: string): Promise<void> {
    await this.#waits(() => {
      for (let event = this.#events.next(); event; event = this.#events.next())
        this.#heard.set(event.session, [...(this.#heard.get(event.session) ?? []), event.type]);
      return this.#heard.get(handle)?.includes(type) === true;
    }, type);
  }

  async #waits(condition: () => boolean, what: string): Promise<void> {
    const end = performance.now() + deadlineMs;
    while (!condition()) {
      if (performance.now() > end) throw new Error(`not within ${deadlineMs} ms: ${what}`);
      await turn();
    }
  }
}

it(
  `${rounds} sessions of every generation connect, log in, tick and are released without leaving anything behind`,
  async () => {
    const libraries = generations.map((generation) =>
      openVendorLibrary({
        library: libraryOf(generation),
        libraryVersion: '',
        production: true,
      }),
    );
    const all = new Lanes(libraries);
    let started = 0;
    const run = async (until: number): Promise<void> => {
      const inLane = async (lane: number): Promise<void> => {
        while (started < until) await all.round(lane, started++);
      };
      await Promise.all(Array.from({ length: lanes }, (_, lane) => inLane(lane)));
    };
    await run(Math.floor(rounds / 5));
    const before = use();
    const begin = performance.now();
    const counted = rounds - started;
    await run(rounds);
    const seconds = (performance.now() - begin) / 1000;
    // A thread is gone a moment after it was joined.
    await until('no more threads than before', () => use().threads <= before.threads);
    const after = use();
    expect(after.descriptors).toBeLessThanOrEqual(before.descriptors);
    expect(after.flowFiles).toBeLessThanOrEqual(before.flowFiles);
    expect(after.bytes - before.bytes).toBeLessThan(noiseBytes + counted * bytesPerRound);
    all.release();
    if (process.env['QACTPMD_SOAK_ROUNDS'] !== undefined)
      process.stdout.write(
        `${counted} rounds, ${(counted / seconds).toFixed(0)} per second; ` +
          `before ${JSON.stringify(before)}, after ${JSON.stringify(after)}\n`,
      );
  },
  30_000 + rounds * 20,
);
