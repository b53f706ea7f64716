import type { Advice } from '../../market/instruments/instrumentAdvice.js';
import type { ErrorSide } from '../shared/errors.js';
import type { ErrorReport } from './frames.js';

/** Names of a frame that are explained: each costs a look through the products. */
export const mostExplained = 8;
/** Characters of it that a message shows. */
export const longestName = 64;

/** Tells a client which names no instrument can have, and what may have been meant by the first of them, in steps. */
export function* unknownNames(
  names: readonly string[],
  side: ErrorSide,
  advise: (name: string) => Advice,
): Generator<undefined, ErrorReport> {
  const suggestions: Record<string, readonly string[]> = {};
  const explained: string[] = [];
  for (const name of names.slice(0, mostExplained)) {
    const { text, meant } = advise(name);
    if (meant.length > 0) suggestions[name] = meant;
    explained.push(`${JSON.stringify(name.slice(0, longestName))} (${text})`);
    yield;
  }
  const more = names.length > mostExplained ? ', …' : '';
  return {
    side,
    code: 'unknown_instrument',
    message: `no such instruments: ${explained.join(', ')}${more}`,
    details: { instruments: names, suggestions },
  };
}
