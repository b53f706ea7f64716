import type { Logger } from 'pino';
import type { AidBoard } from './aidBoard.js';
import { actionAck, errorFrame, instrumentListFrame, pongFrame, type ErrorReport } from './frames.js';
import { errorCatalogue } from './errors.js';
import { parseInsList } from './insList.js';
import type { ServerLimits } from './limits.js';
import type { ServedDirectory, ServedInstrument } from './market.js';
import { parseMessage, type ClientMessage, type PushOptions } from './messages.js';
import type { PushBoard } from './pushBoard.js';
import type { Session } from './session.js';

const policyViolationCode = 1008;

export interface ConversationParts {
  readonly directory: ServedDirectory;
  readonly aid: AidBoard;
  readonly push: PushBoard;
  readonly limits: ServerLimits;
  readonly logger: Logger;
}

/** Hears what clients say, and does it. Whatever a frame holds, the session goes on, unless bad frames repeat. */
export class Conversation {
  /** Frames outside the grammar, of all sessions. */
  badFrames = 0;
  readonly #parts: ConversationParts;

  constructor(parts: ConversationParts) {
    this.#parts = parts;
  }

  /** Takes a frame in; the bytes are valid only during the call. */
  hear(session: Session, frame: ArrayBuffer, isBinary: boolean): void {
    const { maxFrameBytes } = this.#parts.limits;
    if (frame.byteLength > maxFrameBytes) {
      const message = `a frame has at most ${maxFrameBytes} bytes, this one has ${frame.byteLength}`;
      this.#report(session, { side: 'both', code: 'frame_too_large', message });
    } else if (isBinary) {
      this.#report(session, { side: 'both', code: 'binary_frame', message: 'send JSON in text frames' });
    } else {
      this.#hearText(session, Buffer.from(frame).toString('utf8'));
    }
  }

  /** Tells the action clients that asked for it that an instrument will not tick, once for each time they asked. */
  instrumentRefused(session: Session, instrument: ServedInstrument, reason: string): void {
    const asked: string[] = [];
    for (const id of [instrument.id, instrument.key]) {
      const subscription = session.push.subscriptions.get(id);
      if (subscription === undefined || subscription.refusalTold) continue;
      subscription.refusalTold = true;
      asked.push(id);
    }
    if (asked.length === 0) return;
    const message = `the exchange front refused ${asked.join(', ')}: ${reason}`;
    this.#report(session, {
      side: 'action',
      code: 'instrument_refused',
      message,
      details: { instruments: asked },
    });
  }

  #hearText(session: Session, text: string): void {
    try {
      this.#obey(session, parseMessage(text), text);
    } catch (error) {
      // One session's bad luck must not become everybody's: an exception in here would end the process.
      this.#parts.logger.error(
        { err: error, session: session.socket.id },
        'a client frame could not be handled',
      );
      this.#report(session, {
        side: 'both',
        code: 'internal_error',
        message: 'the gateway failed on this frame',
      });
    }
  }

  #obey(session: Session, message: ClientMessage, text: string): void {
    const { aid, push, directory } = this.#parts;
    switch (message.kind) {
      case 'peek_message':
        aid.peek(session.aid);
        break;
      case 'subscribe_quote':
        this.#subscribeQuote(session, message.insList, text);
        break;
      case 'subscribe':
        this.#subscribe(session, message.instruments, message.options, text);
        break;
      case 'unsubscribe': {
        const instruments = [...new Set(message.instruments)];
        for (const id of instruments) push.unsubscribe(session.push, id);
        session.socket.send(actionAck('unsubscribe', instruments));
        break;
      }
      case 'list_instruments':
        session.socket.send(instrumentListFrame(directory.list(message.filter)));
        break;
      case 'ping':
        session.socket.send(pongFrame(Date.now()));
        break;
      case 'rejected':
        this.#report(session, message.error, message.isObject ? text : undefined);
        break;
    }
  }

  #subscribeQuote(session: Session, insList: string, text: string): void {
    const keys = parseInsList(insList);
    if (keys.length > this.#parts.limits.maxInstrumentsPerClient) {
      this.#reportTooMany(session, 'aid', keys.length, text);
      return;
    }
    this.#parts.aid.subscribe(session.aid, insList, keys);
  }

  #subscribe(session: Session, instruments: readonly string[], options: PushOptions, text: string): void {
    const { directory, limits, push } = this.#parts;
    const { subscriptions } = session.push;
    const requested = [...new Set(instruments)];
    const added = requested.reduce((count, id) => (subscriptions.has(id) ? count : count + 1), 0);
    if (subscriptions.size + added > limits.maxInstrumentsPerClient) {
      this.#reportTooMany(session, 'action', subscriptions.size + added, text);
      return;
    }
    const accepted: string[] = [];
    const unknown: string[] = [];
    for (const id of requested) {
      const instrument = directory.resolve(id);
      if (instrument === undefined) {
        unknown.push(id);
        continue;
      }
      accepted.push(id);
      push.subscribe(session.push, id, instrument, options);
    }
    session.socket.send(actionAck('subscribe', accepted));
    if (unknown.length > 0) {
      const message = `no such instruments: ${unknown.slice(0, 8).join(', ')}${unknown.length > 8 ? ', …' : ''}`;
      const details = { instruments: unknown };
      this.#report(session, { side: 'action', code: 'unknown_instrument', message, details }, text);
    }
    push.resume(session.push);
  }

  #reportTooMany(session: Session, side: 'aid' | 'action', count: number, text: string): void {
    const message = `a client may have ${this.#parts.limits.maxInstrumentsPerClient} instruments, this would be ${count}`;
    this.#report(session, { side, code: 'too_many_instruments', message }, text);
  }

  #report(session: Session, error: ErrorReport, requestJson?: string): void {
    const { socket } = session;
    socket.send(errorFrame(error, requestJson));
    if (!errorCatalogue[error.code].badFrame) return;
    this.badFrames++;
    if (!session.badFrames.add(performance.now())) return;
    this.#parts.logger.warn(
      { session: socket.id, address: socket.address },
      `client ${socket.id} at ${socket.address} is closed: too many bad frames, the last one ${error.code}`,
    );
    socket.send(
      errorFrame({ side: 'both', code: 'too_many_bad_frames', message: 'too many bad frames, closing' }),
    );
    socket.end(policyViolationCode, 'too many bad frames');
  }
}
