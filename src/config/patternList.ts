import {
  parsePattern,
  patternForms,
  type InstrumentPattern,
} from '../market/instruments/instrumentPattern.js';
import type { Format } from './formats.js';

const maxPatterns = 10_000;

/** The problem with an entry; undefined if there is none. */
function problemOf(entry: unknown): string | undefined {
  if (typeof entry !== 'string') return 'it is no text';
  const parsed = parsePattern(entry);
  return 'problem' in parsed ? parsed.problem : undefined;
}

/** Patterns of instruments; as text, with commas between them. */
export const patternList: Format<readonly string[]> = {
  name: 'instrument patterns',
  allowed: `a list of at most ${maxPatterns} of ${patternForms}`,
  accepts: (value) =>
    Array.isArray(value) &&
    value.length <= maxPatterns &&
    value.every((entry) => problemOf(entry) === undefined),
  parse: (given) => given.split(',').map((entry) => entry.trim()),
  normalize: (value) => (Array.isArray(value) ? [...new Set(value.map(String))] : []),
  blame: (value) => {
    if (!Array.isArray(value) || value.length > maxPatterns) return undefined;
    const list = value as unknown[];
    const index = list.findIndex((entry) => problemOf(entry) !== undefined);
    const problem = problemOf(list[index]);
    return index < 0 || problem === undefined
      ? undefined
      : { index, value: list[index], allowed: patternForms, problem };
  },
};

/** The patterns of a list that its format has accepted. */
export function toPatterns(list: readonly string[]): InstrumentPattern[] {
  return list.map((text) => {
    const parsed = parsePattern(text);
    if ('problem' in parsed) throw new Error(`${text}: ${parsed.problem}`);
    return parsed;
  });
}
