import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ConnectionSpec, WorkerEvent } from '../../src/coordinator/workers/workerMessages.js';
import { WorkerPool, type WorkerPoolParts } from '../../src/coordinator/workers/workerPool.js';
import { packagePath } from '../../src/base/paths.js';
import { ringNatives } from '../../src/ring/native.js';
import { allocateTickRing, TickRingReader } from '../../src/ring/tickRing.js';
import { until, untilIs } from '../helpers/until.js';

export const simulatedLibrary = packagePath('libs', 'simulator', 'build', 'thostmduserapi_se.so');

/** Longer than a pool takes to close a connection in any case. */
const closeMs = 40_000;

type StateEvent = WorkerEvent & { type: 'state' };

/** A worker pool with everything it said, and the rings of its connections. */
export class PoolRun {
  readonly pool: WorkerPool;
  readonly events: WorkerEvent[] = [];
  readonly lost: { connections: number[]; error: string }[] = [];
  readonly stranded: { connections: number[]; error: string }[] = [];
  readonly readers = new Map<number, TickRingReader>();
  #ended = false;
  readonly #folder = mkdtempSync(join(tmpdir(), 'qactpmd-pool-'));

  constructor(
    connectionsPerWorker: 'auto' | number = 'auto',
    options: Pick<WorkerPoolParts, 'deadlines' | 'mostHanging'> = {},
  ) {
    this.pool = new WorkerPool({
      ...options,
      connectionsPerWorker,
      onEvent: (event) => this.events.push(event),
      onWorkerLost: (connections, error) => this.lost.push({ connections, error }),
      onStranded: (connections, error) => this.stranded.push({ connections, error }),
    });
  }

  spec(source: number, front: string, changes: Partial<ConnectionSpec> = {}): ConnectionSpec {
    const tickRing = allocateTickRing(1024);
    this.readers.set(source, new TickRingReader(tickRing));
    return {
      id: `c${source}`,
      connection: source,
      library: simulatedLibrary,
      libraryVersion: '',
      production: true,
      fronts: [front],
      brokerId: '9999',
      userId: '',
      password: '',
      flowFolder: join(this.#folder, `c${source}`),
      tickRing,
      tickDoorbells: [],
      ...changes,
    };
  }

  states(connection: number): StateEvent[] {
    return this.events.filter(
      (event): event is StateEvent => event.type === 'state' && event.connection === connection,
    );
  }

  state(connection: number): string {
    return this.states(connection).at(-1)?.state ?? 'none';
  }

  async reaches(connection: number, state: string, deadlineMs?: number): Promise<void> {
    await untilIs(`connection ${connection} ${state}`, () => this.state(connection), state, deadlineMs);
  }

  /** The slots of every batch that the connection's front was asked for. */
  requested(connection: number): (readonly number[])[] {
    return this.events
      .filter((event) => event.type === 'requested')
      .filter((event) => event.connection === connection)
      .map((event) => event.slots);
  }

  count(type: WorkerEvent['type']): number {
    return this.events.filter((event) => event.type === type).length;
  }

  /** The slot of the next tick. */
  async tick(connection: number): Promise<number> {
    const reader = this.readers.get(connection)!;
    await until(`a tick of connection ${connection}`, () => reader.next());
    return reader.record.slot;
  }

  /** Closes every connection, and waits until the library has let go of it or has been given up. */
  async close(): Promise<void> {
    const before = this.count('closed');
    for (const connection of this.readers.keys()) this.pool.send({ type: 'close', connection });
    const all = before + this.readers.size;
    await until('all connections to be closed', () => this.count('closed') >= all, closeMs);
  }

  /** As at the end of a process: nothing is closed. */
  stop(): void {
    this.#ended = true;
    this.pool.stop();
    // The process continues with other tests: what is in line is released.
    ringNatives().holdReleases(0);
    rmSync(this.#folder, { recursive: true });
  }

  async end(): Promise<void> {
    if (this.#ended) return;
    await this.close();
    this.stop();
  }
}
