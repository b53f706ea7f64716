import type { Strategy } from '../../config/gatewayConfig.js';

/** What a strategy may look at. */
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

/**
 * Picks a connection for an instrument; undefined when none that is allowed has room.
 *
 * A connection of a later priority is used only when all of an earlier one are full. Within a priority:
 * round_robin takes the one that was chosen longest ago, least_connections the one with the smallest part of its room
 * in use, connection_quality the best quality weighted by free room, and hash_based the highest rendezvous hash, so
 * that a connection that leaves moves only its own instruments.
 *
 * @param instrumentHash hashOf the instrument's name
 */
export function pickConnection<C extends Candidate>(
  strategy: Strategy,
  instrumentHash: number,
  candidates: readonly C[],
  allowed: (candidate: C) => boolean,
): C | undefined {
  let found: C | undefined;
  let foundPreference = -Infinity;
  for (const each of candidates) {
    if (each.load >= each.limit || (found !== undefined && each.priority > found.priority)) continue;
    const its = preference(strategy, instrumentHash, each);
    const better = found === undefined || each.priority < found.priority || its > foundPreference;
    if (!better || !allowed(each)) continue;
    found = each;
    foundPreference = its;
  }
  return found;
}

/** What a strategy likes best is greatest. */
export function preference(strategy: Strategy, instrumentHash: number, candidate: Candidate): number {
  const { hash, load, limit, score, chosenAt } = candidate;
  switch (strategy) {
    case 'round_robin':
      return -chosenAt;
    case 'least_connections':
      return -load / limit;
    case 'connection_quality':
      return (score + 1) * (1 - load / limit);
    case 'hash_based':
      return mixed(instrumentHash ^ hash);
  }
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
