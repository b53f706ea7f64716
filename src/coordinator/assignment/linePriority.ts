import type { ConnectionPlan, ConnectionRecord } from './connectionRecord.js';
import { isProven, type Want } from './want.js';
import { type Line } from './connectionRecord.js';
import { Standing } from './standing.js';

/**
 * ms with an active line and without a tick after which an instrument's line is futile: an existing instrument sends a
 * snapshot on subscription.
 */
const inVainMs = 60_000;
/** ms without a tick after which an unproven instrument's line is futile; a front has time to refuse it besides. */
const unprovenInVainMs = 5_000;

/** A line that stays, and that carries ticks or, without failover, will carry them again. */
export function isGood(line: Line, autoFailover: boolean): boolean {
  return !line.leaving && (line.connection.isUp || !autoFailover);
}

export function mayCarry(connection: ConnectionRecord, want: Want): boolean {
  return (
    want.refusedBy?.has(connection) !== true && !want.lines.some((line) => line.connection === connection)
  );
}

/**
 * Those without a line first, what is proven before what is not, then those that more sessions want; what exists before
 * what hardly does. Of what is unproven, the sessions do not count: it has its turns by client (unprovenQueue.ts).
 */
export function byPriority(wants: Want[], autoFailover: boolean): Want[] {
  const rank = (want: Want): number =>
    (want.lines.some((line) => isGood(line, autoFailover)) ? 4 : 0) +
    (isProven(want) ? 0 : 2) +
    (want.inVain ? 1 : 0);
  const ranked = wants.map((want) => ({ want, rank: rank(want), count: isProven(want) ? want.count : 0 }));
  ranked.sort((a, b) => a.rank - b.rank || b.count - a.count);
  return ranked.map(({ want }) => want);
}

/** Whether it has had a place for as long as it takes to learn of it, or has lost one so, and nothing has come. */
export function isFutile(want: Want, now: number): boolean {
  if (want.ticked) return false;
  const least = isProven(want) ? inVainMs : unprovenInVainMs;
  return want.lines.length === 0
    ? want.inVain
    : want.lines.some((line) => line.state === 'active' && now - line.since >= least);
}

/**
 * The lines of a connection that carries more than it may, those first that are missed least: of what nobody wants any
 * more, of what is unproven, then of what has active lines elsewhere.
 */
export function lowestPriority(connection: ConnectionRecord, wants: ReadonlyMap<number, Want>): Line[] {
  const others = (line: Line): number => {
    const want = wants.get(line.slot)!;
    if (want.count === 0) return Infinity;
    if (!isProven(want)) return Number.MAX_VALUE;
    return want.lines.filter((each) => each !== line && each.state === 'active').length;
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
export function pickForProbe(
  connections: readonly ConnectionRecord[],
  share: number,
): ConnectionRecord | undefined {
  let found: ConnectionRecord | undefined;
  for (const each of connections) {
    const most = Math.floor(share * each.limit);
    if (each.probes >= most || each.load + most > each.limit || !provesExistence(each.plan)) continue;
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

/** Lines whose room may go to instruments that have none, each kind in the order in which they are missed least. */
export interface SpareLines {
  /** Of what is unproven and did not tick for long enough: for anything. */
  readonly unprovenInVain: Spare[];
  /** Of instruments that nobody wants any more, of what is unproven, second lines, of what hardly exists: for all proven. */
  readonly forProven: Spare[];
  /** The only lines of proven instruments that half as many sessions want, and that have not ticked: for all proven. */
  readonly quiet: Spare[];
  /** The only lines of instruments that half as many sessions want and that have ticked: for instruments that have ticked. A line that ticks is never given up for one that may not. */
  readonly ticking: Spare[];
}

/**
 * What may be given up for instruments that have no line. Those that hardly exist are marked so.
 *
 * @param most how many sessions want the most wanted proven one of those without a line
 */
export function spareLines(wants: Iterable<Want>, most: number, now: number): SpareLines {
  const cancelled: Spare[] = [];
  const seconds: Spare[] = [];
  const vain: Spare[] = [];
  const unproven: Spare[] = [];
  const spare: SpareLines = { unprovenInVain: [], forProven: cancelled, quiet: [], ticking: [] };
  for (const want of wants) {
    const open = want.lines.filter((line) => line.connection.takesLines);
    if (want.count === 0) {
      for (const line of open) cancelled.push({ line, weight: 0 });
      continue;
    }
    const first = open.find((line) => line.state === 'active' && !line.leaving) ?? open[0];
    if (first === undefined) continue;
    for (const line of open) if (line !== first) seconds.push({ line, weight: 0 });
    const only = { line: first, weight: isProven(want) ? 2 * want.count : 0 };
    const inVain = isFutile(want, now);
    if (inVain) want.inVain = true;
    if (!isProven(want)) (inVain ? spare.unprovenInVain : unproven).push(only);
    else if (inVain) vain.push({ line: first, weight: 0 });
    else if (2 * want.count <= most) (hasEverTicked(want) ? spare.ticking : spare.quiet).push(only);
  }
  for (const each of [unproven, seconds, vain]) for (const one of each) cancelled.push(one);
  spare.quiet.sort((a, b) => a.weight - b.weight);
  spare.ticking.sort((a, b) => a.weight - b.weight);
  return spare;
}

/** The kinds of spare lines that an instrument without any may have, those that are missed least first. */
export function kindsFor(want: Want, spare: SpareLines): readonly Spare[][] {
  if (!isProven(want)) return [spare.unprovenInVain];
  const all = [spare.unprovenInVain, spare.forProven, spare.quiet];
  return hasEverTicked(want) ? [...all, spare.ticking] : all;
}

function hasEverTicked({ standing }: Want): boolean {
  return standing === Standing.ticked;
}
