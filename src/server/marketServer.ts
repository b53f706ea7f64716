import type { Logger } from 'pino';
import { AidBoard } from './aidBoard.js';
import { defaultBackpressure, dropBytes, type BackpressureLimits } from './backpressure.js';
import { ClientSocket } from './clientSocket.js';
import { CongestionWatch } from './congestionWatch.js';
import { Conversation } from './conversation.js';
import { firstFrame } from './frames.js';
import { Heartbeats } from './heartbeats.js';
import type { HealthReport, ServerCounters } from './health.js';
import { failure, respond } from './answers.js';
import type { TickHistory } from './historyRoute.js';
import { installHttpRoutes, type LocalPages } from './httpRoutes.js';
import type { Demand } from './interests.js';
import type { ServerLimits } from './limits.js';
import { whyNotListening } from './listenFailure.js';
import type { ServedMarket } from './market.js';
import { PushBoard } from './pushBoard.js';
import { Session } from './session.js';
import { Subscribing } from './subscribing.js';
import type { SessionsSource } from './sessionsPage.js';
import { SymbolsPages } from './symbolsPage.js';
import { loadUws } from './uws.js';
import type { Uws, UwsApp, UwsRequest, UwsResponse, UwsSocket } from './uwsApi.js';

export interface MarketServerOptions extends ServedMarket, LocalPages {
  /** Address to listen on, such as 0.0.0.0. */
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  readonly limits: ServerLimits;
  readonly demand: Demand;
  health(): HealthReport;
  readonly sessions?: SessionsSource;
  /** Stored ticks; undefined where none are kept. */
  readonly history?: TickHistory | undefined;
  readonly logger: Logger;
  readonly backpressure?: Partial<BackpressureLimits>;
}

/** What uWebSockets keeps for a socket from the upgrade on. */
interface Connected {
  readonly address: string;
  readonly wantsFirstFrame: boolean;
  session: Session | undefined;
}

/** What ?protocol= takes. A session may use both whatever it says; action is not sent the first frame of aid. */
const protocols = ['aid', 'action'] as const;
/** s without a byte from the client, pongs included. */
const idleTimeoutSeconds = 120;
/**
 * Sockets of each side that are written to in one turn of the event loop. A write takes some µs, so this bounds how long
 * ticks that come meanwhile have to wait, in their rings, for the writes of others.
 */
const writesPerTurn = 48;
/** uWebSockets cuts off without a word above its limit, so that one is higher: frames in between get an error. */
const frameLimitFactor = 2;
const goingAwayCode = 1001;
/** ms that clients get to answer the close frame, so that their own last words do not reset the connection. */
const closeGraceMs = 200;
/** ms between two looks at what clients have still to read when the server closes. */
const closeCheckMs = 20;

/** The WebSocket and HTTP endpoint. */
export class MarketServer {
  readonly #options: MarketServerOptions;
  readonly #uws: Uws;
  readonly #app: UwsApp;
  readonly #aid: AidBoard;
  readonly #push: PushBoard;
  readonly #watch: CongestionWatch;
  readonly #subscribing: Subscribing;
  readonly #heartbeats: Heartbeats;
  readonly #conversation: Conversation;
  readonly #sessions = new Set<Session>();
  #nextId = 1;
  #sentFrames = 0;
  #refusedClients = 0;
  #listenSocket: unknown;
  #accepting = true;
  #closed: Promise<void> | undefined;
  /** The next turn that writes to sockets. */
  #turn: NodeJS.Immediate | undefined;

  /** Throws an Error of one line on machines that uWebSockets.js does not run on. */
  constructor(options: MarketServerOptions) {
    const { logger, limits, directory } = options;
    this.#options = options;
    this.#uws = loadUws();
    const app = this.#uws.App();
    this.#app = app;
    const backpressure = { ...defaultBackpressure, ...options.backpressure };
    this.#watch = new CongestionWatch(backpressure, logger);
    this.#aid = new AidBoard(options, backpressure, this.#watch, () => this.#writeLater());
    this.#push = new PushBoard(options, backpressure, this.#watch);
    this.#subscribing = new Subscribing({ directory, book: options.book, push: this.#push, limits });
    this.#heartbeats = new Heartbeats(backpressure.holdBytes);
    this.#conversation = new Conversation({
      directory,
      aid: this.#aid,
      subscribing: this.#subscribing,
      heartbeats: this.#heartbeats,
      limits,
      logger,
    });
    this.#installWebSocket();
    installHttpRoutes(app, {
      health: () => options.health(),
      counters: () => this.counters,
      accepting: () => this.#accepting,
      local: options,
      sessions: options.sessions,
      symbols: new SymbolsPages(() => directory.symbolsFile()),
      history: options.history,
      logger,
    });
  }

  get counters(): ServerCounters {
    return {
      activeSessions: this.#sessions.size,
      totalMessages: this.#sentFrames + this.#push.delivered,
      badFrames: this.#conversation.badFrames,
      refusedClients: this.#refusedClients,
      laggedClients: this.#push.lagged,
      cutOffClients: this.#watch.cutOff,
    };
  }

  /** Starts to accept clients; the port. Throws an Error that names host and port when it cannot. */
  async listen(): Promise<number> {
    const { host, port } = this.#options;
    this.#app.listen(host, port, this.#uws.LIBUS_LISTEN_EXCLUSIVE_PORT, (listenSocket) => {
      this.#listenSocket = listenSocket === false ? undefined : listenSocket;
    });
    if (this.#listenSocket === undefined)
      throw new Error(`cannot listen on ${host}:${port}: ${await whyNotListening(host, port)}`);
    return this.#uws.us_socket_local_port(this.#listenSocket);
  }

  /** To be called after every tick that the book took in. */
  onTick(slot: number): void {
    this.#push.tick(slot);
    this.#aid.mark(slot);
    this.#writeLater();
  }

  /** Whether somebody wants to see the instrument's ticks that the book leaves out. */
  showsLeftOut(slot: number): boolean {
    return this.#push.showsLeftOut(slot);
  }

  /** To be called after a tick that the book has left out, where `showsLeftOut`. */
  onLeftOut(slot: number): void {
    this.#push.leftOut(slot);
    this.#writeLater();
  }

  /** To be called when the ticks that had come are all in the book: what they changed is written. */
  onBatchEnd(): void {
    clearImmediate(this.#turn);
    this.#write(writesPerTurn);
  }

  /** What is listed may have changed: new instruments join the patterns that clients have subscribed. */
  onListing(): void {
    this.#subscribing.relist(this.#sessions);
  }

  /** The front refused an instrument with the vendor's error id and text. */
  onInstrumentRefused(slot: number, code: number, text: string): void {
    const instrument = this.#options.directory.bySlot(slot);
    for (const session of this.#sessions)
      this.#conversation.instrumentRefused(session, instrument, `${text} (${code})`);
  }

  /** Turns /readyz to 503 and lets no further client in; those who are in are served on. */
  stopAccepting(): void {
    if (!this.#accepting) return;
    this.#accepting = false;
    if (this.#listenSocket !== undefined) this.#uws.us_listen_socket_close(this.#listenSocket);
    this.#listenSocket = undefined;
  }

  /**
   * Stops accepting, sends what there is to send, closes every client with 1001 and gives each until the deadline, in ms
   * from now, to read it. Safe to call again.
   */
  close(deadlineMs: number): Promise<void> {
    this.#closed ??= this.#close(performance.now() + deadlineMs);
    return this.#closed;
  }

  async #close(deadline: number): Promise<void> {
    this.stopAccepting();
    const hasClients = this.#sessions.size > 0;
    this.#write(Infinity);
    for (;;) {
      const isLate = performance.now() >= deadline - closeGraceMs;
      for (const { socket } of this.#sessions)
        if (isLate || socket.buffered === 0) socket.end(goingAwayCode, 'the gateway is stopping');
      if (this.#sessions.size === 0) break;
      await pause(closeCheckMs);
    }
    if (hasClients) await pause(Math.min(closeGraceMs, Math.max(0, deadline - performance.now())));
    this.#watch.stop();
    clearImmediate(this.#turn);
    this.#app.close();
  }

  /** Writes to so many clients of either side, and has a later turn go on with the others. */
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
    this.#app.ws<Connected>('/', {
      maxPayloadLength: limits.maxFrameBytes * frameLimitFactor,
      idleTimeout: idleTimeoutSeconds,
      sendPingsAutomatically: true,
      maxBackpressure: dropBytes,
      compression: this.#uws.DISABLED,
      upgrade: (res, req, context) => {
        this.#upgrade(res, req, context);
      },
      open: (ws) => {
        this.#open(ws);
      },
      message: (ws, frame, isBinary) => {
        const { session } = ws.getUserData();
        if (session !== undefined) this.#conversation.hear(session, frame, isBinary);
      },
      drain: (ws) => {
        const { session } = ws.getUserData();
        if (session !== undefined) this.#drained(session);
      },
      close: (ws, code, reason) => {
        const { session } = ws.getUserData();
        if (session !== undefined) this.#leave(session, code, Buffer.from(reason).toString('utf8'));
      },
    });
  }

  #upgrade(res: UwsResponse, req: UwsRequest, context: unknown): void {
    if (!this.#accepting) {
      respond(res, failure('503 Service Unavailable', 'shutting_down', 'the gateway is stopping'), false);
      return;
    }
    const protocol = new URLSearchParams(req.getQuery()).get('protocol');
    if (protocol !== null && !isProtocol(protocol)) {
      const message = `protocol is ${protocols.join(' or ')}, or left out for both; not ${JSON.stringify(protocol)}`;
      respond(res, failure('400 Bad Request', 'unknown_protocol', message), false);
      return;
    }
    const { maxClients } = this.#options.limits;
    if (this.#sessions.size >= maxClients) {
      this.#refusedClients++;
      const message = `the gateway has ${maxClients} clients, which is all it may have`;
      respond(res, failure('503 Service Unavailable', 'too_many_clients', message), false);
      return;
    }
    const connected: Connected = {
      address: Buffer.from(res.getRemoteAddressAsText()).toString('latin1'),
      wantsFirstFrame: protocol !== 'action',
      session: undefined,
    };
    res.upgrade(
      connected,
      req.getHeader('sec-websocket-key'),
      req.getHeader('sec-websocket-protocol'),
      req.getHeader('sec-websocket-extensions'),
      context,
    );
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
    const session = new Session(socket, this.#options.demand, this.#options.limits.maxBadFrames);
    connected.session = session;
    this.#sessions.add(session);
    this.#options.logger.debug({ session: socket.id, address: socket.address }, 'client connected');
    if (connected.wantsFirstFrame) socket.send(firstFrame);
  }

  #drained(session: Session): void {
    this.#watch.drained(session.socket);
    this.#aid.resume(session.aid);
    this.#push.resume(session.push);
  }

  #leave(session: Session, code: number, reason: string): void {
    const { socket } = session;
    socket.markClosed();
    this.#sessions.delete(session);
    this.#watch.forget(socket);
    this.#aid.leave(session.aid);
    this.#push.leave(session.push);
    this.#heartbeats.forget(session);
    session.interests.clear();
    this.#options.logger.debug({ session: socket.id, address: socket.address, code, reason }, 'client left');
  }
}

function isProtocol(name: string): name is (typeof protocols)[number] {
  return protocols.some((each) => each === name);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
