import {
  matches,
  parsePattern,
  patternForms,
  type InstrumentPattern,
} from '../../market/instruments/instrumentPattern.js';
import type { Exchange } from '../../market/instruments/products.js';
import { Field } from '../../market/quotes/quoteFields.js';
import { actionAck, errorFrame, listingFrame, type ErrorReport } from './frames.js';
import { Expansions } from './expansions.js';
import type { Work } from '../fairness/clientRequests.js';
import type { ServerLimits } from './limits.js';
import type { ServedBook, ServedDirectory, ServedInstrument } from '../shared/servedMarket.js';
import type { PushOptions } from '../shared/pushOptions.js';
import { mostPatterns, PatternSet } from './patternSet.js';
import type { PushBoard } from './pushBoard.js';
import type { ClientSession } from './clientSession.js';
import { longestName, mostExplained, unknownNames } from './unknownNames.js';
import type { WaitingBoard } from './waitingBoard.js';

/** The pattern of all instruments. */
const allOf = '*';
/** Names that are looked up or taken in or out in one step. */
const namesPerStep = 128;
/** Names that are only compared in one step. */
const comparedPerStep = 4096;

export interface ActionSubscriptionsParts {
  readonly directory: ServedDirectory;
  readonly book: ServedBook;
  readonly push: PushBoard;
  readonly waiting: WaitingBoard;
  readonly limits: ServerLimits;
}

/** The instruments of a subscribe frame, sorted by kind. */
interface Requested {
  readonly names: readonly string[];
  readonly patterns: readonly InstrumentPattern[];
  /** Texts with a star that are no pattern, and why not. */
  readonly wrong: Readonly<Record<string, string>>;
}

/** The action protocol's subscriptions: by name, and by patterns that new listings join. */
export class ActionSubscriptions {
  readonly #parts: ActionSubscriptionsParts;
  readonly #expansions: Expansions;

  constructor(parts: ActionSubscriptionsParts) {
    this.#parts = parts;
    this.#expansions = new Expansions(parts.directory);
  }

  /**
   * Subscribes and acknowledges, in steps; the snapshots are to be sent afterwards. Nothing is changed when the client
   * would have too many.
   *
   * @param report takes errors for the client, in addition to the acknowledgement
   */
  *subscribe(
    session: ClientSession,
    instruments: readonly string[],
    options: PushOptions,
    report: (error: ErrorReport) => void,
  ): Work {
    const requested = this.#takeApart(instruments);
    const refusal = yield* this.#tooMany(session, requested);
    if (refusal !== undefined) {
      report(refusal);
      return;
    }
    const accepted = new Set<string>();
    const unknown: string[] = [];
    let added = 0;
    for (const name of requested.names) {
      if (this.#add(session, name, options)) accepted.add(name);
      else unknown.push(name);
      session.patterns?.name(name);
      if (++added % namesPerStep === 0) yield;
    }
    const expanded: Record<string, readonly string[]> = {};
    for (const pattern of requested.patterns)
      expanded[pattern.text] = yield* this.#open(session, pattern, options, accepted);
    const full = new Set<string>();
    for (const name of unknown) {
      if (this.#parts.directory.lacksSlot(name)) full.add(name);
      if (++added % namesPerStep === 0) yield;
    }
    const slots = yield* this.#slotsOf(accepted);
    session.demand.commit();
    yield* this.#noteWaiting(session, slots);
    const errors = [
      ...(yield* this.#unknown(unknown.filter((name) => !full.has(name)))),
      ...this.#noSlots([...full]),
      ...(yield* this.#expired(requested.names)),
      ...odd(requested, expanded),
    ];
    // The last step: ticks that come between the acknowledgement and the snapshots would not be sent one by one.
    const waiting = stillWaiting(session, slots);
    // A client that looks no further than here must not take it for done where nothing of it could be.
    const isInVain = instruments.length > 0 && accepted.size + requested.patterns.length === 0;
    const status = isInVain ? 'error' : 'ok';
    session.socket.send(actionAck('subscribe', [...accepted], expanded, waiting, status));
    for (const error of errors) report(error);
    session.noteSubscriptions();
  }

  /**
   * Unsubscribes what is named and acknowledges it, in steps: by names, by patterns as they were subscribed, and by patterns of
   * which the client has some by name. `*` is all that it has.
   */
  *unsubscribe(session: ClientSession, instruments: readonly string[]): Work {
    const { push } = this.#parts;
    const given: string[] = [];
    const closed: Record<string, readonly string[]> = {};
    let removed = 0;
    for (const text of new Set(instruments)) {
      const isPattern = text.includes('*');
      const ids = isPattern ? (closed[text] = yield* this.#close(session, text)) : [text];
      if (!isPattern) session.patterns?.takeOut(text);
      for (const id of ids) {
        push.unsubscribe(session.push, id);
        given.push(id);
        if (++removed % namesPerStep === 0) yield;
      }
    }
    this.#forgetWaiting(session, given);
    session.noteSubscriptions();
    session.socket.send(actionAck('unsubscribe', [...new Set(given)], closed));
  }

  /** Gives a pattern up. Returns the ids that the client is to have no more. */
  *#close(session: ClientSession, text: string): Generator<undefined, readonly string[]> {
    const { patterns, push } = session;
    if (text === allOf) {
      for (const each of patterns?.texts() ?? []) {
        patterns?.close(each);
        yield;
      }
      return [...push.subscriptions.keys()];
    }
    if (patterns?.has(text) === true) return patterns.close(text);
    const pattern = parsePattern(text);
    if ('problem' in pattern) return [];
    const found: string[] = [];
    let compared = 0;
    for (const [id, { channel }] of push.subscriptions) {
      if (matches(pattern, ofExchange(this.#parts.directory.bySlot(channel.slot)))) found.push(id);
      if (++compared % namesPerStep === 0) yield;
    }
    for (const id of found) {
      patterns?.takeOut(id);
      if (++compared % namesPerStep === 0) yield;
    }
    return found;
  }

  /** Lets what is newly listed join the session's patterns, and what is listed no more leave them, in steps. */
  *relist(session: ClientSession): Work {
    const { patterns } = session;
    if (patterns === undefined) return;
    const { limits, push } = this.#parts;
    const { subscriptions } = session.push;
    const told: Record<string, { added: readonly string[]; removed: readonly string[] }> = {};
    const left: string[] = [];
    let done = 0;
    for (const text of patterns.texts()) {
      const { pattern, options, added, removed } = patterns.changes(text, (each) =>
        this.#expansions.of(each),
      );
      yield;
      const joined: string[] = [];
      for (const id of removed) {
        if (patterns.part(pattern, id)) push.unsubscribe(session.push, id);
        if (++done % namesPerStep === 0) yield;
      }
      for (const id of added) {
        const has = subscriptions.has(id);
        if (!has && subscriptions.size >= limits.maxInstrumentsPerClient) left.push(id);
        else if (has || this.#add(session, id, options)) {
          patterns.join(pattern, id, has && !patterns.isByPattern(id));
          joined.push(id);
        }
        if (++done % namesPerStep === 0) yield;
      }
      if (joined.length + removed.length > 0) told[pattern] = { added: joined, removed };
    }
    if (Object.keys(told).length > 0) session.socket.send(listingFrame(told));
    if (left.length > 0) session.socket.send(errorFrame(tooManyListed(left, limits)));
    session.noteSubscriptions();
  }

  #takeApart(instruments: readonly string[]): Requested {
    const names: string[] = [];
    const patterns: InstrumentPattern[] = [];
    const wrong: Record<string, string> = {};
    for (const text of new Set(instruments)) {
      if (!text.includes('*')) {
        names.push(text);
        continue;
      }
      const parsed = parsePattern(text);
      if ('problem' in parsed) wrong[text] = parsed.problem;
      else patterns.push(parsed);
    }
    return { names, patterns, wrong };
  }

  *#tooMany(
    session: ClientSession,
    { names, patterns }: Requested,
  ): Generator<undefined, ErrorReport | undefined> {
    const { maxInstrumentsPerClient: most } = this.#parts.limits;
    const { subscriptions } = session.push;
    const opened = patterns.filter(({ text }) => session.patterns?.has(text) !== true).length;
    const patternCount = opened + (session.patterns?.size ?? 0);
    if (patternCount > mostPatterns)
      return tooMany(`a client may have ${mostPatterns} patterns, this would be ${patternCount}`);
    const added = new Set<string>();
    const lists = [names];
    for (const pattern of patterns) {
      lists.push(this.#expansions.of(pattern).ids);
      yield;
    }
    let compared = 0;
    for (const ids of lists)
      for (const id of ids) {
        if (!subscriptions.has(id)) added.add(id);
        if (++compared % comparedPerStep === 0) yield;
      }
    const count = subscriptions.size + added.size;
    if (count <= most) return undefined;
    const sizes = patterns
      .slice(0, mostExplained)
      .map((pattern) => `${pattern.text} has ${this.#expansions.of(pattern).ids.length}`);
    const because = sizes.length === 0 ? '' : `: ${sizes.join(', ')}`;
    return tooMany(`a client may have ${most} instruments, this would be ${count}${because}`);
  }

  /**
   * Opens a pattern, or opens it again, in steps.
   *
   * @param accepted ids that this frame has subscribed already, to which the pattern's are added
   * @returns its ids
   */
  *#open(
    session: ClientSession,
    pattern: InstrumentPattern,
    options: PushOptions,
    accepted: Set<string>,
  ): Generator<undefined, string[]> {
    const { push } = this.#parts;
    const patterns = (session.patterns ??= new PatternSet());
    const { ids } = this.#expansions.of(pattern);
    const named = new Set<string>();
    const members: string[] = [];
    let done = 0;
    for (const id of ids) {
      if (session.push.subscriptions.has(id) && !patterns.isByPattern(id)) named.add(id);
      if (accepted.has(id) || this.#add(session, id, options)) {
        members.push(id);
        accepted.add(id);
      }
      if (++done % namesPerStep === 0) yield;
    }
    for (const id of patterns.open(pattern, options, members, (each) => named.has(each)))
      push.unsubscribe(session.push, id);
    return members;
  }

  *#unknown(names: readonly string[]): Generator<undefined, ErrorReport[]> {
    if (names.length === 0) return [];
    const { directory } = this.#parts;
    return [
      yield* unknownNames(names, 'action', (name) => directory.adviseUnknown(name, this.#openInterest)),
    ];
  }

  #noSlots(names: readonly string[]): ErrorReport[] {
    if (names.length === 0) return [];
    this.#parts.directory.countRefused(names.length);
    const shown = names.slice(0, mostExplained).join(', ');
    const more = names.length > mostExplained ? ', …' : '';
    const message = `no room for further instruments that are not listed: ${shown}${more}; ask again when others are unsubscribed`;
    return [{ side: 'action', code: 'no_slots', message, details: { instruments: names } }];
  }

  /** They are subscribed nevertheless: recordings of their days may be replayed. */
  *#expired(names: readonly string[]): Generator<undefined, ErrorReport[]> {
    const { directory } = this.#parts;
    const expired: string[] = [];
    for (let from = 0; from < names.length; from += namesPerStep) {
      expired.push(...directory.expiredOf(names.slice(from, from + namesPerStep)));
      if (from + namesPerStep < names.length) yield;
    }
    if (expired.length === 0) return [];
    const suggestions: Record<string, readonly string[]> = {};
    const explained: string[] = [];
    for (const name of expired.slice(0, mostExplained)) {
      const { text, meant } = directory.adviseExpired(name, this.#openInterest);
      if (meant.length > 0) suggestions[name] = meant;
      explained.push(`${name} (${text})`);
      yield;
    }
    return [
      {
        side: 'action',
        code: 'expired_instrument',
        message: `no ticks are to be expected of ${explained.join(', ')}${expired.length > mostExplained ? ', …' : ''}`,
        details: { instruments: expired, suggestions },
      },
    ];
  }

  *#slotsOf(ids: Iterable<string>): Generator<undefined, Map<string, number>> {
    const slots = new Map<string, number>();
    for (const id of ids) {
      const instrument = this.#parts.directory.find(id);
      if (instrument !== undefined) slots.set(id, instrument.slot);
      if (slots.size % comparedPerStep === 0) yield;
    }
    return slots;
  }

  /** Counts the client as reported those of the ids that have to wait, in steps. */
  *#noteWaiting(session: ClientSession, slots: ReadonlyMap<string, number>): Work {
    const ids = [...slots];
    for (let from = 0; from < ids.length; from += comparedPerStep) {
      const some = ids.slice(from, from + comparedPerStep);
      const late = new Set(session.demand.waiting(some.map(([, slot]) => slot)));
      for (const [id, slot] of some) if (late.has(slot)) this.#parts.waiting.told(session, id, slot);
      if (from + comparedPerStep < ids.length) yield;
    }
  }

  #forgetWaiting(session: ClientSession, ids: readonly string[]): void {
    if (session.waiting === undefined) return;
    const { directory, waiting } = this.#parts;
    for (const id of ids) {
      const instrument = directory.find(id);
      if (instrument !== undefined) waiting.forget(session, instrument.slot);
    }
  }

  readonly #openInterest = (slot: number): number => this.#parts.book.value(slot, Field.openInterest);

  /** False where there is no such instrument. */
  #add(session: ClientSession, id: string, options: PushOptions): boolean {
    const instrument = this.#parts.directory.resolve(id, session.demand.unproven);
    if (instrument === undefined) return false;
    this.#parts.push.subscribe(session.push, id, instrument, options);
    return true;
  }
}

/** Those of the ids that the client is to be told are waiting; some may have been served since that was noted. */
function stillWaiting({ waiting }: ClientSession, slots: ReadonlyMap<string, number>): string[] {
  if (waiting === undefined) return [];
  const ids: string[] = [];
  for (const [id, slot] of slots) if (waiting.get(slot)?.includes(id) === true) ids.push(id);
  return ids;
}

function ofExchange({ id, key }: ServedInstrument): Parameters<typeof matches>[1] {
  return { id, exchange: key.slice(0, -id.length - 1) as Exchange };
}

function tooMany(message: string): ErrorReport {
  return { side: 'action', code: 'too_many_instruments', message };
}

function tooManyListed(left: readonly string[], { maxInstrumentsPerClient }: ServerLimits): ErrorReport {
  const message = `a client may have ${maxInstrumentsPerClient} instruments: ${left.length} that are newly listed do not join its patterns`;
  return { side: 'action', code: 'too_many_instruments', message, details: { instruments: left } };
}

/** Patterns that are none, and those that nothing is listed of. */
function odd({ wrong }: Requested, expanded: Readonly<Record<string, readonly string[]>>): ErrorReport[] {
  const reports: ErrorReport[] = [];
  const problems = Object.entries(wrong).map(
    ([text, problem]) => `${text.slice(0, longestName)}: ${problem}`,
  );
  if (problems.length > 0)
    reports.push({
      side: 'action',
      code: 'invalid_pattern',
      message: `${problems.slice(0, mostExplained).join('; ')}; a pattern is ${patternForms}`,
      details: { patterns: Object.keys(wrong) },
    });
  const empty = Object.keys(expanded).filter((text) => expanded[text]!.length === 0);
  if (empty.length > 0)
    reports.push({
      side: 'action',
      code: 'empty_pattern',
      message: `nothing is listed so far of ${empty.slice(0, mostExplained).join(', ')}; case counts, and what will be listed joins it`,
      details: { patterns: empty },
    });
  return reports;
}
