import type { ConnectionPlan, ConnectionRecord } from './connectionRecord.js';
import type { Line, Want } from './line.js';

/** What exists sends a snapshot on subscription: what had a line this long without any tick is there in vain. */
const inVainMs = 60_000;

/** A line that stays, and that carries ticks or, without failover, will carry them again. */
export function isGood(line: Line, autoFailover: boolean): boolean {
  return !line.leaving && (line.connection.isUp || !autoFailover);
}

export function mayCarry(connection: ConnectionRecord, want: Want): boolean {
  return (
    want.refusedBy?.has(connection) !== true && !want.lines.some((line) => line.connection === connection)
  );
}

/** Those without a line first, then those that more sessions want; what exists before what hardly does. */
export function byNeed(wants: Want[], autoFailover: boolean): Want[] {
  const rank = (want: Want): number =>
    (want.lines.some((line) => isGood(line, autoFailover)) ? 2 : 0) + (want.inVain ? 1 : 0);
  const ranked = wants.map((want) => ({ want, rank: rank(want) }));
  ranked.sort((a, b) => a.rank - b.rank || b.want.count - a.want.count);
  return ranked.map(({ want }) => want);
}

/**
 * The lines of a connection that carries more than it may, those first that are missed least: of what nobody wants any
 * more, then of what has active lines elsewhere.
 */
export function leastNeeded(connection: ConnectionRecord, wants: ReadonlyMap<number, Want>): Line[] {
  const others = (line: Line): number => {
    const { count, lines } = wants.get(line.slot)!;
    return count === 0 ? Infinity : lines.filter((each) => each !== line && each.state === 'active').length;
  };
  const ranked = [...connection.lines.values()].map((line) => ({ line, others: others(line) }));
  ranked.sort((a, b) => (a.others < b.others ? 1 : a.others > b.others ? -1 : 0));
  return ranked.map(({ line }) => line);
}

/**
 * A connection for an instrument that is only tried out: the emptiest one on which so few are tried that no decision
 * about what clients want is different for it. Fronts that make ticks of whatever they are asked for prove nothing.
 *
 * @param share part of a connection that may be used so, and as much of it stays free beside
 */
export function pickForTrial(
  connections: readonly ConnectionRecord[],
  share: number,
): ConnectionRecord | undefined {
  let found: ConnectionRecord | undefined;
  for (const each of connections) {
    const most = Math.floor(share * each.limit);
    if (each.trials >= most || each.load + most > each.limit || !provesExistence(each.plan)) continue;
    if (found === undefined || each.load / each.limit < found.load / found.limit) found = each;
  }
  return found;
}

/** False where the library itself makes the ticks, of any instrument. */
export function provesExistence({ fronts }: Pick<ConnectionPlan, 'fronts'>): boolean {
  return !fronts.some((front) => front.startsWith('sim://'));
}

/** A line whose room may go to instruments that at least so many sessions want. */
export interface Spare {
  readonly line: Line;
  readonly weight: number;
}

/**
 * Lines whose room may go to instruments that have none, those that are missed least first: of instruments that nobody
 * wants any more, second lines, of instruments that hardly exist, which are marked so, and the only lines of those that
 * half as many sessions want. In the order of their weights.
 *
 * @param most how many sessions want the most wanted of those without a line
 */
export function spareLines(wants: Iterable<Want>, most: number, now: number): Spare[] {
  const cancelled: Spare[] = [];
  const seconds: Spare[] = [];
  const vain: Spare[] = [];
  const lesser: Spare[] = [];
  for (const want of wants) {
    const open = want.lines.filter((line) => line.connection.takesLines);
    if (want.count === 0) {
      cancelled.push(...open.map((line) => ({ line, weight: 0 })));
      continue;
    }
    const first = open.find((line) => line.state === 'active' && !line.leaving) ?? open[0];
    if (first === undefined) continue;
    for (const line of open) if (line !== first) seconds.push({ line, weight: 0 });
    if (!want.ticked && first.state === 'active' && now - first.since >= inVainMs) {
      want.inVain = true;
      vain.push({ line: first, weight: 0 });
    } else if (2 * want.count <= most) {
      lesser.push({ line: first, weight: 2 * want.count });
    }
  }
  lesser.sort((a, b) => a.weight - b.weight);
  return [...cancelled, ...seconds, ...vain, ...lesser];
}
