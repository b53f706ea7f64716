import { randomFillSync } from 'node:crypto';
import type { Socket } from 'node:net';
import { vendorErrorText } from './errorTexts.js';
import type { FaultSet } from './faultSet.js';
import type { Market } from './market.js';
import { SendQueue, type Sending } from './outbox.js';
import { TickFaults } from './tickFaults.js';
import {
  BadPacket,
  heartbeat,
  instrumentResponse,
  loginResponse,
  logoutResponse,
  orderFrame,
  orders,
  RequestParser,
  responseType,
  type ErrorInfo,
  type FrontRequest,
} from './wire.js';
import { shanghaiOffsetMs } from '../base/shanghaiTime.js';

const silenceLimitMs = 120_000;
const notLoggedIn = 6;
const tooManyInstruments = 6000;
const readFailed = 0x1001;

const info = (id: number): ErrorInfo => ({ id, text: vendorErrorText(id) });

/** A session as the control API shows it. */
export interface SessionReport {
  readonly session: number;
  readonly broker_id: string;
  readonly user_id: string;
  readonly logged_in: boolean;
  readonly subscriptions: number;
  readonly queued: number;
  /** Ticks that were sent to it, those included that a stall has lost. */
  readonly ticks: number;
}

/** One client's connection to a front, from its acceptance to its end. */
export class FrontSession {
  readonly outbox: SendQueue;
  readonly #socket: Socket;
  readonly #exchange: Market;
  readonly #faults: FaultSet;
  readonly #tickFaults: TickFaults;
  readonly #ids: { readonly front: number; readonly session: number };
  readonly #parser = new RequestParser();
  readonly #subscribed = new Set<string>();
  #user = { brokerId: '', userId: '' };
  #loggedIn = false;
  #ticks = 0;
  #lastHeardMs = Date.now();

  constructor(
    socket: Socket,
    exchange: Market,
    faults: FaultSet,
    sending: Sending,
    ids: { readonly front: number; readonly session: number },
  ) {
    this.#socket = socket;
    this.#exchange = exchange;
    this.#faults = faults;
    this.#tickFaults = new TickFaults(faults);
    this.#ids = ids;
    // A client that does not read is cut, not throttled.
    this.outbox = new SendQueue(socket, sending, () => this.close());
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.once('close', () => exchange.drop(this));
    this.stall(faults.has('stall'));
  }

  get report(): SessionReport {
    return {
      session: this.#ids.session,
      broker_id: this.#user.brokerId,
      user_id: this.#user.userId,
      logged_in: this.#loggedIn,
      subscriptions: this.#subscribed.size,
      queued: this.outbox.queued,
      ticks: this.#ticks,
    };
  }

  /** Ends the connection at once. */
  close(): void {
    this.#exchange.drop(this);
    this.#socket.destroy();
  }

  /** Ends the connection so that the library reports that reason. */
  disconnect(reason: number): void {
    if (reason === readFailed) {
      this.close();
      return;
    }
    this.#exchange.drop(this);
    this.#socket.end(orderFrame(orders.disconnect, reason, 0));
  }

  /** Orders the library to do something of its own; see wire.h. */
  order(what: number, first: number, second: number): void {
    this.#socket.write(orderFrame(what, first, second));
  }

  /** Sends bytes that are no frame. */
  sendGarbage(bytes: number): void {
    const garbage = randomFillSync(Buffer.alloc(bytes));
    // The first byte alone must not look like the protocol's.
    garbage[0] = 0;
    this.#socket.write(garbage);
  }

  /** Takes no more requests, or takes up those that have come meanwhile. */
  stall(on: boolean): void {
    if (on) this.#socket.pause();
    else {
      this.#lastHeardMs = Date.now();
      this.#socket.resume();
    }
  }

  /** Sends a tick, or what the front's faults make of it. The bytes are valid during the call. */
  deliver(index: number, frames: Buffer, start: number, end: number): void {
    if (!this.#faults.changesTicks) {
      this.outbox.add(frames, start, end);
      this.#ticks++;
      return;
    }
    const origin = this.#exchange.originOf(index);
    for (const frame of this.#tickFaults.apply(Buffer.from(frames.subarray(start, end)), origin)) {
      this.outbox.add(frame);
      this.#ticks++;
    }
  }

  /** Called at the heartbeat interval: keeps the client's side alive and ends a connection that went silent. */
  beat(): void {
    if (this.#socket.isPaused()) return;
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
        this.#subscribed.clear();
        this.#exchange.drop(this);
        this.outbox.add(logoutResponse(request.requestId, info(0), request.brokerId, request.userId));
        break;
      case 'subscribe':
        this.#subscribe(request.ids);
        break;
      case 'unsubscribe':
        this.#acknowledge(responseType.unsubscribe, request.ids, () => 0);
        for (const id of request.ids) this.#subscribed.delete(id);
        this.#exchange.unsubscribe(this, request.ids);
        break;
      // There are no quote requests in this market; the subscription itself is answered.
      case 'subscribeForQuote':
        this.#acknowledge(responseType.subscribeForQuote, request.ids, () => 0);
        break;
      case 'unsubscribeForQuote':
        this.#acknowledge(responseType.unsubscribeForQuote, request.ids, () => 0);
        break;
      case 'heartbeat':
        break;
    }
  }

  #login(request: FrontRequest & { kind: 'login' }): void {
    this.#user = { brokerId: request.brokerId, userId: request.userId };
    if (this.#faults.has('login_silent')) return;
    const fault = this.#faults.get('login_error');
    const error = info(fault?.error ?? 0);
    this.#loggedIn = error.id === 0;
    const shanghai = new Date(this.#exchange.now() + shanghaiOffsetMs);
    const knowsDay = this.#loggedIn && !this.#faults.has('empty_trading_day');
    this.outbox.add(
      loginResponse({
        requestId: request.requestId,
        error: fault?.text === undefined ? error : { id: error.id, text: Buffer.from(fault.text) },
        tradingDay: knowsDay ? String(this.#exchange.tradingDay()) : '',
        loginTime: shanghai.toISOString().slice(11, 19),
        brokerId: request.brokerId,
        userId: request.userId,
        frontId: this.#ids.front,
        sessionId: this.#ids.session,
      }),
    );
  }

  #subscribe(ids: readonly string[]): void {
    const taken: string[] = [];
    this.#acknowledge(responseType.subscribe, ids, (id) => {
      const error = this.#refusal(id);
      if (error !== 0) return error;
      this.#subscribed.add(id);
      taken.push(id);
      return 0;
    });
    const ageMs = (this.#faults.get('stale_snapshot')?.age_s ?? 0) * 1000;
    if (this.#loggedIn) this.#exchange.subscribe(this, taken, ageMs);
  }

  /** Error id that a subscription is answered with, 0 for none. */
  #refusal(id: string): number {
    if (!this.#loggedIn) return 0;
    const refused = this.#faults.get('subscribe_error');
    if (refused !== undefined && refused.instruments?.has(id) !== false) return refused.error;
    const unknown = this.#faults.get('unknown_id_error');
    if (unknown !== undefined && !this.#exchange.isListed(id)) return unknown.error;
    const limit = this.#faults.get('subscription_limit');
    const isNew = !this.#subscribed.has(id);
    return limit !== undefined && isNew && this.#subscribed.size >= limit.limit ? tooManyInstruments : 0;
  }

  /** Answers id by id. Who has not logged in is told so, and gets nothing else. */
  #acknowledge(type: number, ids: readonly string[], errorOf: (id: string) => number): void {
    const how = this.#faults.get('subscribe_responses')?.how;
    const errors = ids.map((id) => (this.#loggedIn ? errorOf(id) : notLoggedIn));
    for (let round = 0; round < (how === 'repeated' ? 2 : 1); round++) {
      ids.forEach((id, i) => {
        if (how === 'none' || (how === 'missing' && i % 2 === 1)) return;
        const last = how === 'each_last' || (how !== 'never_last' && i === ids.length - 1);
        this.outbox.add(instrumentResponse(type, id, info(errors[i]!), last));
      });
    }
  }
}
