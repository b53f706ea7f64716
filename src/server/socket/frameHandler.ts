import type { Logger } from 'pino';
import type { LimitedLog } from '../../log/limitedLog.js';
import { ownText } from '../../base/ownText.js';
import { Field } from '../../market/quotes/quoteFields.js';
import type { AidBoard } from './aidBoard.js';
import type { ChartRequest } from './charts.js';
import { errorFrame, heartbeatAck, pongFrame, type ErrorReport } from './frames.js';
import { errorCatalogue } from '../shared/errors.js';
import type { Heartbeats } from './heartbeats.js';
import type { Work } from '../fairness/clientRequests.js';
import { InstrumentLists } from './instrumentLists.js';
import { longestInsList, parseLongInsList } from './insList.js';
import type { ServerLimits } from './limits.js';
import type { ServedBook, ServedDirectory, ServedInstrument } from '../shared/servedMarket.js';
import { parseMessage, type ClientMessage, type SubscribeMessage } from './clientMessages.js';
import type { ClientSession } from './clientSession.js';
import type { ActionSubscriptions } from './actionSubscriptions.js';
import type { SymbolQueries } from '../symbols/symbolQueries.js';
import type { SymbolRequest } from '../symbols/symbolRequest.js';
import { longestName, unknownNames } from './unknownNames.js';
import { marked } from '../../base/logEvents.js';

/** Names that one client is told are of no instrument. */
const mostToldUnknown = 64;
/** Characters of a frame up to which it is handled in one step. */
const shortFrame = 65_536;
/** Wrong separators of ids, in place of a comma. */
const otherSeparator = /[，、；;|]/;

export interface FrameHandlerParts {
  readonly directory: ServedDirectory;
  readonly book: ServedBook;
  readonly queries: SymbolQueries;
  readonly aid: AidBoard;
  readonly actions: ActionSubscriptions;
  readonly heartbeats: Heartbeats;
  readonly limits: ServerLimits;
  readonly logger: Logger;
  /** For what clients can cause at any rate. */
  readonly limitedLog: LimitedLog;
}

/** Hears what clients say, and does it. Whatever a frame holds, the session continues, unless bad frames repeat. */
export class FrameHandler {
  /** Frames outside the grammar, of all sessions. */
  badFrames = 0;
  readonly #parts: FrameHandlerParts;
  readonly #lists: InstrumentLists;

  constructor(parts: FrameHandlerParts) {
    this.#parts = parts;
    this.#lists = new InstrumentLists(parts.directory);
  }

  /**
   * Takes a frame in; the bytes are valid only during the call.
   *
   * @returns what is left to be done for it, in steps
   */
  handle(session: ClientSession, frame: ArrayBuffer | Buffer, isBinary: boolean): Work | undefined {
    const { maxFrameBytes } = this.#parts.limits;
    if (frame.byteLength > maxFrameBytes) {
      const message = `a frame has at most ${maxFrameBytes} bytes, this one has ${frame.byteLength}`;
      this.#report(session, { side: 'both', code: 'frame_too_large', message });
    } else if (isBinary) {
      this.#report(session, { side: 'both', code: 'binary_frame', message: 'send JSON in text frames' });
    } else {
      const bytes = Buffer.isBuffer(frame) ? frame : Buffer.from(frame);
      const text = bytes.toString('utf8');
      return text.length > shortFrame ? this.#handleLongText(session, text) : this.#handleText(session, text);
    }
    return undefined;
  }

  /** Work that a frame left to be done has failed. */
  failed(session: ClientSession, error: unknown): void {
    // One session's bad luck must not become everybody's: an exception would end the process.
    this.#parts.logger.error(
      marked('request_failed', { err: error, session: session.socket.id }),
      'a client frame could not be handled',
    );
    this.#report(session, {
      side: 'both',
      code: 'internal_error',
      message: 'the gateway failed on this frame',
    });
  }

  /** Tells the action clients that asked for it that an instrument will not tick, once for each time they asked. */
  instrumentRefused(session: ClientSession, instrument: ServedInstrument, reason: string): void {
    const asked: string[] = [];
    for (const id of [instrument.id, instrument.key]) {
      const subscription = session.push.subscriptions.get(id);
      if (subscription?.channel.slot !== instrument.slot || subscription.refusalTold) continue;
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

  /** Reading bytes as text and text as JSON take a millisecond each for a frame of hundreds of kilobytes: a step each. */
  *#handleLongText(session: ClientSession, text: string): Work {
    yield;
    const work = this.#handleText(session, text);
    if (work === undefined) return;
    yield;
    yield* work;
  }

  #handleText(session: ClientSession, text: string): Work | undefined {
    try {
      return this.#dispatch(session, parseMessage(text), text);
    } catch (error) {
      this.failed(session, error);
      return undefined;
    }
  }

  #dispatch(session: ClientSession, message: ClientMessage, text: string): Work | undefined {
    const { aid, actions: subscribing, heartbeats } = this.#parts;
    switch (message.kind) {
      case 'peek_message':
        aid.peek(session.aid);
        return undefined;
      case 'subscribe_quote':
        return this.#subscribeQuote(session, message.insList, text);
      case 'set_chart':
        return this.#setChart(session, message.request, text);
      case 'ins_query':
        return this.#insQuery(session, message.request, text);
      case 'subscribe':
        return this.#subscribe(session, message, text);
      case 'unsubscribe':
        return subscribing.unsubscribe(session, message.instruments);
      case 'heartbeat':
        heartbeats.set(session, message.interval);
        session.socket.send(heartbeatAck(message.interval));
        return undefined;
      case 'list_instruments':
        session.socket.send(this.#lists.frame(message.filter));
        return undefined;
      case 'ping':
        session.socket.send(pongFrame(Date.now()));
        return undefined;
      case 'rejected':
        this.#report(session, message.error, message.isObject ? text : undefined);
        return undefined;
    }
  }

  *#subscribe(session: ClientSession, message: SubscribeMessage, text: string): Work {
    const { actions: subscribing, heartbeats } = this.#parts;
    const { instruments, options, heartbeat } = message;
    yield* subscribing.subscribe(session, instruments, options, (error) =>
      this.#report(session, error, text),
    );
    session.requests.sendSnapshots();
    if (heartbeat !== undefined) heartbeats.set(session, heartbeat);
  }

  *#subscribeQuote(session: ClientSession, insList: string, text: string): Work {
    const keys = yield* parseLongInsList(insList);
    const { maxInstrumentsPerClient: most } = this.#parts.limits;
    const refuse = (code: 'too_many_instruments' | 'ins_list_too_long', message: string): void =>
      this.#report(session, { side: 'aid', code, message }, text);
    if (keys.length > most) {
      refuse('too_many_instruments', `a client may have ${most} instruments, this would be ${keys.length}`);
      return;
    }
    const longest = longestInsList(keys);
    if (insList.length > longest) {
      const message = `ins_list has ${insList.length} characters, and ${longest} are the most for the ${keys.length} instruments in it`;
      refuse('ins_list_too_long', message);
      return;
    }
    const unknown = yield* this.#parts.aid.subscribe(session.aid, insList, keys);
    session.noteAidSet();
    yield* this.#tellUnknown(session, unknown);
  }

  /**
   * Clients of this side show no error, but they and their logs keep the frame. Once for each name: they send the whole list
   * again with each instrument that joins it.
   */
  *#tellUnknown(session: ClientSession, unknown: readonly string[]): Work {
    if (unknown.length === 0) return;
    const told = (session.aid.toldUnknown ??= new Set());
    const names: string[] = [];
    for (const name of unknown) {
      if (told.size >= mostToldUnknown) break;
      const shown = ownText(name.slice(0, longestName));
      if (told.has(shown)) continue;
      told.add(shown);
      names.push(shown);
    }
    if (names.length === 0) return;
    const { directory, book } = this.#parts;
    const report = yield* unknownNames(names, 'aid', (name) => {
      const [mark] = otherSeparator.exec(name) ?? [];
      return mark === undefined
        ? directory.adviseUnknown(name, (slot) => book.value(slot, Field.openInterest))
        : { text: `ids are separated by "," and not by "${mark}"`, meant: [] };
    });
    this.#report(session, report);
  }

  *#setChart(session: ClientSession, request: ChartRequest, text: string): Work {
    const { problem } = request;
    if (problem !== undefined)
      this.#report(session, { side: 'aid', code: 'invalid_chart', message: problem }, text);
    if (!(yield* this.#parts.aid.chart(session.aid, request, text))) this.#tooMuchWaits(session, text);
  }

  *#insQuery(session: ClientSession, request: SymbolRequest, text: string): Work {
    const patch = yield* this.#parts.queries.answer(request);
    if (!this.#parts.aid.patch(session.aid, `query ${request.id}`, patch)) this.#tooMuchWaits(session, text);
  }

  #tooMuchWaits(session: ClientSession, text: string): void {
    const message = 'too many answers wait for peek_message: send it, and ask again';
    this.#report(session, { side: 'aid', code: 'answers_unread', message }, text);
  }

  #report(session: ClientSession, error: ErrorReport, requestJson?: string): void {
    const { socket } = session;
    socket.send(errorFrame(error, requestJson));
    if (!errorCatalogue[error.code].badFrame) return;
    this.badFrames++;
    if (!session.badFrames.add(performance.now())) return;
    this.#parts.limitedLog.write(
      `bad frames ${socket.address}`,
      'warn',
      marked('client_closed', { session: socket.id, address: socket.address }),
      `client ${socket.id} at ${socket.address} is closed: too many bad frames, the last one ${error.code}`,
      error.code,
    );
    socket.send(
      errorFrame({ side: 'both', code: 'too_many_bad_frames', message: 'too many bad frames, closing' }),
    );
    session.expel('too many bad frames');
  }
}
