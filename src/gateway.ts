import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { GatewayConfig } from './config/gatewayConfig.js';
import { Coordinator, type LineCommand } from './coordinator/coordinator.js';
import type { ConnectionSpec, WorkerEvent } from './coordinator/messages.js';
import { SilenceWatch } from './coordinator/silenceWatch.js';
import { WorkerPool } from './coordinator/workerPool.js';
import { openLibraries } from './libraries.js';
import { ExchangeClock } from './market/exchangeClock.js';
import { InstrumentDirectory } from './market/instrumentDirectory.js';
import { loadProducts } from './market/products.js';
import { QuoteBook, type BookCounters } from './market/quoteBook.js';
import { QuoteEncoder } from './market/quoteEncoder.js';
import { WeekdayCalendar } from './market/tradingCalendar.js';
import { RingTickSource } from './ring/ringTickSource.js';
import { allocateTickRing, tickRingCapacityFor } from './ring/tickRing.js';
import type { TickRecord } from './ring/tickRecord.js';
import { LimitedLog } from './limitedLog.js';
import { TickTrace } from './profile/tickTrace.js';
import { MarketServer } from './server/marketServer.js';
import type { HealthReport } from './server/health.js';
import { SimulatorSupervisor } from './simulator/supervisor.js';
import { RedisMonitor } from './storage/redis.js';

/** A connection whose worker was lost is opened again, ever later while it does not get as far as a login. */
const firstReopenMs = 1_000;
const longestReopenMs = 60_000;
/** What a terminal's Ctrl-C or a supervisor's stop signal ends may end before this process hears of it. */
const groupSignalMs = 100;

/** Slots beyond it are not given out, so that no client can make the process grow without end. */
const maxInstruments = 65_536;

/**
 * One process of the gateway: builds the parts, joins them, and takes them down in order.
 *
 *   rings → tick source → quote book → server → clients
 *   clients → server → coordinator → workers → fronts
 */
export class Gateway {
  readonly #config: GatewayConfig;
  readonly #log: Logger;
  /** For what fronts and clients can cause at any rate. */
  readonly #limitedLog: LimitedLog;
  readonly #directory = new InstrumentDirectory({ products: loadProducts(), maxInstruments });
  readonly #book = new QuoteBook(this.#directory, new ExchangeClock(new WeekdayCalendar()));
  readonly #connections: GatewayConfig['connections'];
  readonly #coordinator: Coordinator;
  readonly #ticksOf: Float64Array;
  /** Follows ticks while somebody asks for it at the profile socket. */
  readonly trace = new TickTrace((slot) => this.#directory.bySlot(slot).id);
  #source: RingTickSource | undefined;
  #pool: WorkerPool | undefined;
  #server: MarketServer | undefined;
  #simulator: SimulatorSupervisor | undefined;
  #redis: RedisMonitor | undefined;
  #healthTimer: NodeJS.Timeout | undefined;
  #maintenanceTimer: NodeJS.Timeout | undefined;
  #silenceTimer: NodeJS.Timeout | undefined;
  readonly #reopenTimers = new Map<number, NodeJS.Timeout>();
  /** Workers that a connection has lost since its last login. */
  readonly #workersLost: Uint32Array;
  #flushScheduled = false;
  #missedLogged = 0;
  #lastStatus = '';

  constructor(config: GatewayConfig, log: Logger) {
    this.#config = config;
    this.#log = log;
    this.#limitedLog = new LimitedLog(log);
    this.#connections = config.connections.filter((each) => each.enabled);
    this.#ticksOf = new Float64Array(this.#connections.length);
    this.#workersLost = new Uint32Array(this.#connections.length);
    this.#coordinator = new Coordinator(
      {
        strategy: config.loadBalanceStrategy,
        autoFailover: config.autoFailover,
        maxRetryCount: config.maxRetryCount,
      },
      this.#connections.map((each) => ({
        id: each.connectionId,
        brokerId: each.brokerId,
        fronts: each.frontAddr,
        maxSubscriptions: each.maxSubscriptions,
        priority: each.priority,
      })),
      {
        send: (command) => this.#sendCommand(command),
        refused: (slot, code, text) => this.#server?.onInstrumentRefused(slot, code, text),
      },
    );
  }

  /**
   * Starts every part; returns early, with what has been started, when `shutdown` is aborted.
   *
   * @throws with one line for the user: port in use, library unusable, simulated fronts that do not start
   */
  async start(shutdown: AbortSignal): Promise<void> {
    const config = this.#config;
    await openLibraries(this.#connections, this.#log, shutdown);

    const source = new RingTickSource();
    this.#source = source;
    this.#server = new MarketServer({
      host: config.websocketHost,
      port: config.websocketPort,
      limits: config.limits,
      directory: this.#directory,
      book: this.#book,
      encoder: new QuoteEncoder(this.#book, this.#directory),
      demand: {
        want: (slot) => {
          this.#coordinator.want(slot, this.#directory.bySlot(slot).key);
          this.#scheduleFlush();
        },
        drop: (slot) => {
          this.#coordinator.drop(slot);
          this.#scheduleFlush();
        },
      },
      health: () => this.health(),
      logger: this.#log,
    });
    const port = await this.#server.listen();
    this.#log.info({ host: config.websocketHost, port }, 'listening');
    source.start({ onTick: this.#onTick, onBatchEnd: this.#onBatchEnd });

    if (config.simulator !== undefined && !shutdown.aborted) {
      this.#simulator = new SimulatorSupervisor(config.simulator, this.#log);
      await this.#startSimulator(this.#simulator, shutdown);
    }
    if (shutdown.aborted) return;
    if (config.redisEnabled) {
      this.#redis = new RedisMonitor(config, this.#log);
      this.#redis.start();
    }
    this.#openConnections(source);
    if (config.silenceTimeout > 0) this.#watchSilence(source, config.silenceTimeout * 1000);
    this.#healthTimer = setInterval(() => this.#reportHealth(), config.healthCheckInterval * 1000);
    this.#maintenanceTimer = setInterval(() => this.#reportCounters(), config.maintenanceInterval * 1000);
  }

  /**
   * Takes everything down in order, at any moment after construction: no new clients, sessions released, last ticks
   * sent, clients told, fronts ended. Returns what did not end within the deadline.
   */
  async stop(): Promise<string[]> {
    const deadline = Date.now() + this.#config.shutdownDeadline * 1000;
    const left = (): number => Math.max(100, deadline - Date.now());
    // A signal to the whole group ends the simulated fronts at once, which must not start them anew.
    this.#simulator?.retire();
    clearInterval(this.#healthTimer);
    clearInterval(this.#silenceTimer);
    clearInterval(this.#maintenanceTimer);
    for (const timer of this.#reopenTimers.values()) clearTimeout(timer);
    this.#server?.stopAccepting();
    const hung = (await this.#pool?.stop(left())) ?? [];
    this.#source?.drain();
    this.#source?.stop();
    await this.#server?.close(left());
    this.#redis?.close();
    this.#limitedLog.close();
    await this.#simulator?.stop();
    return hung;
  }

  /** What GET /health answers. */
  health(): HealthReport {
    const connections = this.#coordinator.status();
    const up = connections.filter((each) => each.state === 'logged_in').length;
    const redis = this.#redis?.status() ?? { enabled: false, connected: false, latency: null };
    const whole =
      up === connections.length && this.#coordinator.withoutRoom === 0 && (!redis.enabled || redis.connected);
    return {
      status: up === 0 ? 'unhealthy' : whole ? 'healthy' : 'degraded',
      connections: connections.map((each, index) => ({
        id: each.id,
        status: each.state,
        quality: each.quality,
        subscriptions: each.subscriptions,
        broker_id: each.brokerId,
        ...brokerNameOf(this.#connections[index]!),
        reconnects: each.reconnects,
        ticks: this.#ticksOf[index]!,
        reason: each.reason,
      })),
      redis: { ...redis, latency: redis.latency ?? '' },
      details: { instruments: this.#coordinator.demand(), ticks: this.#tickCounters() },
    };
  }

  readonly #onTick = (tick: TickRecord): void => {
    this.#ticksOf[tick.source]!++;
    this.trace.taken(tick);
    if (!this.#book.apply(tick)) return;
    this.trace.applied();
    this.#server!.onTick(tick.slot);
    this.trace.published();
  };

  readonly #onBatchEnd = (): void => {
    this.trace.batchEnd();
    this.#server?.onBatchEnd();
  };

  /** Starts the simulated fronts, but does not hold up a shutdown until they listen. */
  async #startSimulator(simulator: SimulatorSupervisor, shutdown: AbortSignal): Promise<void> {
    const giveUp = (): void => void simulator.stop();
    shutdown.addEventListener('abort', giveUp, { once: true });
    try {
      await simulator.start();
    } catch (error) {
      await pause(groupSignalMs);
      if (!shutdown.aborted) throw error;
    } finally {
      shutdown.removeEventListener('abort', giveUp);
    }
  }

  #openConnections(source: RingTickSource): void {
    const pool = new WorkerPool({
      connectionsPerWorker: this.#config.connectionsPerWorker,
      onEvent: (event) => this.#onWorkerEvent(event),
      onWorkerLost: (connections, error) => {
        for (const index of connections) {
          this.#coordinator.workerLost(index, error);
          this.#reopenLater(pool, specs[index]!, error);
        }
      },
    });
    this.#pool = pool;
    const specs: ConnectionSpec[] = this.#connections.map((each, index) => {
      const tickRing = allocateTickRing(tickRingCapacityFor(each.maxSubscriptions));
      source.addRing(tickRing);
      const flowFolder = join(this.#config.flowPath, each.connectionId);
      mkdirSync(flowFolder, { recursive: true });
      return {
        id: each.connectionId,
        source: index,
        library: each.ctpLibrary,
        libraryVersion: each.ctpVersion,
        production: each.productionMode,
        fronts: each.frontAddr,
        brokerId: each.brokerId,
        userId: each.userId,
        password: each.password,
        flowFolder,
        tickRing,
        tickDoorbells: [source.doorbell.handle],
      };
    });
    pool.open(specs);
  }

  /** A silent connection is reported by its worker, whose report moves its instruments. */
  #watchSilence(source: RingTickSource, timeoutMs: number): void {
    const watch = new SilenceWatch(timeoutMs);
    this.#silenceTimer = setInterval(() => {
      const samples = this.#coordinator.status().map(({ state, subscriptions }, index) => ({
        written: source.written(index),
        expecting: state === 'logged_in' && subscriptions > 0,
      }));
      for (const { line, silentMs } of watch.sample(samples, performance.now(), Date.now())) {
        const reason = `connected, but nothing came for ${Math.round(silentMs / 1000)} s`;
        this.#pool?.send({ type: 'reopen', connection: line, reason });
      }
    }, watch.periodMs);
  }

  #reopenLater(pool: WorkerPool, spec: ConnectionSpec, error: string): void {
    const { source, id } = spec;
    const delayMs = Math.min(
      longestReopenMs,
      firstReopenMs * 2 ** Math.min(this.#workersLost[source]!++, 16),
    );
    this.#log.error(
      { connection: id, reopen_ms: delayMs },
      `${id}: its worker was lost: ${error}; opening it again`,
    );
    const reopen = (): void => {
      this.#reopenTimers.delete(source);
      pool.open([spec]);
    };
    this.#reopenTimers.set(source, setTimeout(reopen, delayMs));
  }

  #onWorkerEvent(event: WorkerEvent): void {
    switch (event.type) {
      case 'state': {
        const id = this.#connections[event.connection]!.connectionId;
        this.#coordinator.connectionState(event.connection, event.state, event.reason);
        if (event.state === 'logged_in') this.#workersLost[event.connection] = 0;
        const line = { connection: id, state: event.state };
        const level = event.state === 'logged_in' ? 'info' : 'debug';
        if (event.reason === '') this.#limitedLog.write(id, level, line, `${id}: ${event.state}`);
        else this.#limitedLog.write(id, event.fatal ? 'error' : 'warn', line, `${id}: ${event.reason}`);
        break;
      }
      case 'refused': {
        const id = this.#connections[event.connection]!.connectionId;
        const slot = this.#directory.resolve(event.id)?.slot;
        this.#limitedLog.write(
          `${id} refused`,
          'warn',
          { connection: id, instrument: event.id, code: event.code },
          `${id}: ${event.id} refused: ${event.text}`,
        );
        if (slot === undefined) break;
        this.#coordinator.subscriptionRefused(event.connection, slot, event.code, event.text);
        this.#scheduleFlush();
        break;
      }
      case 'log': {
        const id = event.connection === undefined ? '' : this.#connections[event.connection]!.connectionId;
        this.#limitedLog.write(
          `${id} says`,
          event.level,
          id === '' ? {} : { connection: id },
          id === '' ? event.text : `${id}: ${event.text}`,
        );
        break;
      }
    }
  }

  #sendCommand(command: LineCommand): void {
    const ids = command.slots.map((slot) => this.#directory.bySlot(slot).id);
    const { connection, slots } = command;
    if (command.type === 'subscribe') this.#pool?.send({ type: 'subscribe', connection, ids, slots });
    else this.#pool?.send({ type: 'unsubscribe', connection, ids });
  }

  /** What clients ask for within one turn of the event loop becomes one batch per connection. */
  #scheduleFlush(): void {
    if (this.#flushScheduled) return;
    this.#flushScheduled = true;
    setImmediate(() => {
      this.#flushScheduled = false;
      this.#coordinator.flush();
    });
  }

  /** Says when the state of the whole has changed since the last check. */
  #reportHealth(): void {
    const { status, connections } = this.health();
    if (status === this.#lastStatus) return;
    this.#lastStatus = status;
    const down = connections.filter((each) => each.status !== 'logged_in').map((each) => each.id);
    const waiting = this.#coordinator.withoutRoom;
    const room = waiting === 0 ? '' : `, no connection has room for ${waiting} of its instruments`;
    this.#log[status === 'healthy' ? 'info' : 'warn']({ status, down }, `the gateway is ${status}${room}`);
  }

  #tickCounters(): BookCounters & { missed: number } {
    return { ...this.#book.counters, missed: this.#source?.missed ?? 0 };
  }

  #reportCounters(): void {
    const ticks = this.#tickCounters();
    this.#log.debug(
      { instruments: this.#coordinator.demand(), ticks, clients: this.#server?.counters },
      'counters',
    );
    if (ticks.missed > this.#missedLogged) {
      this.#log.warn(`${ticks.missed - this.#missedLogged} ticks were lost: the main thread read too slowly`);
      this.#missedLogged = ticks.missed;
    }
  }
}

/** Connections whose broker has no name in the configuration have no such member. */
function brokerNameOf({ brokerName }: GatewayConfig['connections'][number]): { broker_name?: string } {
  return brokerName === '' ? {} : { broker_name: brokerName };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
