import type { Logger } from 'pino';
import type { GatewayConfig } from '../config/gatewayConfig.js';
import type { ReloadPlan } from '../config/reload.js';
import type { LimitedLog } from '../log/limitedLog.js';
import { calendarOf } from '../market/calendar/holidayCalendar.js';
import type { InstrumentDirectory } from '../market/instruments/instrumentDirectory.js';
import { matches } from '../market/instruments/instrumentPattern.js';
import { alwaysOpen, ExchangeHours, type MarketHours } from '../market/hours/marketHours.js';
import type { RingTickSource } from '../ring/ringTickSource.js';
import { intWord, type TickRecord } from '../ring/tickRecord.js';
import { AlwaysWanted } from './alwaysWanted.js';
import type { ConnectionStatus } from './assignment/connectionRecord.js';
import type { CoordinatorCounts } from './assignment/instrumentCounts.js';
import { Coordinator } from './assignment/coordinator.js';
import type { CoordinatorSettings } from './assignment/coordinatorSettings.js';
import { HeldTicks } from './heldTicks.js';
import { LastTicks } from './measures/lastTicks.js';
import { LateWatch } from './measures/lateWatch.js';
import { LineRace, type RaceFigures } from './measures/lineRace.js';
import type { WorkerEvent } from './workers/workerMessages.js';
import { provesExistence } from './assignment/linePriority.js';
import { OpenConnections } from './openConnections.js';
import type { LineCommand } from './assignment/commandBatch.js';
import { SilenceWatch } from './measures/silenceWatch.js';
import { Standing } from './assignment/standing.js';
import { TickRates, type TickRate } from './measures/tickRates.js';
import type { UnprovenClient } from './assignment/unprovenQueue.js';
import type { TroubledInstruments } from './assignment/wantedInstruments.js';
import { WorkerPool } from './workers/workerPool.js';
import { marked, membersOf } from '../base/logEvents.js';

const passMs = 1_000;
/** Instruments that are settled in one turn of the event loop: ticks wait for it. */
const settledPerTurn = 500;
const roomSpacingMs = 200;
/** Part of a connection on which instruments may be tried out; evening out tolerates several times as much. */
const probeShare = 0.05;
const longestInstrumentList = 100;

export interface ConnectionsParts {
  readonly config: GatewayConfig;
  readonly log: Logger;
  /** For what fronts can cause at any rate. */
  readonly limitedLog: LimitedLog;
  readonly directory: InstrumentDirectory;
  readonly source: RingTickSource;
  /** The instrument has so many lines on connections that are logged in. */
  readonly onCarried: (slot: number, lines: number) => void;
  /** The connection's line of the instrument carries nothing any more. */
  readonly onLineGone: (slot: number, connection: number) => void;
  /** Ticks that `onTick` held back are to be taken in now. */
  readonly onHeldTicks: (ticks: readonly TickRecord[]) => void;
  /** Whether the instrument should be ticking and is not. */
  readonly isStale: (slot: number) => boolean;
  /** How many of the instruments are in continuous trading now. */
  readonly countTrading: (slots: Iterable<number>) => number;
  /** Somebody wants the instrument. */
  readonly onWanted: (slot: number) => void;
  /** A worker has loaded the library with this path, which says of itself what it is. */
  readonly onLibrary: (library: string, version: string, warning: string) => void;
  /** No connection can carry the instrument. */
  readonly onRefused: (slot: number, code: number, text: string) => void;
  /** A connection that is logged in carries the instrument. */
  readonly onServed: (slot: number) => void;
  /** The instruments had places on connections, which others needed more, and have none now. */
  readonly onDisplaced: (slots: readonly number[]) => void;
  /** A tick of the instrument is known. */
  readonly hasTicked: (slot: number) => boolean;
}

/** A connection and what is counted of it. */
export interface ConnectionReport extends ConnectionStatus, TickRate {
  readonly brokerName: string;
  readonly race: RaceFigures;
  /** Another connection of this id has been opened and takes its place when it is logged in. */
  readonly isReplaced: boolean;
}

/**
 * The connections to the fronts: carries out what the coordinator decides, with workers and rings, and tells it what
 * happens. Ticks do not pass through here, but each is counted.
 */
export class Connections {
  #config: GatewayConfig;
  readonly #options: ConnectionsParts;
  readonly #coordinator: Coordinator;
  readonly #race = new LineRace();
  readonly #held = new HeldTicks();
  #late: LateWatch;
  readonly #pool: WorkerPool;
  readonly #open: OpenConnections;
  readonly #lastTicks = new LastTicks();
  readonly #rates = new TickRates();
  readonly #always: AlwaysWanted;
  #silenceTimer: NodeJS.Timeout | undefined;
  #passTimer: NodeJS.Timeout | undefined;
  #flushScheduled = false;
  /** Since they were last told. */
  readonly #displaced = new Set<number>();

  constructor(options: ConnectionsParts) {
    this.#options = options;
    this.#late = new LateWatch(hoursOf(options.config));
    this.#config = options.config;
    this.#coordinator = new Coordinator(this.#coordinatorSettings(), {
      send: (command) => this.#send(command),
      refused: options.onRefused,
      standing: (slot) => this.#standing(slot),
      carried: (slot, lines) => {
        this.#race.follow(slot, lines);
        options.onCarried(slot, lines);
        if (lines > 0) options.onServed(slot);
      },
      displaced: (slot) => this.#noteDisplaced(slot),
      gone: (slot, connection) => {
        this.#held.release(slot, connection);
        options.onLineGone(slot, connection);
      },
      joined: (slot, connection) => {
        const ticks = this.#held.release(slot, connection);
        if (ticks.length > 0) options.onHeldTicks(ticks);
      },
      vacated: (connection) => this.#open.close(connection),
      more: () => this.#scheduleFlush(),
    });
    this.#pool = new WorkerPool({
      connectionsPerWorker: options.config.connectionsPerWorker,
      onEvent: (event) => this.#onEvent(event),
      onWorkerLost: (indexes, error) => {
        for (const connection of indexes) this.#open.workerLost(connection, error);
      },
      onStranded: (indexes, error) => {
        for (const connection of indexes) this.#open.stranded(connection, error);
      },
    });
    this.#open = new OpenConnections(options.config, {
      log: options.log,
      source: options.source,
      coordinator: this.#coordinator,
      pool: this.#pool,
      onAdded: (connection) => this.#rates.add(connection),
      onGone: (connection) => {
        this.#race.forget(connection);
        this.#rates.forget(connection);
      },
    });
    for (const config of options.config.connections) if (config.enabled) this.#open.add(config);
    this.#always = new AlwaysWanted({
      directory: options.directory,
      want: (slot) => this.want(slot),
      drop: (slot) => this.drop(slot),
    });
  }

  /** Opens the enabled connections, one after the other, and begins to watch them. */
  start(): void {
    this.#open.start();
    this.followListing();
    this.#watchSilence();
    this.#passTimer = setInterval(() => this.#pass(), passMs);
  }

  /** One more session wants the instrument; the configuration where there is no asker. */
  want(slot: number, client?: UnprovenClient): void {
    this.#coordinator.want(slot, this.#options.directory.bySlot(slot).key, client);
    this.#options.onWanted(slot);
    this.#scheduleFlush();
  }

  /** Of some instruments that sessions want, those that have to wait for a place on a connection. */
  waiting(slots: Iterable<number>): number[] {
    return this.#coordinator.waiting(slots);
  }

  /** How many instruments that nobody knows to exist the session wants. */
  unprovenOf(client: UnprovenClient): number {
    return this.#coordinator.unprovenOf(client);
  }

  /** Whether something here may still speak of the instrument. */
  knows(slot: number): boolean {
    return this.#coordinator.knows(slot);
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
  provesExistence(connection: number): boolean {
    const opened = this.#open.get(connection);
    return opened !== undefined && provesExistence(opened.spec);
  }

  /** One session less wants it. */
  drop(slot: number, client?: UnprovenClient): void {
    this.#coordinator.drop(slot, client);
    this.#scheduleFlush();
  }

  /** Takes note of a tick; on the tick path. False when it is held back (Coordinator.ticked). */
  onTick(tick: TickRecord): boolean {
    const { connection, slot, i32 } = tick;
    this.#rates.count(connection);
    const seconds = i32[intWord.updateTime]!;
    const timeOfDayMs = seconds < 0 ? -1 : seconds * 1000 + i32[intWord.updateMillisec]!;
    this.#late.tick(slot);
    this.#lastTicks.note(slot, tick.receiveTimeMs);
    const volume = i32[intWord.volume]!;
    this.#race.tick(connection, slot, volume, timeOfDayMs, tick.receiveTimeMs);
    if (!this.#coordinator.awaits(slot)) return true;
    const taken = this.#coordinator.ticked(connection, slot, { volume, timeMs: timeOfDayMs });
    if (!taken) this.#held.hold(tick);
    if (this.#coordinator.hasUnsettled()) this.#scheduleFlush();
    return taken;
  }

  /**
   * Wants the instruments that the configuration always wants, of those that are listed today, and takes those for proven
   * that are listed now. To be called again when the list may have changed.
   */
  followListing(): void {
    this.#coordinator.review();
    this.#always.follow(this.#config.alwaysSubscribe);
    this.#scheduleFlush();
  }

  /** Carries out a plan that leads to `next`. */
  reload(plan: ReloadPlan, next: GatewayConfig): void {
    const before = this.#config;
    this.#config = next;
    this.#open.configure(next);
    const hoursChanged = plan.settings.some((key) => key === 'trading_hours' || key === 'calendar_file');
    if (hoursChanged) this.#late = new LateWatch(hoursOf(next));
    if (hoursChanged || next.silenceTimeout !== before.silenceTimeout) this.#watchSilence();
    if (plan.settings.length > 0) this.#coordinator.configure(this.#coordinatorSettings());
    for (const config of plan.adjusted) this.#open.adjust(config);
    for (const config of plan.added) this.#open.open(config);
    for (const config of plan.reopened) this.#open.replace(config);
    for (const id of plan.removed) this.#open.remove(id);
    // Last, so that nothing is tried again with what this reload has replaced.
    this.#open.retryLogins();
    this.followListing();
  }

  /** Those that are about to be closed too. */
  reports(): ConnectionReport[] {
    return this.#coordinator.status().map((status) => {
      const { config, replaced } = this.#open.get(status.index)!;
      return {
        ...status,
        brokerName: config.brokerName,
        ...this.#rates.of(status.index),
        race: this.#race.take(status.index),
        isReplaced: replaced,
      };
    });
  }

  demand(): CoordinatorCounts {
    return this.#coordinator.demand();
  }

  /** Slots of the instruments that are wanted and were not refused. */
  wanted(): Iterable<number> {
    return this.#coordinator.wanted();
  }

  /** The first of the instruments that wait for a line, and of those that were refused. */
  troubles(): TroubledInstruments {
    return this.#coordinator.troubles(longestInstrumentList);
  }

  /** No connection is opened, moved or closed any more; what is open stays so until `stop`. */
  retire(): void {
    clearInterval(this.#silenceTimer);
    clearInterval(this.#passTimer);
    this.#open.retire();
  }

  /** For the end of the process: nothing comes from the fronts any more (WorkerPool.stop). */
  stop(): void {
    this.retire();
    this.#pool.stop();
  }

  #coordinatorSettings(): CoordinatorSettings {
    const { loadBalanceStrategy, autoFailover, maxRetryCount, unsubscribeGrace } = this.#config;
    const { redundancy, redundantInstruments, limits } = this.#config;
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
      probeShare,
      unproven: {
        perClient: limits.maxUnprovenPerClient,
        perAddress: limits.maxUnprovenPerAddress,
        total: limits.maxUnproven,
      },
      roomSpacingMs,
    };
  }

  #standing(slot: number): Standing {
    const { hasTicked, directory } = this.#options;
    if (hasTicked(slot)) return Standing.ticked;
    return directory.isListed(slot) ? Standing.listed : Standing.conceivable;
  }

  /** Many may follow, and some find another place at once. */
  #noteDisplaced(slot: number): void {
    this.#displaced.add(slot);
    if (this.#displaced.size > 1) return;
    setImmediate(() => {
      const waiting = this.#coordinator.waiting(this.#displaced);
      this.#displaced.clear();
      if (waiting.length > 0) this.#options.onDisplaced(waiting);
    });
  }

  #onEvent(event: WorkerEvent): void {
    switch (event.type) {
      case 'state':
        this.#onState(event);
        break;
      case 'requested':
        this.#coordinator.requested(
          event.connection,
          event.slots.map((tag) => this.#options.directory.slotOf(tag)),
        );
        break;
      case 'refused':
        this.#onRefused(event);
        break;
      case 'closed':
        this.#open.closed(event.connection);
        break;
      case 'log': {
        const id = event.connection === undefined ? undefined : this.#open.get(event.connection)?.spec.id;
        const { level, text } = event;
        const { limitedLog } = this.#options;
        if (id === undefined) limitedLog.write('worker says', level, membersOf(event), text);
        else limitedLog.write(`${id} says`, level, { ...membersOf(event), connection: id }, `${id}: ${text}`);
        break;
      }
      case 'ready':
      case 'answer':
        // Of the worker alone.
        break;
      case 'library': {
        const library = this.#open.get(event.connection)?.spec.library;
        if (library !== undefined) this.#options.onLibrary(library, event.version, event.warning);
        break;
      }
    }
  }

  #onState(event: WorkerEvent & { type: 'state' }): void {
    const opened = this.#open.get(event.connection);
    if (opened === undefined) return;
    const { id } = opened.spec;
    const { limitedLog } = this.#options;
    const isUp = event.state === 'logged_in';
    if (this.#open.noteLogin(opened, isUp)) this.#race.forget(event.connection);
    this.#coordinator.connectionState(event.connection, event.state, event.reason);
    const line = { connection: id, state: event.state };
    if (event.reason !== '')
      limitedLog.write(
        id,
        event.fatal ? 'error' : 'warn',
        marked(event.fatal ? 'connection_given_up' : 'connection_down', line),
        `${id}: ${event.reason}`,
        event.reason.replaceAll(/\d+ times/g, 'times'),
      );
    else limitedLog.write(id, isUp ? 'info' : 'debug', line, `${id}: ${event.state}`);
    if (isUp) this.#open.takePlace(opened);
  }

  #onRefused({ connection, id: instrument, code, text }: WorkerEvent & { type: 'refused' }): void {
    const id = this.#open.get(connection)?.spec.id;
    if (id === undefined) return;
    const slot = this.#options.directory.find(instrument)?.slot;
    // What is only tried out is expected to be refused.
    if (slot === undefined || !this.#coordinator.isTrial(slot))
      this.#options.limitedLog.write(
        `${id} refused`,
        'warn',
        marked('subscription_refused', { connection: id, instrument, code }),
        `${id}: ${instrument} refused: ${text}`,
      );
    if (slot === undefined) return;
    this.#coordinator.subscriptionRefused(connection, slot, code, text);
    this.#scheduleFlush();
  }

  #send({ type, connection, slots }: LineCommand): void {
    const { directory } = this.#options;
    const ids = slots.map((slot) => directory.bySlot(slot).id);
    if (type === 'subscribe')
      this.#pool.send({ type, connection, ids, slots: slots.map((slot) => directory.tagOf(slot)) });
    else this.#pool.send({ type, connection, ids });
  }

  /**
   * Requests of clients within one turn of the event loop become one batch per connection; very many become several.
   */
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
    const samples = [...this.#open.indexes()].map((connection) => ({
      line: connection,
      ticks: this.#rates.ticks(connection),
      expecting: this.#coordinator.instrumentsOf(connection) > 0,
      slots: () => this.#coordinator.slotsOf(connection),
    }));
    const late = this.#late.sample(samples, performance.now(), now);
    this.#rates.pass(passMs, now);
    samples.forEach(({ line }, i) => {
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
      const samples = Array.from({ length: this.#open.count }, (_, connection) => ({
        written: this.#options.source.written(connection),
        expecting: this.#coordinator.instrumentsOf(connection) > 0,
        logins: this.#coordinator.loginsOf(connection),
        instruments: this.#coordinator.instrumentsOf(connection),
        evidence: {
          tickedSince: (sinceMs: number) =>
            this.#lastTicks.countSince(this.#coordinator.slotsOf(connection), sinceMs),
          stale: () => [...this.#coordinator.slotsOf(connection)].filter(this.#options.isStale).length,
          due: () =>
            this.#options.countTrading(
              [...this.#coordinator.slotsOf(connection)].filter((slot) => this.#lastTicks.has(slot)),
            ),
        },
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
