import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { ScenarioResult } from '../scenarios/result.js';
import type { ScaleCurve } from '../scenarios/scale.js';

/** What has been measured so far: the newest of each scenario and of each curve. */
export interface Store {
  readonly results: readonly ScenarioResult[];
  readonly curves: readonly ScaleCurve[];
}

/** Empty where the file is not there. */
export function readStore(file: string): Store {
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Store) : { results: [], curves: [] };
}

export function writeStore(file: string, store: Store): void {
  writeFileSync(file, `${JSON.stringify(store, null, 1)}\n`);
}

/** `fresh` takes the place of what is stored under the same name; what is new comes last. */
export function merged(stored: Store, fresh: Store): Store {
  return {
    results: replaced(stored.results, fresh.results, ({ scenario }) => scenario),
    curves: replaced(stored.curves, fresh.curves, ({ against }) => against),
  };
}

function replaced<T>(stored: readonly T[], fresh: readonly T[], nameOf: (one: T) => string): T[] {
  const names = new Map(fresh.map((one) => [nameOf(one), one]));
  const known = new Set(stored.map(nameOf));
  return [
    ...stored.map((one) => names.get(nameOf(one)) ?? one),
    ...fresh.filter((one) => !known.has(nameOf(one))),
  ];
}
