import { join } from 'node:path';
import type { Logger } from 'pino';
import type { ConnectionConfig, GatewayConfig } from '../config/gatewayConfig.js';
import type { RingTickSource } from '../ring/ringTickSource.js';
import { allocateTickRing, emptyTickRing, tickRingCapacityFor } from '../ring/tickRing.js';
import type { ConnectionPlan } from './assignment/connectionRecord.js';
import type { Coordinator } from './assignment/coordinator.js';
import { LoginAccounts } from './workers/loginAccounts.js';
import type { ConnectionSpec } from './workers/workerMessages.js';
import type { WorkerPool } from './workers/workerPool.js';
import { marked } from '../base/logEvents.js';

/** ms until a connection whose worker was lost is reopened; it doubles while the connection does not stay logged in. */
const firstReopenMs = 1_000;
/** Longest such time, ms. */
const longestReopenMs = 60_000;
/** ms of login after which the time starts again at its first value. */
const provenLoginMs = 5 * 60_000;
/** ms that other connections have at least to take over the lines of a closing connection. */
const leastTakeOverMs = 10_000;
/** ms per line beyond that: fronts are asked for 500 instruments per 500 ms, by one connection at worst. */
const takeOverPerLineMs = 2;

export interface OpenConnection {
  readonly spec: ConnectionSpec;
  readonly ringCapacity: number;
  config: ConnectionConfig;
  /** Workers that it has lost since it was logged in for long. */
  workersLost: number;
  /** ms on the monotonic clock; NaN while it is not logged in. */
  loggedInSince: number;
  /** The next step of opening it again or closing it. */
  timer: NodeJS.Timeout | undefined;
  closing: boolean;
  /** Another one of its id has been opened, and it goes when that is logged in. */
  replaced: boolean;
}

export interface OpenConnectionsParts {
  readonly log: Logger;
  readonly source: RingTickSource;
  readonly coordinator: Coordinator;
  readonly pool: WorkerPool;
  /** The connection has an index now, and will be opened; `onGone`: it is gone for good, and so is its ring. */
  readonly onAdded: (connection: number) => void;
  readonly onGone: (connection: number) => void;
}

/**
 * Opens, replaces and closes connections, and opens them again when their worker is lost.
 *
 * A connection keeps its index (TickRecord.connection) for life; one that is opened with other credentials gets a new one.
 */
export class OpenConnections {
  readonly #parts: OpenConnectionsParts;
  #config: GatewayConfig;
  readonly #opened = new Map<number, OpenConnection>();
  readonly #accounts = new LoginAccounts();
  #nextIndex = 0;
  /** Rings of connections that are closed, by capacity: memory of this kind is given back late, or never. */
  readonly #spareRings = new Map<number, SharedArrayBuffer[]>();

  constructor(config: GatewayConfig, parts: OpenConnectionsParts) {
    this.#config = config;
    this.#parts = parts;
  }

  /** Configuration for connections that are opened from now on. */
  configure(config: GatewayConfig): void {
    this.#config = config;
  }

  get(connection: number): OpenConnection | undefined {
    return this.#opened.get(connection);
  }

  indexes(): Iterable<number> {
    return this.#opened.keys();
  }

  /** How many indexes were given out. */
  get count(): number {
    return this.#nextIndex;
  }

  /** For `start`, or to be opened by the caller. */
  add(config: ConnectionConfig): ConnectionSpec {
    const { source, coordinator, onAdded } = this.#parts;
    const connection = this.#nextIndex++;
    const ringCapacity = this.#ringCapacity(config);
    const tickRing =
      this.#spareRings.get(ringCapacity)?.pop() ??
      allocateTickRing(ringCapacity, 0, this.#config.tickFlow === 'lossless');
    source.addRing(connection, tickRing);
    onAdded(connection);
    const spec: ConnectionSpec = {
      id: config.connectionId,
      connection,
      library: config.ctpLibrary,
      libraryVersion: config.ctpVersion,
      production: config.productionMode,
      fronts: config.frontAddr,
      brokerId: config.brokerId,
      userId: config.userId,
      password: config.password,
      loginPlaces: this.#accounts.placesOf(config),
      flowFolder: join(this.#config.flowPath, config.connectionId),
      tickRing,
      tickDoorbells: [source.doorbell.handle],
    };
    this.#opened.set(connection, {
      spec,
      ringCapacity,
      config,
      workersLost: 0,
      loggedInSince: NaN,
      timer: undefined,
      closing: false,
      replaced: false,
    });
    coordinator.addConnection(connection, planOf(config));
    return spec;
  }

  /** Opens all that were added, one after the other. */
  start(): void {
    this.#parts.pool.open([...this.#opened.values()].map(({ spec }) => spec));
  }

  open(config: ConnectionConfig): void {
    this.#parts.pool.open([this.add(config)]);
  }

  /** Takes other subscriptions or another priority; it is reopened where its ring is too small for them. */
  adjust(config: ConnectionConfig): void {
    const opened = this.#byId(config.connectionId);
    if (opened === undefined) return;
    if (this.#ringCapacity(config) > opened.ringCapacity) {
      this.replace(config);
      return;
    }
    opened.config = config;
    this.#parts.coordinator.changeConnection(opened.spec.connection, planOf(config));
  }

  /**
   * Opens a connection again, with other credentials or more room. The one before goes when this one is logged in; until
   * then it carries on, for what replaces it may have been given a wrong address.
   */
  replace(config: ConnectionConfig): void {
    const before = this.#byId(config.connectionId);
    if (before !== undefined) before.replaced = true;
    this.open(config);
  }

  /** Tries again what fronts have refused to log in, but for connections that are to go. */
  retryLogins(): void {
    const staying = [...this.#opened.values()].filter(({ replaced, closing }) => !replaced && !closing);
    this.#accounts.forgetRefusals(new Set(staying.map(({ spec }) => spec.loginPlaces)));
    for (const { spec } of staying)
      this.#parts.pool.send({ type: 'retry_login', connection: spec.connection });
  }

  /** Moves what the connections of this id carry to others, then closes them. */
  remove(id: string): void {
    for (const opened of [...this.#opened.values()]) if (opened.spec.id === id) this.#retire(opened);
  }

  /** Notes whether it is logged in. @returns false when it was noted already */
  noteLogin(opened: OpenConnection, isUp: boolean): boolean {
    if (!Number.isNaN(opened.loggedInSince) === isUp) return false;
    opened.loggedInSince = isUp ? performance.now() : NaN;
    return true;
  }

  /** It is logged in: those that it replaces are closed, once what they carry has moved. */
  takePlace({ spec, replaced }: OpenConnection): void {
    if (replaced) return;
    for (const each of this.#opened.values())
      if (each.replaced && each.spec.id === spec.id) this.#retire(each);
  }

  /** Nobody needs the connection any more. */
  close(connection: number): void {
    const opened = this.#opened.get(connection);
    if (opened === undefined) return;
    clearTimeout(opened.timer);
    opened.timer = undefined;
    this.#parts.pool.send({ type: 'close', connection });
  }

  /** The worker says that the connection is closed. */
  closed(connection: number): void {
    const opened = this.#opened.get(connection);
    // Ends with the process, or with a worker that was lost and is replaced.
    if (opened?.closing !== true) return;
    this.#forget(connection);
    this.#keepRing(opened);
    this.#parts.log.info({ connection: opened.spec.id }, `${opened.spec.id}: closed`);
  }

  /** The connection is opened again, unless it was to be closed anyway. */
  workerLost(connection: number, error: string): void {
    const opened = this.#opened.get(connection);
    if (opened === undefined) return;
    const { spec, loggedInSince } = opened;
    const { coordinator, log, pool } = this.#parts;
    if (performance.now() - loggedInSince >= provenLoginMs) opened.workersLost = 0;
    opened.loggedInSince = NaN;
    coordinator.workerLost(connection, error);
    if (opened.closing) {
      this.#forget(connection);
      return;
    }
    const delayMs = Math.min(longestReopenMs, firstReopenMs * 2 ** Math.min(opened.workersLost++, 16));
    log.error(
      marked('worker_lost', { connection: spec.id, reopen_ms: delayMs }),
      `${spec.id}: its worker crashed: ${error}; reopening it`,
    );
    opened.timer = setTimeout(() => pool.open([spec]), delayMs);
  }

  /**
   * Its worker hangs over another connection. It is reopened at once, and takes nothing more: what it carries moves to
   * others while its ticks flow on, and it is closed when they have taken it.
   */
  stranded(connection: number, error: string): void {
    const opened = this.#opened.get(connection);
    if (opened === undefined || opened.closing) return;
    const { id } = opened.spec;
    this.#parts.log.error(
      marked('worker_hung', { connection: id }),
      `${id}: ${error} over another connection; reopening it elsewhere`,
    );
    opened.closing = true;
    clearTimeout(opened.timer);
    // One that is being replaced anyway has its successor.
    if (!opened.replaced) this.open(opened.config);
    this.#parts.coordinator.retireConnection(connection);
  }

  /** No connection is opened or closed any more. */
  retire(): void {
    for (const { timer } of this.#opened.values()) clearTimeout(timer);
  }

  #ringCapacity({ maxSubscriptions }: ConnectionConfig): number {
    return tickRingCapacityFor(maxSubscriptions, this.#config.connections.length);
  }

  #retire(opened: OpenConnection): void {
    if (opened.closing) return;
    const connection = opened.spec.connection;
    clearTimeout(opened.timer);
    opened.closing = true;
    const takeOverMs = leastTakeOverMs + takeOverPerLineMs * opened.config.maxSubscriptions;
    opened.timer = setTimeout(() => this.close(connection), takeOverMs);
    this.#parts.coordinator.retireConnection(connection);
  }

  /** Nothing writes into a connection's ring once its worker has said that it is closed. */
  #keepRing({ ringCapacity, spec }: OpenConnection): void {
    emptyTickRing(spec.tickRing);
    const spare = this.#spareRings.get(ringCapacity) ?? [];
    spare.push(spec.tickRing);
    this.#spareRings.set(ringCapacity, spare);
  }

  #forget(connection: number): void {
    clearTimeout(this.#opened.get(connection)?.timer);
    this.#parts.source.removeRing(connection);
    this.#parts.coordinator.removeConnection(connection);
    this.#parts.onGone(connection);
    this.#opened.delete(connection);
  }

  #byId(id: string): OpenConnection | undefined {
    for (const opened of this.#opened.values())
      if (opened.spec.id === id && !opened.closing && !opened.replaced) return opened;
    return undefined;
  }
}

function planOf(config: ConnectionConfig): ConnectionPlan {
  const { connectionId, brokerId, frontAddr, maxSubscriptions, priority } = config;
  return { id: connectionId, brokerId, fronts: frontAddr, maxSubscriptions, priority };
}
