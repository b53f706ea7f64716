import type { BlockList } from 'node:net';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Logger } from 'pino';
import type { GatewayConfig } from '../config/gatewayConfig.js';
import { toAddressSet } from '../config/networkList.js';
import {
  planReload,
  runningAfter,
  summarize,
  withRunningFronts,
  type ReloadSummary,
} from '../config/reload.js';
import { strayConnections } from '../config/simulatedFronts.js';
import { Connections } from '../coordinator/connections.js';
import { InstrumentFinder } from '../coordinator/instrumentFinder.js';
import { HealthLog } from './healthLog.js';
import { healthReport } from './healthReport.js';
import { LibraryLog } from './libraryLog.js';
import { openLibraries } from './vendorLibraries.js';
import { OpenedDays } from './openedDays.js';
import { ExchangeClock } from '../market/quotes/exchangeClock.js';
import { InstrumentDirectory } from '../market/instruments/instrumentDirectory.js';
import { tradingCalendar } from '../market/hours/marketTime.js';
import type { BookCounters } from '../market/quotes/rejections.js';
import { QuoteBook } from '../market/quotes/quoteBook.js';
import { QuoteEncoder } from '../server/socket/quoteEncoder.js';
import { Field } from '../market/quotes/quoteFields.js';
import { SessionBoard } from '../market/sessions/sessionBoard.js';
import { SessionStates } from '../market/hours/sessionStates.js';
import type { TradingCalendar } from '../market/calendar/tradingCalendar.js';
import { RingTickSource } from '../ring/ringTickSource.js';
import { intWord, type TickRecord } from '../ring/tickRecord.js';
import { limitsThatFit } from './limitsThatFit.js';
import { LimitedLog } from '../log/limitedLog.js';
import { TickTrace } from '../profile/tickTrace.js';
import { ManagementServer, managementSocketPath } from '../server/managementServer.js';
import { MarketServer } from '../server/marketServer.js';
import { NotReadyError } from '../server/http/reloadRoute.js';
import type { HealthReport } from '../server/http/health.js';
import { publicStatus } from '../server/http/publicStatus.js';
import type { StatusReport } from '../server/http/status.js';
import { loggedReload } from './reloadLog.js';
import { Snapshots } from './snapshotSource.js';
import { Intervals } from '../base/intervals.js';
import { SimulatorSupervisor } from '../simulator/supervisor.js';
import { SlotKeeper } from './slotKeeper.js';
import { statusReport } from './statusReport.js';
import type { StoredQuote } from '../storage/quotes/quoteScan.js';
import { Sinks } from '../sinks/sinks.js';
import { marked } from '../base/logEvents.js';

/** Fronts wait for the quotes of an earlier run for this long. */
const restoreMs = 2000;

/** Between two looks at which instruments tick. */
const sessionSampleMs = 1_000;
/** Between two looks for slots that are of no use any more, and how many are looked at. */
const slotSweepMs = 1_000;
const slotsPerSweep = 4_096;

/** Slots beyond it are not given out, so that no client can make the process grow without end. */
const maxInstruments = 65_536;

/**
 * One process of the gateway: builds the parts, joins them, and takes them down in order.
 *
 *   rings → tick source → quote book → server → clients
 *   clients → server → coordinator → workers → fronts
 */
export class Gateway {
  #config: GatewayConfig;
  readonly #loadAgain: () => GatewayConfig;
  readonly #log: Logger;
  /** For what fronts and clients can cause at any rate. */
  readonly #limitedLog: LimitedLog;
  readonly #libraryLog: LibraryLog;
  readonly #directory: InstrumentDirectory;
  readonly #clock: ExchangeClock;
  readonly #book: QuoteBook;
  readonly #source = new RingTickSource();
  readonly #connections: Connections;
  readonly #finder: InstrumentFinder;
  readonly #slotKeeper: SlotKeeper;
  readonly #sinks: Sinks;
  readonly #startedAt = performance.now();
  /** Follows ticks while somebody asks for it at the profile socket. */
  readonly trace = new TickTrace((slot) => this.#directory.nameOf(slot));
  readonly #sessions: SessionBoard;
  #trustedProxies: BlockList;
  readonly #openedDays: OpenedDays;
  #server: MarketServer | undefined;
  #management: ManagementServer | undefined;
  #simulator: SimulatorSupervisor | undefined;
  readonly #snapshots: Snapshots;
  readonly #intervals = new Intervals();
  #connecting = false;
  #missedLogged = 0;
  /** The list by which clients' patterns were last checked. */
  #listed: unknown;
  readonly #healthLog: HealthLog;

  /**
   * @param loadAgain reloads the configuration, from where this one came
   */
  constructor(config: GatewayConfig, loadAgain: () => GatewayConfig, log: Logger) {
    this.#config = config;
    this.#trustedProxies = toAddressSet(config.trustedProxies);
    this.#loadAgain = loadAgain;
    this.#log = log;
    this.#limitedLog = new LimitedLog(log);
    this.#libraryLog = new LibraryLog(log);
    this.#healthLog = new HealthLog(log);
    const listingCalendar = tradingCalendar(config, () => undefined);
    this.#directory = new InstrumentDirectory({
      products: config.products,
      maxInstruments,
      calendar: listingCalendar,
    });
    this.#directory.setImported(config.importedInstruments);
    const calendar = this.#calendar(config);
    this.#clock = new ExchangeClock(calendar, config.tradingHours === 'always');
    this.#book = new QuoteBook(
      this.#directory,
      this.#clock,
      new SessionStates(config.tradingHours, calendar),
    );
    this.#snapshots = new Snapshots({
      book: this.#book,
      onSettled: (slot) => this.#server?.onSettled(slot),
      onSettledEnd: () => this.#server?.onBatchEnd(),
    });
    this.#connections = new Connections({
      config,
      log,
      limitedLog: this.#limitedLog,
      directory: this.#directory,
      source: this.#source,
      onHeldTicks: (ticks) => this.#takeHeld(ticks),
      onCarried: (slot, lines) => this.#snapshots.carried(slot, lines),
      onLineGone: (slot, connection) => this.#book.lineGone(slot, connection),
      isStale: (slot) => this.#sessions.isStale(slot),
      countTrading: (slots) => this.#sessions.countTrading(slots, Date.now()),
      onWanted: (slot) => this.#finder.wanted(slot),
      onLibrary: (library, version, warning) => this.#libraryLog.loaded(library, version, warning),
      onRefused: (slot, code, text) => this.#server?.onInstrumentRefused(slot, code, text),
      onServed: (slot) => this.#server?.onInstrumentServed(slot),
      onDisplaced: (slots) => this.#server?.onInstrumentsDisplaced(slots),
      hasTicked: (slot) => this.#book.version(slot) > 0,
    });
    this.#finder = new InstrumentFinder({
      enabled: config.discoverInstruments,
      file: config.instrumentsFile || join(config.flowPath, 'instruments.json'),
      products: config.products,
      calendar: listingCalendar,
      directory: this.#directory,
      connections: this.#connections,
      log,
      onListing: () => this.#followListing(),
    });
    this.#sessions = new SessionBoard(config.tradingHours, calendar, {
      products: config.products,
      bySlot: (slot) => this.#directory.bySlot(slot),
      subscribed: () => this.#connections.wanted(),
      book: this.#book,
    });
    this.#slotKeeper = new SlotKeeper({
      directory: this.#directory,
      isInUse: (slot) => this.#book.version(slot) > 0 || this.#connections.knows(slot),
      onFreed: (slot) => {
        this.#book.forget(slot);
        this.#sessions.forget(slot);
      },
      log,
    });
    this.#openedDays = new OpenedDays(calendar, this.#book, this.#directory, log);
    this.#sinks = new Sinks({
      config,
      book: this.#book,
      keyOf: (slot) => this.#directory.bySlot(slot).key,
      onQuotes: (quotes) => this.#restore(quotes),
      log,
    });
  }

  /**
   * Starts every part; returns early, with what has been started, when `shutdown` is aborted.
   *
   * @throws with one line for the user: port in use, library unusable, simulated fronts that do not start
   */
  async start(shutdown: AbortSignal): Promise<void> {
    const config = this.#config;
    const enabled = config.connections.filter((each) => each.enabled);
    await openLibraries(enabled, this.#libraryLog, this.#log, shutdown);

    const { history } = this.#sinks;
    this.#server = new MarketServer({
      host: config.websocketHost,
      port: config.websocketPort,
      limits: limitsThatFit(config, this.#log),
      directory: this.#directory,
      book: this.#book,
      encoder: new QuoteEncoder(this.#book, this.#directory),
      snapshots: this.#snapshots,
      demand: this.#connections,
      health: () => this.health(),
      sessions: {
        products: config.products,
        report: (filter) => this.#sessions.report(filter, Date.now()),
      },
      history:
        history === undefined
          ? undefined
          : {
              keyOf: (requested) => this.#directory.keyOf(requested),
              adviseUnknown: (requested) =>
                this.#directory.adviseUnknown(requested, (slot) =>
                  this.#book.value(slot, Field.openInterest),
                ),
              run: (query, receiver, address) => history.run(query, receiver, address),
            },
      status: () => publicStatus(this.status()),
      statusIsPublic: () => this.#config.publicStatus,
      trustedProxies: () => this.#trustedProxies,
      ticksWait: () => this.#source.isBehind,
      takeTicks: () => this.#source.takeWaiting(),
      logger: this.#log,
      limitedLog: this.#limitedLog,
    });
    const port = await this.#server.listen();
    this.#management = await ManagementServer.open({
      pages: this.#server.pages,
      status: () => this.status(),
      reload: () =>
        new Promise((resolve) => resolve(loggedReload(this.#log, 'POST /api/reload', () => this.reload()))),
      socket: managementSocketPath(config, port, process.env),
      port: config.managementPort,
      logger: this.#log,
    });
    this.#log.info({ host: config.websocketHost, port }, 'listening');
    this.#sinks.start();
    this.#source.start({ onTick: this.#onTick, onBatchEnd: this.#onBatchEnd });

    if (config.simulator !== undefined && !shutdown.aborted) {
      this.#simulator = new SimulatorSupervisor(
        { ...config.simulator, productsFile: config.productsFile },
        this.#log,
      );
      await this.#simulator.start(shutdown);
    }
    if (!shutdown.aborted) await this.#sinks.restore(restoreMs);
    if (shutdown.aborted) return;
    this.#connections.start();
    this.#finder.start();
    this.#connecting = true;
    this.#startIntervals();
  }

  /**
   * Takes everything down in order, at any moment after construction: no new clients, sessions silent, last ticks sent,
   * clients told, fronts ended. Vendor libraries are not waited for, nor asked for anything: the process is to be ended by
   * endProcess. Returns what did not end within the deadline.
   */
  async stop(): Promise<string[]> {
    const deadline = Date.now() + this.#config.shutdownDeadline * 1000;
    const left = (): number => Math.max(100, deadline - Date.now());
    // A signal to the whole group ends the simulated fronts at once, which must not start them again.
    this.#simulator?.retire();
    this.#connecting = false;
    this.#intervals.stop();
    this.#snapshots.stop();
    const found = this.#finder.stop();
    this.#connections.retire();
    // Before the port is free: the gateway that takes it next finds no socket that answers.
    const managed = this.#management?.close();
    this.#server?.stopAccepting();
    this.#connections.stop();
    this.#source.drain();
    this.#source.stop();
    await this.#server?.close(left());
    const hung = await this.#sinks.stop(left());
    await found;
    await managed;
    this.#limitedLog.close();
    await this.#simulator?.stop();
    return hung;
  }

  /**
   * Reads the configuration again and carries out what has changed, as far as a running gateway can.
   *
   * @throws ConfigError when anything in it is wrong, and then nothing has changed; NotReadyError while the
   *   gateway starts or stops
   */
  reload(): ReloadSummary {
    if (!this.#connecting)
      throw new NotReadyError('the gateway is starting or stopping and takes no new configuration');
    const next = withRunningFronts(this.#config, this.#loadAgain());
    const plan = planReload(this.#config, next);
    const config = runningAfter(this.#config, next);
    this.#config = config;
    this.#trustedProxies = toAddressSet(config.trustedProxies);
    this.#warnOfStray(config, next);
    if (plan.settings.some((key) => key === 'trading_hours' || key === 'calendar_file')) {
      this.#openedDays.forget();
      this.#useMarketTime(config);
    }
    this.#log.level = config.logLevel;
    if (plan.settings.includes('import_instruments')) this.#directory.setImported(config.importedInstruments);
    this.#connections.reload(plan, config);
    this.#followListing();
    this.#finder.configure(config.discoverInstruments);
    this.#startIntervals();
    return summarize(plan, next);
  }

  #lookAtSessions(): void {
    if (this.#openedDays.openDue(this.#config.holidays.path)) this.#useMarketTime(this.#config);
    this.#sessions.sample(performance.now(), Date.now());
  }

  /** Takes over the trading days and hours of a configuration. */
  #useMarketTime(stated: GatewayConfig): void {
    const config = this.#openedDays.applyTo(stated);
    const calendar = this.#calendar(config);
    this.#clock.configure(calendar, config.tradingHours === 'always');
    this.#directory.setCalendar(tradingCalendar(config, () => undefined));
    this.#book.useSessions(new SessionStates(config.tradingHours, calendar));
    this.#sessions.configure(config.tradingHours, calendar);
    this.#openedDays.useCalendar(calendar);
    this.#sinks.useCalendar(config);
  }

  /** Body of GET /health. */
  health(): HealthReport {
    return healthReport({
      connections: this.#connections.reports(),
      demand: this.#connections.demand(),
      sinks: this.#sinks.health(),
      stale: this.#sessions.stale,
      slots: this.#directory.slots,
      offSession: this.#openedDays.status(),
      ticks: this.#tickCounters(),
    });
  }

  /** Body of GET /api/status for management. */
  status(): StatusReport {
    const { waiting, failed } = this.#connections.troubles();
    return statusReport({
      redis: this.#sinks.health().reports.redis,
      status: this.health().status,
      uptimeMs: performance.now() - this.#startedAt,
      config: this.#config,
      demand: this.#connections.demand(),
      waiting: waiting.map((slot) => this.#directory.bySlot(slot).id),
      failed: failed.map(({ slot, code, text }) => ({ id: this.#directory.bySlot(slot).id, code, text })),
      connections: this.#connections.reports(),
    });
  }

  #calendar(config: GatewayConfig): TradingCalendar {
    return tradingCalendar(config, (text) =>
      setImmediate(() => this.#log.warn(marked('config_warning'), text)),
    );
  }

  /** The configuration was checked against the fronts that it names, and others run. */
  #warnOfStray({ simulator, connections }: GatewayConfig, next: GatewayConfig): void {
    if (simulator === undefined || isDeepStrictEqual(simulator, next.simulator)) return;
    const stray = strayConnections(simulator, connections);
    if (stray !== undefined) this.#log.warn(marked('config_warning'), stray);
  }

  readonly #onTick = (tick: TickRecord): void => {
    const slot = this.#directory.slotOf(tick.slot);
    // Under way while its instrument was given up, and the slot is another one's now, or nobody's.
    if (slot < 0) return;
    tick.i32[intWord.slot] = slot;
    this.trace.taken(tick);
    if (this.#connections.onTick(tick)) this.#take(tick);
  };

  /** Shows and keeps what the tick brings that is new. */
  #take(tick: TickRecord): void {
    if (!this.#book.apply(tick)) {
      if (this.#book.rejection === 'duplicate') this.#snapshots.ticked(tick.slot);
      if (this.#book.rejection === 'off_session') this.#openedDays.note(tick);
      this.#showRejected(tick);
      return;
    }
    this.trace.applied(tick);
    this.#server!.onTick(tick.slot);
    this.#snapshots.ticked(tick.slot);
    this.trace.published(tick);
    this.#finder.onTick(tick.slot, tick.connection);
    if (this.#book.isProvisional(tick.slot)) this.#openedDays.note(tick);
    else this.#sinks.onTick(tick);
  }

  #showRejected(tick: TickRecord): void {
    if (!this.#server!.showsRejected(tick.slot)) return;
    this.#book.readRejected(tick);
    this.#server!.onRejected(tick.slot);
  }

  #takeHeld(ticks: readonly TickRecord[]): void {
    for (const tick of ticks) this.#take(tick);
    this.#server!.onBatchEnd();
    this.#sinks.onBatchEnd();
  }

  /** Shows clients the states of an earlier run until there are newer ones. */
  #restore(quotes: readonly StoredQuote[]): void {
    for (const { key, row, flags } of quotes) {
      const instrument = this.#directory.resolve(key);
      if (instrument !== undefined && this.#book.restore(instrument.slot, row, flags))
        this.#server?.onTick(instrument.slot);
    }
    this.#server?.onBatchEnd();
  }

  readonly #onBatchEnd = (): void => {
    this.trace.batchEnd();
    this.#server?.onBatchEnd();
    this.#sinks.onBatchEnd();
  };

  #startIntervals(): void {
    const { healthCheckInterval, maintenanceInterval } = this.#config;
    this.#intervals.start([
      { everyMs: slotSweepMs, run: () => this.#slotKeeper.sweep(slotsPerSweep) },
      { everyMs: sessionSampleMs, run: () => this.#lookAtSessions() },
      {
        everyMs: healthCheckInterval * 1000,
        run: () => this.#healthLog.note(this.health(), this.#connections.demand()),
      },
      { everyMs: maintenanceInterval * 1000, run: () => this.#maintain() },
    ]);
  }

  #tickCounters(): BookCounters & { missed: number } {
    return { ...this.#book.counters, missed: this.#source.missed };
  }

  /** A new list: where all of a kind are wanted, by the configuration or by clients, so is what is new on it. */
  #followListing(): void {
    const listed = this.#directory.listed();
    if (listed === this.#listed) return;
    this.#listed = listed;
    this.#connections.followListing();
    this.#server?.onListing();
  }

  /** Periodic work: logs counters, and subscribes a new day's contracts where all of a kind are wanted. */
  #maintain(): void {
    this.#followListing();
    const ticks = this.#tickCounters();
    const instruments = this.#connections.demand();
    this.#log.debug({ instruments, ticks, clients: this.#server?.counters }, 'counters');
    if (ticks.missed > this.#missedLogged) {
      this.#log.warn(
        marked('ticks_missed'),
        `${ticks.missed - this.#missedLogged} ticks were lost: the main thread read too slowly`,
      );
      this.#missedLogged = ticks.missed;
    }
  }
}
