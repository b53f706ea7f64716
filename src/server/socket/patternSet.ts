import type { InstrumentPattern } from '../../market/instruments/instrumentPattern.js';
import type { Expansion } from './expansions.js';
import type { PushOptions } from '../shared/pushOptions.js';

/** Patterns that one client may have: each is looked through whenever what is listed changes. */
export const mostPatterns = 100;

interface Entry {
  readonly pattern: InstrumentPattern;
  readonly options: PushOptions;
  readonly members: Set<string>;
  /** Instruments that the client has unsubscribed by name. */
  readonly without: Set<string>;
}

/** Effect of a new list on one pattern of a client. */
export interface PatternChange {
  readonly pattern: string;
  readonly options: PushOptions;
  /** Ids that are listed and not the client's. */
  readonly added: readonly string[];
  /** Ids that the client has by the pattern and that are listed no more. */
  readonly removed: readonly string[];
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
   * The client has the pattern, now or again. `ids` is what it comes to, `isNamed` what the client had by name before.
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

  /** The patterns, as they were written. */
  texts(): string[] {
    return [...this.#entries.keys()];
  }

  /** Effect of the present list on one of the patterns. */
  changes(text: string, expand: (pattern: InstrumentPattern) => Expansion): PatternChange {
    const { pattern, options, members, without } = this.#entries.get(text)!;
    const listed = expand(pattern);
    return {
      pattern: text,
      options,
      added: listed.ids.filter((id) => !members.has(id) && !without.has(id)),
      removed: [...members].filter((id) => !listed.set.has(id)),
    };
  }

  #release(id: string): boolean {
    if (!this.#byPattern.has(id)) return false;
    for (const { members } of this.#entries.values()) if (members.has(id)) return false;
    return this.#byPattern.delete(id);
  }
}
