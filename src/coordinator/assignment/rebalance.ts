import type { ConnectionRecord } from './connectionRecord.js';
import type { Line } from './connectionRecord.js';
import type { Strategy } from '../../config/gatewayConfig.js';
import { strategyRows } from './strategies.js';

/** A difference in level below it is left alone: moving costs two subscriptions and nobody gains. */
const toleratedDifference = 0.15;
/** An earlier priority counts more than any difference in level. */
const perPriority = 1000;

export interface Move {
  readonly line: Line;
  readonly to: ConnectionRecord;
}

/** How lines that may move are looked for. */
export interface Search {
  /** Whether the line may go there now. */
  readonly mayMove: (line: Line, to: ConnectionRecord) => boolean;
  /** At which of a connection's lines to begin; another one each time, so that every line has its turn. */
  readonly offset: number;
  /** How many lines to look at; 0 or less afterwards when that was not enough. */
  looks: number;
}

/**
 * Moves that even connections out, a few at a time: from later priorities into room of earlier ones, then from the
 * fullest connection of a priority to the emptiest. Each move lowers the unevenness, so a row of them ends, and what
 * they led to is left alone.
 *
 * A strategy with a home for each instrument evens nothing out: only priorities matter here.
 *
 * @param connections those that are logged in and may take lines
 */
export function planMoves(
  strategy: Strategy,
  connections: readonly ConnectionRecord[],
  budget: number,
  search: Search,
): Move[] {
  const { hasHome, weight } = strategyRows[strategy];
  const count = connections.length;
  const loads = Float64Array.from(connections, (each) => each.load);
  /** Slots in use: a leaving line keeps its slot until its replacement is active. */
  const occupied = Float64Array.from(loads);
  const mostLimit = connections.reduce((most, { limit }) => Math.max(most, limit), 1);
  const weights = Float64Array.from(connections, (each) => weight(each, mostLimit));
  const impossible = new Set<number>();
  const moved = new Set<Line>();
  const moves: Move[] = [];

  /** Gain of a move; 0 or less if it is not worth it. */
  const gain = (from: number, to: number): number => {
    const priorities = connections[from]!.priority - connections[to]!.priority;
    if (priorities !== 0) return priorities * perPriority;
    if (hasHome) return 0;
    const difference = (loads[from]! - 1) / weights[from]! - (loads[to]! + 1) / weights[to]!;
    return difference > toleratedDifference ? difference : 0;
  };

  const order = Array.from({ length: count }, (_, index) => index);
  const emptiestFirst = (a: number, b: number): number =>
    connections[a]!.priority - connections[b]!.priority || loads[a]! / weights[a]! - loads[b]! / weights[b]!;

  /** Where the next line comes from to make the most of a place; -1 for nowhere. */
  const bestSource = (to: number): number => {
    let best = -1;
    let bestGain = 0;
    if (occupied[to]! >= connections[to]!.limit) return best;
    for (let from = 0; from < count; from++) {
      if (from === to || loads[from] === 0) continue;
      const its = gain(from, to);
      if (its <= bestGain || impossible.has(from * count + to)) continue;
      best = from;
      bestGain = its;
    }
    return best;
  };

  while (moves.length < budget) {
    let from = -1;
    const to = order.sort(emptiestFirst).find((each) => (from = bestSource(each)) >= 0);
    if (to === undefined) break;
    const line = firstMovable(connections[from]!, connections[to]!, moved, search);
    if (search.looks <= 0) break;
    if (line === undefined) {
      impossible.add(from * count + to);
      continue;
    }
    moved.add(line);
    moves.push({ line, to: connections[to]! });
    loads[from]!--;
    loads[to]!++;
    occupied[to]!++;
  }
  return moves;
}

function firstMovable(
  from: ConnectionRecord,
  to: ConnectionRecord,
  moved: ReadonlySet<Line>,
  search: Search,
): Line | undefined {
  const lines = [...from.lines.values()];
  for (let i = 0; i < lines.length; i++) {
    if (search.looks-- <= 0) return undefined;
    const line = lines[(search.offset + i) % lines.length]!;
    if (!moved.has(line) && search.mayMove(line, to)) return line;
  }
  return undefined;
}
