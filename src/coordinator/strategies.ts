/** How an instrument's connection is chosen among those with room. */
export const strategies = ['round_robin', 'least_connections', 'connection_quality', 'hash_based'] as const;

export type Strategy = (typeof strategies)[number];

/** What a strategy may look at. */
export interface Candidate {
  readonly id: string;
  readonly index: number;
  /** Instruments that it carries now. */
  readonly load: number;
  readonly maxSubscriptions: number;
  /** 1 is the first choice, 10 the last. */
  readonly priority: number;
  /** 0–100. */
  readonly quality: number;
}

/**
 * Picks a connection for the instrument `key`; undefined when none has room.
 *
 * A connection of a later priority is used only when all of an earlier one are full. Within a priority:
 * round_robin takes them in turn (`turn` is the number of the choice), least_connections the one with the smallest
 * part of its room in use, connection_quality the best quality weighted by free room, and hash_based the highest
 * rendezvous hash, so that a connection that leaves moves only its own instruments.
 */
export function pickConnection(
  strategy: Strategy,
  key: string,
  candidates: readonly Candidate[],
  turn: number,
): Candidate | undefined {
  const open = candidates.filter((each) => each.load < each.maxSubscriptions);
  const first = open.reduce((best, each) => Math.min(best, each.priority), Infinity);
  const tier = open.filter((each) => each.priority === first);
  switch (strategy) {
    case 'round_robin':
      return tier[turn % tier.length];
    case 'least_connections':
      return best(tier, (each) => -each.load / each.maxSubscriptions);
    case 'connection_quality':
      return best(tier, (each) => (each.quality + 1) * (1 - each.load / each.maxSubscriptions));
    case 'hash_based':
      return best(tier, (each) => hash(`${key}@${each.id}`));
  }
}

/** The candidate of the highest score; the first of equals. */
function best(candidates: readonly Candidate[], score: (each: Candidate) => number): Candidate | undefined {
  let found: Candidate | undefined;
  let foundScore = -Infinity;
  for (const each of candidates) {
    const its = score(each);
    if (its > foundScore) {
      found = each;
      foundScore = its;
    }
  }
  return found;
}

/** FNV-1a with a final mix, over UTF-16 units: 32 unsigned bits. */
function hash(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
