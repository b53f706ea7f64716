import { join } from 'node:path';
import type { Logger } from 'pino';
import type { ConnectionConfig, GatewayConfig } from '../config/gatewayConfig.js';
import type { ReloadPlan } from '../config/reload.js';
import type { LimitedLog } from '../limitedLog.js';
import { calendarOf } from '../market/holidayCalendar.js';
import type { InstrumentDirectory } from '../market/instrumentDirectory.js';
import { matches } from '../market/instrumentPattern.js';
import { alwaysOpen, ExchangeHours, type MarketHours } from '../market/marketHours.js';

import type { RingTickSource } from '../ring/ringTickSource.js';
import { I32, type TickRecord } from '../ring/tickRecord.js';
import { allocateTickRing, tickRingCapacityFor } from '../ring/tickRing.js';
import type { ConnectionPlan, ConnectionStatus } from './connectionRecord.js';
import type { Demand } from './census.js';
import { Coordinator } from './coordinator.js';
import type { CoordinatorOptions } from './coordinatorOptions.js';
import { HeldTicks } from './heldTicks.js';
import { LateWatch } from './lateWatch.js';
import { LineRace, type RaceFigures } from './lineRace.js';
import type { ConnectionSpec, WorkerEvent } from './messages.js';
import { provesExistence } from './need.js';
import type { LineCommand } from './outbox.js';
import { SilenceWatch } from './silenceWatch.js';
import type { Troubles } from './wishes.js';
import { WorkerPool } from './workerPool.js';

/** A connection whose worker was lost is opened again, ever later while it does not stay logged in, */
const firstReopenMs = 1_000;
const longestReopenMs = 60_000;
/** for this long. */
const provenLoginMs = 5 * 60_000;
/** The others have this long to take over what a connection carries that is to be closed: */
const leastTakeOverMs = 10_000;
/** fronts are asked for 500 instruments per 500 ms, by one connection at worst. */
const takeOverPerLineMs = 2;
const passMs = 1_000;
/** Instruments that are settled in one turn of the event loop: ticks wait for it. */
const settledPerTurn = 500;
const roomSpacingMs = 200;
/** Part of a connection on which instruments may be tried out; evening out tolerates several times as much. */
const trialShare = 0.05;
const longestInstrumentList = 100;
/** How much of the newest second is in a connection's ticks per second. */
const rateSmoothing = 0.2;

export interface ConnectionsOptions {
  readonly config: GatewayConfig;
  readonly log: Logger;
  /** For what fronts can cause at any rate. */
  readonly limitedLog: LimitedLog;
  readonly directory: InstrumentDirectory;
  readonly source: RingTickSource;
  /** The connection's line of the instrument carries nothing any more. */
  readonly onLineGone: (slot: number, source: number) => void;
  /** Ticks that `onTick` held back are to be taken in now. */
  readonly onHeldTicks: (ticks: readonly TickRecord[]) => void;
  /** Somebody wants the instrument. */
  readonly onWanted: (slot: number) => void;
  /** No connection can carry the instrument. */
  readonly onRefused: (slot: number, code: number, text: string) => void;
}

/** A connection and what is counted of it. */
export interface ConnectionReport extends ConnectionStatus {
  readonly brokerName: string;
  readonly ticks: number;
  readonly ticksPerSecond: number;
  /** When the last tick came, ms since the epoch; NaN before the first. */
  readonly lastTickMs: number;
  readonly race: RaceFigures;
  /** Another connection of this id has been opened and takes its place when it is logged in. */
  readonly isReplaced: boolean;
}

interface Opened {
  readonly spec: ConnectionSpec;
  readonly ringCapacity: number;
  config: ConnectionConfig;
  ticksAtPass: number;
  rate: number;
  /** When ticks were last seen to have come, ms since the epoch. */
  lastTickMs: number;
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

/**
 * The connections to the fronts: carries out what the coordinator decides, with workers and rings, and tells it what
 * happens. Ticks do not pass through here, but each is counted.
 *
 * A connection keeps its index (TickRecord.source) for life; one that is opened with other credentials gets a new one.
 */
export class Connections {
  #config: GatewayConfig;
  readonly #options: ConnectionsOptions;
  readonly #coordinator: Coordinator;
  readonly #race = new LineRace();
  readonly #held = new HeldTicks();
  #late: LateWatch;
  readonly #pool: WorkerPool;
  readonly #opened = new Map<number, Opened>();
  #nextIndex = 0;
  /** By index. */
  #ticks = new Float64Array(128);
  #silenceTimer: NodeJS.Timeout | undefined;
  #passTimer: NodeJS.Timeout | undefined;
  #flushScheduled = false;
  /** Slots that the configuration always wants. */
  #always = new Set<number>();

  constructor(options: ConnectionsOptions) {
    this.#options = options;
    this.#late = new LateWatch(hoursOf(options.config));
    this.#config = options.config;
    this.#coordinator = new Coordinator(this.#coordinatorOptions(), {
      send: (command) => this.#send(command),
      refused: options.onRefused,
      carried: (slot, lines) => this.#race.follow(slot, lines),
      gone: (slot, index) => {
        this.#held.release(slot, index);
        options.onLineGone(slot, index);
      },
      joined: (slot, index) => {
        const ticks = this.#held.release(slot, index);
        if (ticks.length > 0) options.onHeldTicks(ticks);
      },
      vacated: (index) => this.#close(index),
      more: () => this.#scheduleFlush(),
    });
    this.#pool = new WorkerPool({
      connectionsPerWorker: options.config.connectionsPerWorker,
      onEvent: (event) => this.#onEvent(event),
      onWorkerLost: (indexes, error) => {
        for (const index of indexes) this.#workerLost(index, error);
      },
    });
    for (const config of options.config.connections) if (config.enabled) this.#add(config);
  }

  /** Opens the enabled connections, one after the other, and begins to watch them. */
  start(): void {
    this.#pool.open([...this.#opened.values()].map(({ spec }) => spec));
    this.subscribeAlways();
    this.#watchSilence();
    this.#passTimer = setInterval(() => this.#pass(), passMs);
  }

  /** One more session wants the instrument. */
  want(slot: number): void {
    this.#coordinator.want(slot, this.#options.directory.bySlot(slot).key);
    this.#options.onWanted(slot);
    this.#scheduleFlush();
  }

  /** Subscribes an instrument to see whether it ticks, where there is room to spare (Coordinator.tryOut). */
  tryOut(slot: number): boolean {
    const isTried = this.#coordinator.tryOut(slot, this.#options.directory.bySlot(slot).key);
    if (isTried) this.#scheduleFlush();
    return isTried;
  }

  endTrial(slot: number): void {
    this.#coordinator.endTrial(slot);
    this.#scheduleFlush();
  }

  /** Whether a tick of this connection says that its instrument exists. */
  provesExistence(index: number): boolean {
    const opened = this.#opened.get(index);
    return opened !== undefined && provesExistence(opened.spec);
  }

  /** One session less wants it. */
  drop(slot: number): void {
    this.#coordinator.drop(slot);
    this.#scheduleFlush();
  }

  /** Takes note of a tick; on the tick path. False when it is held back (Coordinator.ticked). */
  onTick(tick: TickRecord): boolean {
    const { source, slot, i32 } = tick;
    this.#ticks[source]!++;
    const seconds = i32[I32.updateTime]!;
    const timeOfDayMs = seconds < 0 ? -1 : seconds * 1000 + i32[I32.updateMillisec]!;
    this.#late.tick(slot);
    const volume = i32[I32.volume]!;
    this.#race.tick(source, slot, volume, timeOfDayMs, tick.receiveTimeMs);
    if (!this.#coordinator.awaits(slot)) return true;
    const taken = this.#coordinator.ticked(source, slot, { volume, timeMs: timeOfDayMs });
    if (!taken) this.#held.hold(tick);
    if (this.#coordinator.hasUnsettled()) this.#scheduleFlush();
    return taken;
  }

  /**
   * Wants the instruments that the configuration always wants, of those that are listed today. To be called again when
   * the list may have changed.
   */
  subscribeAlways(): void {
    const { directory } = this.#options;
    const wanted = new Set<number>();
    const patterns = this.#config.alwaysSubscribe;
    if (patterns.length > 0) {
      const named = patterns.filter(({ open }) => !open).map(({ text }) => text);
      for (const id of [...directory.list(), ...named]) {
        const instrument = directory.resolve(id);
        if (instrument !== undefined && patterns.some((pattern) => matches(pattern, instrument)))
          wanted.add(instrument.slot);
      }
    }
    for (const slot of wanted) if (!this.#always.has(slot)) this.want(slot);
    for (const slot of this.#always) if (!wanted.has(slot)) this.drop(slot);
    this.#always = wanted;
  }

  /** Carries out a plan that leads to `next`. */
  reload(plan: ReloadPlan, next: GatewayConfig): void {
    const before = this.#config;
    this.#config = next;
    const hoursChanged = plan.settings.some((key) => key === 'trading_hours' || key === 'calendar_file');
    if (hoursChanged) this.#late = new LateWatch(hoursOf(next));
    if (hoursChanged || next.silenceTimeout !== before.silenceTimeout) this.#watchSilence();
    if (plan.settings.length > 0) this.#coordinator.configure(this.#coordinatorOptions());
    for (const config of plan.adjusted) this.#adjust(config);
    for (const config of plan.added) this.#pool.open([this.#add(config)]);
    for (const config of plan.reopened) this.#replace(config);
    for (const id of plan.removed)
      for (const opened of [...this.#opened.values()]) if (opened.spec.id === id) this.#retire(opened);
    this.subscribeAlways();
  }

  /** Those that are about to be closed too. */
  reports(): ConnectionReport[] {
    return this.#coordinator.status().map((status) => {
      const opened = this.#opened.get(status.index)!;
      return {
        ...status,
        brokerName: opened.config.brokerName,
        ticks: this.#ticks[status.index]!,
        ticksPerSecond: opened.rate,
        lastTickMs: opened.lastTickMs,
        race: this.#race.take(status.index),
        isReplaced: opened.replaced,
      };
    });
  }

  demand(): Demand {
    return this.#coordinator.demand();
  }

  /** Slots of the instruments that are wanted and were not refused. */
  wanted(): Iterable<number> {
    return this.#coordinator.wanted();
  }

  /** The first of the instruments that wait for a line, and of those that were refused. */
  troubles(): Troubles {
    return this.#coordinator.troubles(longestInstrumentList);
  }

  /** No connection is opened, moved or closed any more; what is open stays so until `stop`. */
  retire(): void {
    clearInterval(this.#silenceTimer);
    clearInterval(this.#passTimer);
    for (const { timer } of this.#opened.values()) clearTimeout(timer);
  }

  /** Closes all connections; ids of those that hung past the deadline. */
  stop(deadlineMs: number): Promise<string[]> {
    this.retire();
    return this.#pool.stop(deadlineMs);
  }

  #coordinatorOptions(): CoordinatorOptions {
    const { loadBalanceStrategy, autoFailover, maxRetryCount, unsubscribeGrace } = this.#config;
    const { redundancy, redundantInstruments } = this.#config;
    const { directory } = this.#options;
    return {
      strategy: loadBalanceStrategy,
      autoFailover,
      maxRetryCount,
      graceMs: unsubscribeGrace * 1000,
      redundancy: (slot) => {
        if (redundancy === 1) return 1;
        const instrument = directory.bySlot(slot);
        return redundantInstruments.some((pattern) => matches(pattern, instrument)) ? redundancy : 1;
      },
      settledPerTurn,
      trialShare,
      roomSpacingMs,
    };
  }

  #add(config: ConnectionConfig): ConnectionSpec {
    const { source } = this.#options;
    const index = this.#nextIndex++;
    const ringCapacity = this.#ringCapacity(config);
    const tickRing = allocateTickRing(ringCapacity, 0, this.#config.tickFlow === 'lossless');
    source.addRing(index, tickRing);
    if (index >= this.#ticks.length) {
      const ticks = new Float64Array(2 * this.#ticks.length);
      ticks.set(this.#ticks);
      this.#ticks = ticks;
    }
    const spec: ConnectionSpec = {
      id: config.connectionId,
      source: index,
      library: config.ctpLibrary,
      libraryVersion: config.ctpVersion,
      production: config.productionMode,
      fronts: config.frontAddr,
      brokerId: config.brokerId,
      userId: config.userId,
      password: config.password,
      flowFolder: join(this.#config.flowPath, config.connectionId),
      tickRing,
      tickDoorbells: [source.doorbell.handle],
    };
    this.#opened.set(index, {
      spec,
      ringCapacity,
      config,
      ticksAtPass: 0,
      rate: 0,
      lastTickMs: NaN,
      workersLost: 0,
      loggedInSince: NaN,
      timer: undefined,
      closing: false,
      replaced: false,
    });
    this.#coordinator.addConnection(index, planOf(config));
    return spec;
  }

  #ringCapacity({ maxSubscriptions }: ConnectionConfig): number {
    return tickRingCapacityFor(maxSubscriptions, this.#config.connections.length);
  }

  #adjust(config: ConnectionConfig): void {
    const opened = this.#byId(config.connectionId);
    if (opened === undefined) return;
    if (this.#ringCapacity(config) > opened.ringCapacity) {
      this.#replace(config);
      return;
    }
    opened.config = config;
    this.#coordinator.changeConnection(opened.spec.source, planOf(config));
  }

  /**
   * Opens a connection anew, with other credentials or more room. The one before goes when this one is logged in; until
   * then it carries on, for what replaces it may have been given a wrong address.
   */
  #replace(config: ConnectionConfig): void {
    const before = this.#byId(config.connectionId);
    if (before !== undefined) before.replaced = true;
    this.#pool.open([this.#add(config)]);
  }

  /** Moves what the connection carries to others, then closes it. */
  #retire(opened: Opened): void {
    if (opened.closing) return;
    const index = opened.spec.source;
    clearTimeout(opened.timer);
    opened.closing = true;
    const takeOverMs = leastTakeOverMs + takeOverPerLineMs * opened.config.maxSubscriptions;
    opened.timer = setTimeout(() => this.#close(index), takeOverMs);
    this.#coordinator.retireConnection(index);
  }

  #close(index: number): void {
    const opened = this.#opened.get(index);
    if (opened === undefined) return;
    clearTimeout(opened.timer);
    opened.timer = undefined;
    this.#pool.send({ type: 'close', connection: index });
  }

  #closed(index: number): void {
    const opened = this.#opened.get(index);
    // Ends with the process, or with a worker that was lost and is replaced.
    if (opened?.closing !== true) return;
    this.#forget(index);
    this.#options.log.info({ connection: opened.spec.id }, `${opened.spec.id}: closed`);
  }

  #forget(index: number): void {
    clearTimeout(this.#opened.get(index)?.timer);
    this.#options.source.removeRing(index);
    this.#coordinator.removeConnection(index);
    this.#race.forget(index);
    this.#opened.delete(index);
  }

  #byId(id: string): Opened | undefined {
    for (const opened of this.#opened.values())
      if (opened.spec.id === id && !opened.closing && !opened.replaced) return opened;
    return undefined;
  }

  #onEvent(event: WorkerEvent): void {
    switch (event.type) {
      case 'state':
        this.#onState(event);
        break;
      case 'requested':
        this.#coordinator.requested(event.connection, event.slots);
        break;
      case 'refused':
        this.#onRefused(event);
        break;
      case 'closed':
        this.#closed(event.connection);
        break;
      case 'log': {
        const id = event.connection === undefined ? undefined : this.#opened.get(event.connection)?.spec.id;
        const { level, text } = event;
        if (id === undefined) this.#options.limitedLog.write('worker says', level, {}, text);
        else this.#options.limitedLog.write(`${id} says`, level, { connection: id }, `${id}: ${text}`);
        break;
      }
    }
  }

  #onState(event: WorkerEvent & { type: 'state' }): void {
    const opened = this.#opened.get(event.connection);
    if (opened === undefined) return;
    const { id } = opened.spec;
    const { limitedLog } = this.#options;
    const wasUp = !Number.isNaN(opened.loggedInSince);
    const isUp = event.state === 'logged_in';
    if (wasUp !== isUp) {
      opened.loggedInSince = isUp ? performance.now() : NaN;
      this.#race.forget(event.connection);
    }
    this.#coordinator.connectionState(event.connection, event.state, event.reason);
    const line = { connection: id, state: event.state };
    if (event.reason !== '')
      limitedLog.write(id, event.fatal ? 'error' : 'warn', line, `${id}: ${event.reason}`);
    else limitedLog.write(id, isUp ? 'info' : 'debug', line, `${id}: ${event.state}`);
    if (!isUp || opened.replaced) return;
    for (const each of this.#opened.values()) if (each.replaced && each.spec.id === id) this.#retire(each);
  }

  #onRefused({ connection, id: instrument, code, text }: WorkerEvent & { type: 'refused' }): void {
    const id = this.#opened.get(connection)?.spec.id;
    if (id === undefined) return;
    const slot = this.#options.directory.resolve(instrument)?.slot;
    // What is only tried out is expected to be refused.
    if (slot === undefined || !this.#coordinator.isTrial(slot))
      this.#options.limitedLog.write(
        `${id} refused`,
        'warn',
        { connection: id, instrument, code },
        `${id}: ${instrument} refused: ${text}`,
      );
    if (slot === undefined) return;
    this.#coordinator.subscriptionRefused(connection, slot, code, text);
    this.#scheduleFlush();
  }

  /** The connection is opened again, unless it was to be closed anyway. */
  #workerLost(index: number, error: string): void {
    const opened = this.#opened.get(index);
    if (opened === undefined) return;
    const { spec, loggedInSince } = opened;
    if (performance.now() - loggedInSince >= provenLoginMs) opened.workersLost = 0;
    opened.loggedInSince = NaN;
    this.#coordinator.workerLost(index, error);
    if (opened.closing) {
      this.#forget(index);
      return;
    }
    const delayMs = Math.min(longestReopenMs, firstReopenMs * 2 ** Math.min(opened.workersLost++, 16));
    this.#options.log.error(
      { connection: spec.id, reopen_ms: delayMs },
      `${spec.id}: its worker was lost: ${error}; opening it again`,
    );
    opened.timer = setTimeout(() => this.#pool.open([spec]), delayMs);
  }

  #send({ type, connection, slots }: LineCommand): void {
    const ids = slots.map((slot) => this.#options.directory.bySlot(slot).id);
    if (type === 'subscribe') this.#pool.send({ type, connection, ids, slots });
    else this.#pool.send({ type, connection, ids });
  }

  /** What clients ask for within one turn of the event loop becomes one batch per connection; very much of it, several. */
  #scheduleFlush(): void {
    if (this.#flushScheduled) return;
    this.#flushScheduled = true;
    setImmediate(() => {
      this.#flushScheduled = false;
      if (!this.#coordinator.flush(settledPerTurn)) this.#scheduleFlush();
    });
  }

  #pass(): void {
    const now = Date.now();
    const samples = [...this.#opened.keys()].map((index) => ({
      line: index,
      ticks: this.#ticks[index]!,
      expecting: this.#coordinator.instrumentsOf(index) > 0,
      slots: () => this.#coordinator.slotsOf(index),
    }));
    const late = this.#late.sample(samples, performance.now(), now);
    samples.forEach(({ line, ticks }, i) => {
      const opened = this.#opened.get(line)!;
      const since = ticks - opened.ticksAtPass;
      opened.ticksAtPass = ticks;
      opened.rate += rateSmoothing * ((since * 1000) / passMs - opened.rate);
      if (since > 0) opened.lastTickMs = now;
      const { delayP50Ms, gapShare } = this.#race.take(line);
      this.#coordinator.observe(line, { delayMs: delayP50Ms, gapShare, lateMs: late[i]! });
    });
    this.#coordinator.pass();
  }

  /** A silent connection is reported by its worker, whose report moves its instruments. */
  #watchSilence(): void {
    clearInterval(this.#silenceTimer);
    const { silenceTimeout } = this.#config;
    if (silenceTimeout === 0) return;
    const watch = new SilenceWatch(silenceTimeout * 1000, hoursOf(this.#config));
    this.#silenceTimer = setInterval(() => {
      const samples = Array.from({ length: this.#nextIndex }, (_, index) => ({
        written: this.#options.source.written(index),
        expecting: this.#coordinator.instrumentsOf(index) > 0,
        instruments: this.#coordinator.instrumentsOf(index),
      }));
      for (const { line, silentMs } of watch.sample(samples, performance.now(), Date.now())) {
        const reason = `connected, but nothing came for ${Math.round(silentMs / 1000)} s`;
        this.#pool.send({ type: 'reopen', connection: line, reason });
      }
    }, watch.periodMs);
  }
}

function hoursOf({ tradingHours, holidays, products }: GatewayConfig): MarketHours {
  return tradingHours === 'always' ? alwaysOpen : new ExchangeHours(calendarOf(holidays), products.values());
}

function planOf(config: ConnectionConfig): ConnectionPlan {
  const { connectionId, brokerId, frontAddr, maxSubscriptions, priority } = config;
  return { id: connectionId, brokerId, fronts: frontAddr, maxSubscriptions, priority };
}
