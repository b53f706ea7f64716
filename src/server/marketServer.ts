import { BlockList } from 'node:net';
import type { Logger } from 'pino';
import { AidBoard } from './socket/aidBoard.js';
import { Announcements } from './socket/announcements.js';
import { defaultBackpressure, dropBytes, type BackpressureLimits } from './socket/backpressure.js';
import { canonicalAddress, isTrusted, requestAddress } from './shared/clientAddress.js';
import { ClientSocket } from './socket/clientSocket.js';
import { CongestionWatch } from './socket/congestionWatch.js';
import { FrameHandler } from './socket/frameHandler.js';
import { errorFrame, firstFrame } from './socket/frames.js';
import { Heartbeats } from './socket/heartbeats.js';
import type { HealthReport, ServerCounters } from './http/health.js';
import { accountKey } from './fairness/addressAccounts.js';
import { Admission } from './fairness/admission.js';
import { DescriptorRelief } from './fairness/descriptorRelief.js';
import { DescriptorWatch, isOutOfDescriptors } from './fairness/descriptorWatch.js';
import type { RequestParts, Work } from './fairness/clientRequests.js';
import { KeptBytes } from './fairness/keptBytes.js';
import { SocketTable } from './fairness/socketTable.js';
import { UnfinishedWatch } from './fairness/unfinishedWatch.js';
import { WorkQueue } from './fairness/workQueue.js';
import type { TickHistory } from './http/historyRoute.js';
import { installHttpRoutes } from './http/httpRoutes.js';
import type { InstrumentDemand } from './socket/clientDemand.js';
import { controlFrameBurst, controlFramesPerSecond, type ServerLimits } from './socket/limits.js';
import { whyNotListening } from './uws/listenFailure.js';
import type { ServedInstrument, ServedMarket } from './shared/servedMarket.js';
import type { PublicStatus } from './http/publicStatus.js';
import { PushBoard } from './socket/pushBoard.js';
import { ClientSession } from './socket/clientSession.js';
import { ActionSubscriptions } from './socket/actionSubscriptions.js';
import type { SessionsSource } from './http/sessionsPage.js';
import { statusPages, type StatusPages } from './http/statusPages.js';
import { SymbolQueries } from './symbols/symbolQueries.js';
import { SymbolsPages } from './http/symbolsPage.js';
import { socketPaths } from './shared/socketPaths.js';
import { guarded } from './http/response.js';
import { upgrade, type Connected } from './socket/upgrade.js';
import type { LimitedLog } from '../log/limitedLog.js';
import { loadUws } from './uws/uws.js';
import { WaitingBoard } from './socket/waitingBoard.js';
import type { Uws, UwsApp, UwsBehavior, UwsSocket } from './uws/uwsApi.js';
import { marked } from '../base/logEvents.js';

export interface MarketServerParts extends ServedMarket {
  /** Address to listen on, such as 0.0.0.0. */
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  readonly limits: ServerLimits;
  readonly demand: InstrumentDemand;
  health(): HealthReport;
  readonly sessions?: SessionsSource;
  /** Stored ticks; undefined where none are kept. */
  readonly history?: TickHistory | undefined;
  /** Whether ticks wait to be taken in, so that clients' requests have to give way; never by default. */
  readonly ticksWait?: () => boolean;
  /** Takes in the ticks that wait; absent where there are none. Called between clients, never from within a tick. */
  readonly takeTicks?: () => void;
  /** GET /api/status; absent where there is none. */
  readonly status?: () => PublicStatus;
  /** Whether everybody may read /health and /api/status; so it is where this is absent. */
  readonly statusIsPublic?: () => boolean;
  /** Proxies that may say whom they speak for; none where this is absent. */
  readonly trustedProxies?: () => BlockList;
  readonly logger: Logger;
  /** For what clients can cause at any rate. */
  readonly limitedLog: LimitedLog;
  readonly backpressure?: Partial<BackpressureLimits>;
}

/** s without a byte from the client, pongs included. */
const idleTimeoutSeconds = 120;
/**
 * Sockets of each side that are written to in one turn of the event loop. A write takes some µs, so this bounds how long
 * ticks that come meanwhile have to wait, in their rings, for the writes of others.
 */
const writesPerTurn = 48;
/** uWebSockets cuts off without a word above its limit, so that one is higher: frames in between get an error. */
const frameLimitFactor = 2;
const noProxies = new BlockList();
/**
 * Service restart. TqSdk for Python takes 1000 and 1001 for an end that was agreed on: it connects again and never sends its
 * subscriptions.
 */
const restartCode = 1012;
/** ms that clients get to answer the close frame, so that their own last words do not reset the connection. */
const closeGraceMs = 200;
/**
 * ms of one turn of the event loop after which ticks are taken in before the next client is served: thousands of sockets
 * may have something to be read, and all of it belongs to one turn.
 */
const ticksAfterMs = 1;
/**
 * What the kernel may keep for a client before it is read, in bytes. All that is there is read in one go, and so for each
 * client in turn: with the kernel's own limits, of megabytes, ticks would wait for hundreds of them.
 */
const receiveBufferBytes = 16_384;
/** ms until another try to open the port that was closed for want of descriptors. */
const listenAgainMs = 1000;
/** ms between two looks at what clients have still to read when the server closes. */
const closeCheckMs = 20;

/** The WebSocket and HTTP endpoint. */
export class MarketServer {
  /** Pages about the server and the market, for other servers that serve them too. */
  readonly pages: StatusPages;
  readonly #options: MarketServerParts;
  readonly #uws: Uws;
  readonly #app: UwsApp;
  readonly #aid: AidBoard;
  readonly #push: PushBoard;
  readonly #watch: CongestionWatch;
  readonly #waiting = new WaitingBoard();
  readonly #announcements: Announcements<ClientSession>;
  readonly #actions: ActionSubscriptions;
  readonly #heartbeats: Heartbeats;
  readonly #frames: FrameHandler;
  readonly #admission: Admission;
  readonly #work: WorkQueue;
  readonly #kept: KeptBytes<ClientSession>;
  readonly #descriptors: DescriptorWatch;
  readonly #relief: DescriptorRelief;
  readonly #unfinished: UnfinishedWatch;
  readonly #sockets = new SocketTable();
  readonly #sessions = new Set<ClientSession>();
  #nextId = 1;
  #sentFrames = 0;
  /** Clients that were closed because they asked for more than their share, or made the gateway keep too much. */
  #closedOverLimit = 0;
  #port = 0;
  #listenSocket: unknown;
  #accepting = true;
  #closed: Promise<void> | undefined;
  /** When ticks were last taken in between clients. */
  #ticksTakenMs = 0;
  /** The next turn that writes to sockets. */
  #turn: NodeJS.Immediate | undefined;

  /** Throws an Error of one line on machines that uWebSockets.js does not run on. */
  constructor(options: MarketServerParts) {
    const { logger, limits, directory } = options;
    this.#options = options;
    this.#uws = loadUws();
    const app = this.#uws.App();
    this.#app = app;
    const backpressure = { ...defaultBackpressure, ...options.backpressure };
    this.#watch = new CongestionWatch(backpressure, logger);
    this.#aid = new AidBoard(options, backpressure, this.#watch, () => this.#writeLater());
    this.#push = new PushBoard(options, backpressure, this.#watch, limits.viewWork);
    this.#actions = new ActionSubscriptions({
      directory,
      book: options.book,
      push: this.#push,
      waiting: this.#waiting,
      limits,
    });
    this.#heartbeats = new Heartbeats(backpressure.holdBytes);
    this.#admission = new Admission(limits);
    this.#kept = new KeptBytes(limits.maxKeptBytes, (session, bytes) => {
      const message = `all clients together make the gateway keep too much, and this one the most, ${bytes} bytes`;
      this.#closeOverLimit(session, 'too_much_kept', message);
    });
    this.#work = new WorkQueue(options.ticksWait ?? (() => false), () => this.#takeTicks());
    this.#relief = new DescriptorRelief({
      sockets: this.#sockets,
      port: () => this.#port,
      isProxy: (address) => isTrusted(canonicalAddress(address) ?? address, this.#trustedProxies()),
      limitedLog: options.limitedLog,
    });
    this.#descriptors = new DescriptorWatch({
      relieve: (connections) => this.#relief.relieve(connections),
      pause: () => this.#stopListening(),
      resume: () => this.#listenAgain(),
      limitedLog: options.limitedLog,
    });
    this.#unfinished = new UnfinishedWatch({
      sockets: this.#sockets,
      limitBytes: limits.maxUnfinishedBytes,
      mostBytes: limits.maxFrameBytes * frameLimitFactor,
      port: () => this.#port,
      handled: () => Array.from(this.#sessions, ({ received }) => received),
      logger,
    });
    this.#frames = new FrameHandler({
      directory,
      book: options.book,
      queries: new SymbolQueries(() => directory.symbolInfo()),
      aid: this.#aid,
      actions: this.#actions,
      heartbeats: this.#heartbeats,
      limits,
      logger,
      limitedLog: options.limitedLog,
    });
    this.#announcements = new Announcements({
      queue: this.#work,
      sessions: this.#sessions,
      refused: (session, instrument, reason) => this.#frames.instrumentRefused(session, instrument, reason),
      displaced: (session, instrument) => this.#tellDisplaced(session, instrument),
    });
    this.#installWebSocket();
    this.pages = statusPages({
      health: () => options.health(),
      counters: () => this.counters,
      accepting: () => this.#accepting,
      sessions: options.sessions,
    });
    installHttpRoutes(app, {
      pages: this.pages,
      status: options.status,
      statusIsPublic: () => options.statusIsPublic?.() ?? true,
      trustedProxies: () => this.#trustedProxies(),
      symbols: new SymbolsPages(() => directory.symbolsFile()),
      history: options.history,
      admission: this.#admission,
      takeTicks: () => this.#takeTicks(),
      logger,
    });
  }

  get counters(): ServerCounters {
    return {
      activeSessions: this.#sessions.size,
      totalMessages: this.#sentFrames + this.#push.delivered,
      badFrames: this.#frames.badFrames,
      refusedClients: this.#admission.refusedClients,
      laggedClients: this.#push.lagged,
      cutOffClients: this.#watch.cutOff,
      refusedOrigins: this.#admission.refusedOrigins,
      refusedRequests: this.#admission.refusedRequests,
      delayedClients: this.#work.delayed,
      closedOverLimit: this.#closedOverLimit,
      keptBytes: this.#kept.total,
      cutUnfinished: this.#unfinished.cut,
      acceptPauses: this.#descriptors.pauses,
      cutConnections: this.#relief.cut,
      skippedViews: this.#push.skippedViews,
    };
  }

  /** Starts to accept clients; the port. Throws an Error that names host and port when it cannot. */
  async listen(): Promise<number> {
    const { host, port } = this.#options;
    if (!this.#listenOn(port))
      throw new Error(`cannot listen on ${host}:${port}: ${await whyNotListening(host, port)}`);
    this.#port = this.#uws.us_socket_local_port(this.#listenSocket);
    return this.#port;
  }

  /** To be called after every tick that the book took in. */
  onTick(slot: number): void {
    this.#push.tick(slot);
    this.#aid.mark(slot);
    this.#writeLater();
  }

  /** Whether somebody wants to see the instrument's ticks that the book skips. */
  showsRejected(slot: number): boolean {
    return this.#push.showsRejected(slot);
  }

  /** To be called after a tick that the book has skipped, where `showsLeftOut`. */
  onRejected(slot: number): void {
    this.#push.rejected(slot);
    this.#writeLater();
  }

  /** An instrument's state that was kept back (SnapshotSource) is to be shown as it is now. */
  onSettled(slot: number): void {
    this.#push.settled(slot);
    this.#aid.mark(slot);
    this.#writeLater();
  }

  /** To be called when the ticks that had come are all in the book: what they changed is written. */
  onBatchEnd(): void {
    clearImmediate(this.#turn);
    this.#write(writesPerTurn);
  }

  /** The list may have changed: new instruments join the patterns that clients have subscribed. */
  onListing(): void {
    for (const session of this.#sessions) if (session.patterns !== undefined) session.requests.relist();
  }

  /** The front refused an instrument with the vendor's error id and text. */
  onInstrumentRefused(slot: number, code: number, text: string): void {
    this.#announcements.refuse(this.#options.directory.bySlot(slot), `${text} (${code})`);
  }

  /** A connection carries the instrument: those who know that it waits are told. */
  onInstrumentServed(slot: number): void {
    this.#announcements.serve(slot);
    this.#waiting.served(slot);
  }

  /** The instruments have lost their places on connections to others. */
  onInstrumentsDisplaced(slots: readonly number[]): void {
    this.#announcements.displace(slots.map((slot) => this.#options.directory.bySlot(slot)));
  }

  /** Turns /readyz to 503 and lets no further client in; those who are in are served on. */
  stopAccepting(): void {
    if (!this.#accepting) return;
    this.#accepting = false;
    this.#descriptors.stop();
    this.#unfinished.stop();
    this.#stopListening();
  }

  /**
   * Stops accepting, sends what there is to send, closes every client with 1012 and gives each until the deadline, in ms
   * from now, to read it. Safe to call again.
   */
  close(deadlineMs: number): Promise<void> {
    this.#closed ??= this.#close(performance.now() + deadlineMs);
    return this.#closed;
  }

  async #close(deadline: number): Promise<void> {
    this.stopAccepting();
    const hasClients = this.#sessions.size > 0;
    this.#announcements.finish();
    this.#write(Infinity);
    for (;;) {
      const isLate = performance.now() >= deadline - closeGraceMs;
      for (const { socket } of this.#sessions)
        if (isLate || socket.buffered === 0) socket.end(restartCode, 'the gateway is stopping');
      if (this.#sessions.size === 0) break;
      await pause(closeCheckMs);
    }
    if (hasClients) await pause(Math.min(closeGraceMs, Math.max(0, deadline - performance.now())));
    this.#watch.stop();
    this.#work.stop();
    this.#push.stop();
    clearImmediate(this.#turn);
    this.#app.close();
  }

  #trustedProxies(): BlockList {
    return this.#options.trustedProxies?.() ?? noProxies;
  }

  #listenOn(port: number): boolean {
    this.#app.listen(this.#options.host, port, this.#uws.LIBUS_LISTEN_EXCLUSIVE_PORT, (listenSocket) => {
      this.#listenSocket = listenSocket === false ? undefined : listenSocket;
    });
    if (this.#listenSocket === undefined) return false;
    this.#boundReceiving(this.#uws.us_socket_local_port(this.#listenSocket));
    return true;
  }

  #boundReceiving(port: number): void {
    try {
      this.#sockets.boundReceiving(port, receiveBufferBytes);
    } catch (error) {
      if (!isOutOfDescriptors(error)) throw error;
      this.#options.logger.warn(
        marked('receive_unbounded'),
        `no descriptor is left to bound what the kernel keeps for clients on port ${port}`,
      );
    }
  }

  #stopListening(): void {
    if (this.#listenSocket !== undefined) this.#uws.us_listen_socket_close(this.#listenSocket);
    this.#listenSocket = undefined;
  }

  #listenAgain(): void {
    if (!this.#accepting || this.#listenSocket !== undefined) return;
    if (this.#listenOn(this.#port)) return;
    this.#options.logger.error(
      marked('port_closed', { port: this.#port }),
      'the port cannot be opened again; another try follows',
    );
    setTimeout(() => this.#listenAgain(), listenAgainMs).unref();
  }

  /** Writes to so many clients of either side, and has a later turn continue with the others. */
  #write(clients: number): void {
    this.#turn = undefined;
    this.#push.write(clients);
    this.#aid.answer(clients);
    if (this.#push.waiting + this.#aid.waiting > 0) this.#writeLater();
  }

  #writeLater(): void {
    this.#turn ??= setImmediate(() => this.#write(writesPerTurn));
  }

  #installWebSocket(): void {
    const { limits } = this.#options;
    const behavior: UwsBehavior<Connected> = {
      maxPayloadLength: limits.maxFrameBytes * frameLimitFactor,
      idleTimeout: idleTimeoutSeconds,
      sendPingsAutomatically: true,
      maxBackpressure: dropBytes,
      compression: this.#uws.DISABLED,
      upgrade: (res, req, context) => {
        this.#takeTicks();
        guarded(res, this.#options.logger, () =>
          upgrade(res, req, context, {
            admission: this.#admission,
            accepting: () => this.#accepting,
            clients: () => this.#sessions.size,
            addressOf: (response, request) => requestAddress(response, request, this.#trustedProxies()),
            keyOf: accountKey,
          }),
        );
      },
      open: (ws) => {
        this.#takeTicks();
        this.#open(ws);
      },
      message: (ws, frame, isBinary) => {
        this.#takeTicks();
        const { session } = ws.getUserData();
        if (session !== undefined) this.#receive(session, frame, isBinary);
      },
      ping: (ws, payload) => {
        this.#takeTicks();
        this.#takeControlFrame(ws, payload);
      },
      pong: (ws, payload) => {
        this.#takeTicks();
        this.#takeControlFrame(ws, payload);
      },
      drain: (ws) => {
        this.#takeTicks();
        const { session } = ws.getUserData();
        if (session !== undefined) this.#drained(session);
      },
      close: (ws, code, reason) => {
        const { session } = ws.getUserData();
        if (session !== undefined) this.#leave(session, code, Buffer.from(reason).toString('utf8'));
      },
    };
    for (const path of socketPaths) this.#app.ws(path, behavior);
  }

  /** Pings are answered by uWebSockets.js, so a client that sends many makes work that no other bound covers. */
  #takeControlFrame(ws: UwsSocket<Connected>, payload: ArrayBuffer): void {
    const { session } = ws.getUserData();
    if (session === undefined) return;
    session.received += frameBytes(payload.byteLength);
    if (!session.controlFrames.tryTake(1, performance.now()))
      this.#closeOverLimit(
        session,
        'too_many_pings',
        `more than ${controlFrameBurst} pings and pongs at once, and ${controlFramesPerSecond} each second`,
      );
  }

  #takeTicks(): void {
    const now = performance.now();
    if (now - this.#ticksTakenMs < ticksAfterMs) return;
    this.#options.takeTicks?.();
    this.#ticksTakenMs = performance.now();
  }

  #receive(session: ClientSession, frame: ArrayBuffer, isBinary: boolean): void {
    const { requests, aid } = session;
    session.received += frameBytes(frame.byteLength);
    // A peek that is due belongs to the delivery of ticks: it is no request that others could be harmed by.
    const isDue = !aid.peekPending && !aid.hasPatches && !requests.isQueued;
    if (isDue && !isBinary && isPeek(frame)) this.#aid.peek(aid);
    else requests.receive(frame, isBinary);
  }

  #open(ws: UwsSocket<Connected>): void {
    const connected = ws.getUserData();
    const socket = new ClientSocket(ws, this.#nextId++, connected.address, {
      sent: () => {
        this.#sentFrames++;
      },
      backedUp: (backedUp, frameChars, dropped) => {
        this.#watch.backedUp(backedUp, frameChars, dropped);
      },
    });
    const { demand, limits } = this.#options;
    const session = new ClientSession({
      socket,
      demand,
      maxBadFrames: limits.maxBadFrames,
      account: connected.account,
      aidLane: this.#aid.laneOf(connected.account),
      pushLane: this.#push.laneOf(connected.account),
      kept: this.#kept,
      requests: (of) => this.#requestParts(of),
    });
    connected.session = session;
    this.#sessions.add(session);
    this.#options.logger.debug({ session: socket.id, address: socket.address }, 'client connected');
    if (connected.wantsFirstFrame) socket.send(firstFrame);
  }

  #requestParts(session: ClientSession): RequestParts {
    return {
      queue: this.#work,
      limits: this.#options.limits,
      handle: (frame, isBinary) => this.#frames.handle(session, frame, isBinary),
      relist: () => this.#relist(session),
      sendSnapshots: () => this.#push.sendSnapshots(session.push),
      stepped: () => session.demand.commit(),
      failed: (error) => this.#frames.failed(session, error),
      delayed: () => this.#logDelay(session),
      overrun: () => {
        this.#closeOverLimit(session, 'too_many_waiting', 'requests arrive faster than they can be answered');
      },
      held: (bytes) => this.#kept.set(session, 'frames', bytes),
    };
  }

  #tellDisplaced(session: ClientSession, { id, key, slot }: ServedInstrument): void {
    for (const name of [id, key])
      if (session.push.subscriptions.get(name)?.channel.slot === slot)
        this.#waiting.displaced(session, name, slot);
  }

  *#relist(session: ClientSession): Work {
    yield* this.#actions.relist(session);
    session.requests.sendSnapshots();
  }

  #logDelay({ socket }: ClientSession): void {
    this.#options.limitedLog.write(
      `delayed ${socket.address}`,
      'info',
      { session: socket.id, address: socket.address },
      `client ${socket.id} at ${socket.address} asks for more than its share: its requests wait`,
      'delayed',
    );
  }

  #closeOverLimit(session: ClientSession, code: OverLimitCode, message: string): void {
    const { socket } = session;
    if (socket.closed) return;
    this.#closedOverLimit++;
    this.#options.limitedLog.write(
      `over-limit ${socket.address}`,
      'warn',
      marked('client_closed', { session: socket.id, address: socket.address, code }),
      `client ${socket.id} at ${socket.address} is closed: ${message}`,
      code,
    );
    socket.send(errorFrame({ side: 'both', code, message: `${message}; closing` }));
    session.expel(code);
  }

  #drained(session: ClientSession): void {
    this.#watch.drained(session.socket);
    this.#aid.resume(session.aid);
    this.#push.drained(session.push);
    if (session.push.hasWaiting) session.requests.sendSnapshots();
  }

  #leave(session: ClientSession, code: number, reason: string): void {
    const { socket } = session;
    socket.markClosed();
    this.#sessions.delete(session);
    this.#admission.left(session.requests.account);
    this.#watch.forget(socket);
    this.#kept.forget(session);
    this.#waiting.leave(session);
    this.#heartbeats.forget(session);
    session.requests.leave(this.#release(session));
    this.#options.logger.debug({ session: socket.id, address: socket.address, code, reason }, 'client left');
  }

  *#release(session: ClientSession): Work {
    yield* this.#aid.leave(session.aid);
    yield* this.#push.leave(session.push);
    yield* session.demand.clear();
  }
}

type OverLimitCode = 'too_many_waiting' | 'too_many_pings' | 'too_much_kept';

/** The two spellings that real clients send, many times a second each. */
const peeks = ['{"aid":"peek_message"}', '{"aid": "peek_message"}'];

function isPeek(frame: ArrayBuffer): boolean {
  const { byteLength } = frame;
  return (
    (byteLength === peeks[0]!.length || byteLength === peeks[1]!.length) &&
    peeks.includes(Buffer.from(frame).toString('latin1'))
  );
}

/** Bytes of a client's frame on the wire (RFC 6455, 5.2): its length has 1, 3 or 9 bytes, and it is always masked. */
function frameBytes(payload: number): number {
  return payload + (payload < 126 ? 6 : payload < 65_536 ? 8 : 14);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
