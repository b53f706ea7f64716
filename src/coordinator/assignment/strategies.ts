import type { Strategy } from '../../config/gatewayConfig.js';

/** Facts that a strategy may use. */
export interface Candidate {
  /** Hash of the connection's name. */
  readonly hash: number;
  /** Instruments that it carries now, and how many it may carry. */
  readonly load: number;
  readonly limit: number;
  /** 1 is the first choice, 10 the last. */
  readonly priority: number;
  /** 0–100. */
  readonly score: number;
  /** Number of the choice that fell on it last; 0 for never. */
  readonly chosenAt: number;
}

/** How a strategy spreads instruments over the connections of one priority. */
export interface StrategyRow {
  /** How much the strategy likes to give an instrument, by its hash, to a connection; the greatest value wins. */
  readonly preference: (candidate: Candidate, instrumentHash: number) => number;
  /**
   * How many instruments a connection should carry, in proportion to the others.
   *
   * @param mostLimit the greatest limit of all connections
   */
  readonly weight: (candidate: Candidate, mostLimit: number) => number;
  /** Each instrument belongs on one connection, so nothing is moved to even out loads. */
  readonly hasHome: boolean;
}

/**
 * round_robin takes the connection that was chosen longest ago, least_connections the one with the smallest part of its
 * room in use, connection_quality the best quality weighted by free room, and hash_based the highest rendezvous hash, so
 * that a connection that leaves moves only its own instruments.
 */
export const strategyRows: Readonly<Record<Strategy, StrategyRow>> = {
  round_robin: {
    preference: ({ chosenAt }) => -chosenAt,
    weight: (_candidate, mostLimit) => mostLimit,
    hasHome: false,
  },
  least_connections: {
    preference: ({ load, limit }) => -load / limit,
    weight: ({ limit }) => limit,
    hasHome: false,
  },
  connection_quality: {
    preference: ({ score, load, limit }) => (score + 1) * (1 - load / limit),
    weight: ({ limit, score }) => (limit * (score + 1)) / 101,
    hasHome: false,
  },
  hash_based: {
    preference: ({ hash }, instrumentHash) => mixed(instrumentHash ^ hash),
    weight: ({ limit }) => limit,
    hasHome: true,
  },
};

/**
 * Picks a connection for an instrument; undefined when none that is allowed has room. A connection of a later priority is
 * used only when all of an earlier one are full.
 *
 * @param instrumentHash hashOf the instrument's name
 */
export function pickConnection<C extends Candidate>(
  strategy: Strategy,
  instrumentHash: number,
  candidates: readonly C[],
  allowed: (candidate: C) => boolean,
): C | undefined {
  const { preference } = strategyRows[strategy];
  let found: C | undefined;
  let foundPreference = -Infinity;
  for (const each of candidates) {
    if (each.load >= each.limit || (found !== undefined && each.priority > found.priority)) continue;
    const its = preference(each, instrumentHash);
    const better = found === undefined || each.priority < found.priority || its > foundPreference;
    if (!better || !allowed(each)) continue;
    found = each;
    foundPreference = its;
  }
  return found;
}

/** FNV-1a with a final mix, over UTF-16 units: 32 unsigned bits. */
export function hashOf(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return mixed(h);
}

function mixed(hash: number): number {
  let h = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
