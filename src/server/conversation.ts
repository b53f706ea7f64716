import type { Logger } from 'pino';
import type { AidBoard } from './aidBoard.js';
import { errorFrame, heartbeatAck, instrumentListFrame, pongFrame, type ErrorReport } from './frames.js';
import { errorCatalogue } from './errors.js';
import type { Heartbeats } from './heartbeats.js';
import { parseInsList } from './insList.js';
import type { ServerLimits } from './limits.js';
import type { ServedDirectory, ServedInstrument } from './market.js';
import { parseMessage, type ClientMessage } from './messages.js';
import type { Session } from './session.js';
import type { Subscribing } from './subscribing.js';

const policyViolationCode = 1008;

export interface ConversationParts {
  readonly directory: ServedDirectory;
  readonly aid: AidBoard;
  readonly subscribing: Subscribing;
  readonly heartbeats: Heartbeats;
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
    const { aid, subscribing, heartbeats, directory } = this.#parts;
    switch (message.kind) {
      case 'peek_message':
        aid.peek(session.aid);
        break;
      case 'subscribe_quote':
        this.#subscribeQuote(session, message.insList, text);
        break;
      case 'subscribe': {
        const { instruments, options, heartbeat } = message;
        subscribing.subscribe(session, instruments, options, (error) => this.#report(session, error, text));
        if (heartbeat !== undefined) heartbeats.set(session, heartbeat);
        break;
      }
      case 'unsubscribe':
        subscribing.unsubscribe(session, message.instruments);
        break;
      case 'heartbeat':
        heartbeats.set(session, message.interval);
        session.socket.send(heartbeatAck(message.interval));
        break;
      case 'list_instruments': {
        const { instruments, total } = directory.search(message.filter);
        const isCut = message.filter.limit !== undefined;
        session.socket.send(instrumentListFrame(instruments, isCut ? total : undefined));
        break;
      }
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
    const { maxInstrumentsPerClient: most } = this.#parts.limits;
    if (keys.length > most) {
      const message = `a client may have ${most} instruments, this would be ${keys.length}`;
      this.#report(session, { side: 'aid', code: 'too_many_instruments', message }, text);
      return;
    }
    this.#parts.aid.subscribe(session.aid, insList, keys);
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
