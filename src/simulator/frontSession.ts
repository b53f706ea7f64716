import type { Socket } from 'node:net';
import { errorText } from './errorTexts.js';
import type { Exchange } from './exchange.js';
import { Outbox } from './outbox.js';
import {
  BadPacket,
  heartbeat,
  instrumentResponse,
  loginResponse,
  logoutResponse,
  RequestParser,
  responseType,
  type ErrorInfo,
  type FrontRequest,
} from './wire.js';

const silenceLimitMs = 120_000;
const notLoggedIn = 6;
const shanghaiOffsetMs = 8 * 3_600_000;

/** How a front treats its sessions; faults are set here. */
export interface FrontBehaviour {
  /** Error id that every login is answered with; 0 accepts any credentials. */
  readonly rejectLogin: number;
}

const info = (id: number): ErrorInfo => ({ id, text: errorText(id) });

/** One client's connection to a front, from its acceptance to its end. */
export class FrontSession {
  readonly outbox: Outbox;
  readonly #socket: Socket;
  readonly #exchange: Exchange;
  readonly #behaviour: FrontBehaviour;
  readonly #frontId: number;
  readonly #sessionId: number;
  readonly #parser = new RequestParser();
  #loggedIn = false;
  #lastHeardMs = Date.now();

  constructor(
    socket: Socket,
    exchange: Exchange,
    behaviour: FrontBehaviour,
    ids: { readonly front: number; readonly session: number },
  ) {
    this.#socket = socket;
    this.#exchange = exchange;
    this.#behaviour = behaviour;
    this.#frontId = ids.front;
    this.#sessionId = ids.session;
    // A client that does not read is cut, not throttled.
    this.outbox = new Outbox(socket, () => this.close());
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.once('close', () => exchange.drop(this));
  }

  /** Ends the connection at once. */
  close(): void {
    this.#exchange.drop(this);
    this.#socket.destroy();
  }

  /** Called at the heartbeat interval: keeps the client's side alive and ends a connection that went silent. */
  beat(): void {
    if (Date.now() - this.#lastHeardMs > silenceLimitMs) {
      this.close();
      return;
    }
    this.outbox.add(heartbeat());
    this.outbox.flush();
  }

  #read(chunk: Buffer): void {
    this.#lastHeardMs = Date.now();
    try {
      for (const request of this.#parser.push(chunk)) {
        if (this.#socket.destroyed) return;
        this.#answer(request);
      }
    } catch (error) {
      if (!(error instanceof BadPacket)) throw error;
      this.close();
      return;
    }
    this.outbox.flush();
  }

  #answer(request: FrontRequest): void {
    switch (request.kind) {
      case 'login':
        this.#login(request);
        break;
      case 'logout':
        this.#loggedIn = false;
        this.#exchange.drop(this);
        this.outbox.add(logoutResponse(request.requestId, info(0), request.brokerId, request.userId));
        break;
      case 'subscribe':
        this.#acknowledge(responseType.subscribe, request.ids);
        if (this.#loggedIn) this.#exchange.subscribe(this, request.ids);
        break;
      case 'unsubscribe':
        this.#acknowledge(responseType.unsubscribe, request.ids);
        this.#exchange.unsubscribe(this, request.ids);
        break;
      // There are no quote requests in this market; the subscription itself is answered.
      case 'subscribeForQuote':
        this.#acknowledge(responseType.subscribeForQuote, request.ids);
        break;
      case 'unsubscribeForQuote':
        this.#acknowledge(responseType.unsubscribeForQuote, request.ids);
        break;
      case 'heartbeat':
        break;
    }
  }

  #login(request: FrontRequest & { kind: 'login' }): void {
    const error = this.#behaviour.rejectLogin;
    this.#loggedIn = error === 0;
    const shanghai = new Date(Date.now() + shanghaiOffsetMs);
    this.outbox.add(
      loginResponse({
        requestId: request.requestId,
        error: info(error),
        tradingDay: this.#loggedIn ? String(this.#exchange.tradingDay()) : '',
        loginTime: shanghai.toISOString().slice(11, 19),
        brokerId: request.brokerId,
        userId: request.userId,
        frontId: this.#frontId,
        sessionId: this.#sessionId,
      }),
    );
  }

  #acknowledge(type: number, ids: readonly string[]): void {
    const result = info(this.#loggedIn ? 0 : notLoggedIn);
    ids.forEach((id, i) => this.outbox.add(instrumentResponse(type, id, result, i === ids.length - 1)));
  }
}
