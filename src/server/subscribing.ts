import { parsePattern, patternForms, type InstrumentPattern } from '../market/instrumentPattern.js';
import { F } from '../market/quoteFields.js';
import { actionAck, errorFrame, listingFrame, type ErrorReport } from './frames.js';
import type { ServerLimits } from './limits.js';
import type { ServedBook, ServedDirectory } from './market.js';
import type { PushOptions } from './messages.js';
import { mostPatterns, PatternSet, type ListDifference } from './patternSet.js';
import type { PushBoard } from './pushBoard.js';
import type { Session } from './session.js';

/** Names of a frame that are explained: each costs a look through the products. */
const mostExplained = 8;
/** Characters of it that a message shows. */
const longestName = 64;

export interface SubscribingParts {
  readonly directory: ServedDirectory;
  readonly book: ServedBook;
  readonly push: PushBoard;
  readonly limits: ServerLimits;
}

/** What a subscribe frame names, taken apart. */
interface Requested {
  readonly names: readonly string[];
  /** With what each comes to today. */
  readonly patterns: readonly { readonly pattern: InstrumentPattern; readonly ids: readonly string[] }[];
  /** Texts with a star that are no pattern, and why not. */
  readonly wrong: Readonly<Record<string, string>>;
}

/** The action protocol's subscriptions: by name, and by patterns that new listings join. */
export class Subscribing {
  readonly #parts: SubscribingParts;
  /** What each pattern came to when a client first had it, or when the list last changed. */
  #listed = new Map<string, ReadonlySet<string>>();

  constructor(parts: SubscribingParts) {
    this.#parts = parts;
  }

  /**
   * Subscribes, acknowledges, and has the snapshots sent. Nothing is changed when the client would have too many.
   *
   * @param report takes what the client is to be told of beside the acknowledgement, before the snapshots
   */
  subscribe(
    session: Session,
    instruments: readonly string[],
    options: PushOptions,
    report: (error: ErrorReport) => void,
  ): void {
    const { push } = this.#parts;
    const requested = this.#takeApart(instruments);
    const refusal = this.#tooMany(session, requested);
    if (refusal !== undefined) {
      report(refusal);
      return;
    }
    const accepted = new Set<string>();
    const unknown: string[] = [];
    for (const name of requested.names) {
      if (this.#add(session, name, options)) accepted.add(name);
      else unknown.push(name);
      session.patterns?.name(name);
    }
    const expanded: Record<string, readonly string[]> = {};
    for (const { pattern, ids } of requested.patterns)
      expanded[pattern.text] = this.#open(session, pattern, ids, options, accepted);
    session.socket.send(actionAck('subscribe', [...accepted], expanded));
    for (const error of this.#unknown(unknown)) report(error);
    for (const error of this.#expired(requested.names)) report(error);
    for (const error of odd(requested, expanded)) report(error);
    push.resume(session.push);
  }

  /** Unsubscribes what is named, by names and by patterns as they were subscribed, and acknowledges it. */
  unsubscribe(session: Session, instruments: readonly string[]): void {
    const { push } = this.#parts;
    const given: string[] = [];
    const closed: Record<string, readonly string[]> = {};
    for (const text of new Set(instruments)) {
      if (text.includes('*')) {
        closed[text] = session.patterns?.close(text) ?? [];
        for (const id of closed[text]) push.unsubscribe(session.push, id);
        given.push(...closed[text]);
      } else {
        session.patterns?.takeOut(text);
        push.unsubscribe(session.push, text);
        given.push(text);
      }
    }
    session.socket.send(actionAck('unsubscribe', [...new Set(given)], closed));
  }

  /** Lets what is newly listed join the patterns of these sessions, and what is listed no more leave them. */
  relist(sessions: Iterable<Session>): void {
    const before = this.#listed;
    this.#listed = new Map();
    // Found once for all clients: a list of thousands changes by a few.
    const differences = new Map<string, ListDifference>();
    const differenceOf = (pattern: InstrumentPattern): ListDifference => {
      const known = differences.get(pattern.text);
      if (known !== undefined) return known;
      const now = new Set(this.#parts.directory.expand(pattern));
      this.#listed.set(pattern.text, now);
      const found = difference(before.get(pattern.text) ?? new Set(), now);
      differences.set(pattern.text, found);
      return found;
    };
    for (const session of sessions)
      if (session.patterns !== undefined) this.#relist(session, session.patterns, differenceOf);
  }

  #relist(
    session: Session,
    patterns: PatternSet,
    differenceOf: (pattern: InstrumentPattern) => ListDifference,
  ): void {
    const { limits, push } = this.#parts;
    const { subscriptions } = session.push;
    const told: Record<string, { added: readonly string[]; removed: readonly string[] }> = {};
    const left: string[] = [];
    for (const { pattern, options, added, removed } of patterns.changes(differenceOf)) {
      const joined: string[] = [];
      for (const id of removed) if (patterns.part(pattern, id)) push.unsubscribe(session.push, id);
      for (const id of added) {
        const has = subscriptions.has(id);
        if (!has && subscriptions.size >= limits.maxInstrumentsPerClient) left.push(id);
        else if (has || this.#add(session, id, options)) {
          patterns.join(pattern, id, has && !patterns.isByPattern(id));
          joined.push(id);
        }
      }
      if (joined.length + removed.length > 0) told[pattern] = { added: joined, removed };
    }
    if (Object.keys(told).length > 0) session.socket.send(listingFrame(told));
    if (left.length > 0) session.socket.send(errorFrame(tooManyListed(left, limits)));
    push.resume(session.push);
  }

  #takeApart(instruments: readonly string[]): Requested {
    const names: string[] = [];
    const patterns: { pattern: InstrumentPattern; ids: readonly string[] }[] = [];
    const wrong: Record<string, string> = {};
    for (const text of new Set(instruments)) {
      if (!text.includes('*')) {
        names.push(text);
        continue;
      }
      const parsed = parsePattern(text);
      if ('problem' in parsed) wrong[text] = parsed.problem;
      // Past the limit they are counted alone.
      else
        patterns.push({
          pattern: parsed,
          ids: patterns.length < mostPatterns ? this.#parts.directory.expand(parsed) : [],
        });
    }
    return { names, patterns, wrong };
  }

  #tooMany(session: Session, { names, patterns }: Requested): ErrorReport | undefined {
    const { maxInstrumentsPerClient: most } = this.#parts.limits;
    const { subscriptions } = session.push;
    const opened = patterns.filter(({ pattern }) => session.patterns?.has(pattern.text) !== true).length;
    const patternCount = opened + (session.patterns?.size ?? 0);
    if (patternCount > mostPatterns)
      return tooMany(`a client may have ${mostPatterns} patterns, this would be ${patternCount}`);
    const added = new Set(names.filter((id) => !subscriptions.has(id)));
    for (const { ids } of patterns) for (const id of ids) if (!subscriptions.has(id)) added.add(id);
    const count = subscriptions.size + added.size;
    if (count <= most) return undefined;
    const sizes = patterns
      .map(({ pattern, ids }) => `${pattern.text} has ${ids.length}`)
      .slice(0, mostExplained);
    const because = sizes.length === 0 ? '' : `: ${sizes.join(', ')}`;
    return tooMany(`a client may have ${most} instruments, this would be ${count}${because}`);
  }

  /**
   * Opens a pattern, or opens it anew.
   *
   * @param accepted ids that this frame has subscribed already, to which the pattern's are added
   * @returns its ids
   */
  #open(
    session: Session,
    pattern: InstrumentPattern,
    ids: readonly string[],
    options: PushOptions,
    accepted: Set<string>,
  ): string[] {
    const { push } = this.#parts;
    const patterns = (session.patterns ??= new PatternSet());
    if (!this.#listed.has(pattern.text)) this.#listed.set(pattern.text, new Set(ids));
    const named = new Set(
      ids.filter((id) => session.push.subscriptions.has(id) && !patterns.isByPattern(id)),
    );
    const members = ids.filter((id) => accepted.has(id) || this.#add(session, id, options));
    for (const id of members) accepted.add(id);
    const left = patterns.open(pattern, options, members, (id) => named.has(id));
    for (const id of left) push.unsubscribe(session.push, id);
    return members;
  }

  #unknown(names: readonly string[]): ErrorReport[] {
    if (names.length === 0) return [];
    const { directory } = this.#parts;
    const suggestions: Record<string, readonly string[]> = {};
    const explained = names.slice(0, mostExplained).map((name) => {
      const { text, meant } = directory.adviseUnknown(name, this.#openInterest);
      if (meant.length > 0) suggestions[name] = meant;
      return `${JSON.stringify(name.slice(0, longestName))} (${text})`;
    });
    const more = names.length > mostExplained ? ', …' : '';
    return [
      {
        side: 'action',
        code: 'unknown_instrument',
        message: `no such instruments: ${explained.join(', ')}${more}`,
        details: { instruments: names, suggestions },
      },
    ];
  }

  /** They are subscribed all the same: recordings of their days may be replayed. */
  #expired(names: readonly string[]): ErrorReport[] {
    const { directory } = this.#parts;
    const expired = directory.expiredOf(names);
    if (expired.length === 0) return [];
    const suggestions: Record<string, readonly string[]> = {};
    const explained = expired.slice(0, mostExplained).map((name) => {
      const { text, meant } = directory.adviseExpired(name, this.#openInterest);
      if (meant.length > 0) suggestions[name] = meant;
      return `${name} (${text})`;
    });
    const more = expired.length > mostExplained ? ', …' : '';
    return [
      {
        side: 'action',
        code: 'expired_instrument',
        message: `no ticks are to be expected of ${explained.join(', ')}${more}`,
        details: { instruments: expired, suggestions },
      },
    ];
  }

  readonly #openInterest = (slot: number): number => this.#parts.book.value(slot, F.openInterest);

  /** False where there is no such instrument. */
  #add(session: Session, id: string, options: PushOptions): boolean {
    const instrument = this.#parts.directory.resolve(id);
    if (instrument === undefined) return false;
    this.#parts.push.subscribe(session.push, id, instrument, options);
    return true;
  }
}

function tooMany(message: string): ErrorReport {
  return { side: 'action', code: 'too_many_instruments', message };
}

function tooManyListed(left: readonly string[], { maxInstrumentsPerClient }: ServerLimits): ErrorReport {
  const message = `a client may have ${maxInstrumentsPerClient} instruments: ${left.length} that are newly listed do not join its patterns`;
  return { side: 'action', code: 'too_many_instruments', message, details: { instruments: left } };
}

function difference(before: ReadonlySet<string>, now: ReadonlySet<string>): ListDifference {
  return {
    added: [...now].filter((id) => !before.has(id)),
    removed: [...before].filter((id) => !now.has(id)),
  };
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
