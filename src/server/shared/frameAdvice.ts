import { closest } from '../../base/spelling.js';

const shownChars = 64;
/** Keys of a frame that are looked through for a misspelt one. */
const lookedAtKeys = 32;
/** Members with which clients number their frames. */
const ownKey = 'id';

/**
 * Ends the message on a frame that lacks a key with the one that may have been meant to be it. Other keys that are not known
 * are no mistake: clients put ids and notes of their own there.
 */
export function misspelt(frame: Readonly<Record<string, unknown>>, key: string): string {
  if (Object.hasOwn(frame, key)) return '';
  const near = closest(
    key,
    Object.keys(frame)
      .slice(0, lookedAtKeys)
      .filter((each) => each.length <= shownChars && each !== ownKey),
  );
  return near === undefined ? '' : `; it has ${show(near)}, did you mean ${key}?`;
}

/** Begins the advice on a name that is not known. */
export function meant(name: unknown, known: readonly string[]): string {
  const near = typeof name === 'string' && name.length <= shownChars ? closest(name, known) : undefined;
  return near === undefined ? '' : `did you mean ${near}? `;
}

/** The names as a sentence has them: a, b or c. */
export function listed(names: readonly string[]): string {
  return `${names.slice(0, -1).join(', ')} or ${names.at(-1)!}`;
}

/** Ends a sentence that asks for a list of strings. */
export function whyNoStringList(value: unknown): string {
  if (!Array.isArray(value)) return `not ${show(value)}`;
  const list = value as unknown[];
  const odd = list.findIndex((each) => typeof each !== 'string');
  return odd < 0 ? `not ${show(value)}` : `and entry ${odd} of this one is ${show(list[odd])}`;
}

/** A value for a message: scalars as JSON, cut short; of the rest only the kind, since it may be deep and long. */
export function show(value: unknown): string {
  if (value === undefined) return 'absent';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object' && value !== null) return 'an object';
  return cut(JSON.stringify(value));
}

export function cut(text: string): string {
  return text.length <= shownChars ? text : `${text.slice(0, shownChars)}…`;
}
