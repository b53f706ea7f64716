import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ConnectionSpec, WorkerEvent } from '../../src/coordinator/messages.js';
import { WorkerPool, type WorkerPoolOptions } from '../../src/coordinator/workerPool.js';
import { packagePath } from '../../src/paths.js';
import { allocateTickRing, TickReader } from '../../src/ring/tickRing.js';
import { until, untilIs } from '../until.js';

export const simulatedLibrary = packagePath('libs', 'simulator', 'build', 'thostmduserapi_se.so');

type StateEvent = WorkerEvent & { type: 'state' };

/** A worker pool with everything it said, and the rings of its connections. */
export class PoolRun {
  readonly pool: WorkerPool;
  readonly events: WorkerEvent[] = [];
  readonly lost: { connections: number[]; error: string }[] = [];
  readonly readers = new Map<number, TickReader>();
  readonly #folder = mkdtempSync(join(tmpdir(), 'qactpmd-pool-'));

  constructor(
    connectionsPerWorker: 'auto' | number = 'auto',
    options: Pick<WorkerPoolOptions, 'deadlines' | 'mostHanging'> = {},
  ) {
    this.pool = new WorkerPool({
      ...options,
      connectionsPerWorker,
      onEvent: (event) => this.events.push(event),
      onWorkerLost: (connections, error) => this.lost.push({ connections, error }),
    });
  }

  spec(source: number, front: string, changes: Partial<ConnectionSpec> = {}): ConnectionSpec {
    const tickRing = allocateTickRing(1024);
    this.readers.set(source, new TickReader(tickRing));
    return {
      id: `c${source}`,
      source,
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

  async end(): Promise<string[]> {
    const hung = await this.pool.stop(10_000);
    rmSync(this.#folder, { recursive: true });
    return hung;
  }
}
