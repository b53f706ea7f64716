import type { InstrumentPattern } from '../market/instrumentPattern.js';
import type { PushOptions } from './messages.js';

/** Patterns that one client may have: each is looked through whenever what is listed changes. */
export const mostPatterns = 100;

interface Entry {
  readonly pattern: InstrumentPattern;
  readonly options: PushOptions;
  readonly members: Set<string>;
  /** What the client has taken out of the pattern by name. */
  readonly without: Set<string>;
}

/** What of a pattern is listed now and was not, and the other way round. */
export interface ListDifference {
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

/** What a new list means for one pattern of a client. */
export interface PatternChange extends ListDifference {
  readonly pattern: string;
  readonly options: PushOptions;
}

/**
 * The patterns of one client, and which of its instruments it has by them alone. An instrument that was subscribed by its
 * name too stays when the pattern goes; one that is unsubscribed by its name is in no pattern any more.
 */
export class PatternSet {
  readonly #entries = new Map<string, Entry>();
  /** Ids that are subscribed for the sake of patterns only. */
  readonly #byPattern = new Set<string>();

  get size(): number {
    return this.#entries.size;
  }

  has(pattern: string): boolean {
    return this.#entries.has(pattern);
  }

  /**
   * The client has the pattern, now or anew. `ids` is what it comes to, `isNamed` what the client had by name before.
   *
   * @returns what the client had by the pattern before, and has for no reason now
   */
  open(
    pattern: InstrumentPattern,
    options: PushOptions,
    ids: readonly string[],
    isNamed: (id: string) => boolean,
  ): string[] {
    const before = this.#entries.get(pattern.text)?.members ?? [];
    const entry = { pattern, options, members: new Set<string>(), without: new Set<string>() };
    this.#entries.set(pattern.text, entry);
    for (const id of ids) this.join(pattern.text, id, isNamed(id));
    return [...before].filter((id) => this.#release(id));
  }

  /** The id is one of the pattern's. */
  join(pattern: string, id: string, isNamed: boolean): void {
    this.#entries.get(pattern)?.members.add(id);
    if (!isNamed) this.#byPattern.add(id);
  }

  /** True for what is subscribed for the sake of patterns only. */
  isByPattern(id: string): boolean {
    return this.#byPattern.has(id);
  }

  /** The client subscribes the id by its name. */
  name(id: string): void {
    this.#byPattern.delete(id);
  }

  /** The client does not want the id, whatever its patterns are. */
  takeOut(id: string): void {
    this.#byPattern.delete(id);
    for (const { members, without } of this.#entries.values()) if (members.delete(id)) without.add(id);
  }

  /** The client gives the pattern up; what it has for no other reason is returned. */
  close(pattern: string): string[] {
    const entry = this.#entries.get(pattern);
    if (entry === undefined) return [];
    this.#entries.delete(pattern);
    return [...entry.members].filter((id) => this.#release(id));
  }

  /** The id has left the pattern; true when the client has it for no other reason. */
  part(pattern: string, id: string): boolean {
    this.#entries.get(pattern)?.members.delete(id);
    return this.#release(id);
  }

  /** What a new list changes for the client, pattern by pattern. */
  *changes(differenceOf: (pattern: InstrumentPattern) => ListDifference): Generator<PatternChange> {
    for (const { pattern, options, members, without } of this.#entries.values()) {
      const listed = differenceOf(pattern);
      const added = listed.added.filter((id) => !members.has(id) && !without.has(id));
      const removed = listed.removed.filter((id) => members.has(id));
      if (added.length + removed.length > 0) yield { pattern: pattern.text, options, added, removed };
    }
  }

  #release(id: string): boolean {
    if (!this.#byPattern.has(id)) return false;
    for (const { members } of this.#entries.values()) if (members.has(id)) return false;
    return this.#byPattern.delete(id);
  }
}
