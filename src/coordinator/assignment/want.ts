import type { ConnectionRecord, Line, TickKey } from './connectionRecord.js';
import { Standing } from './standing.js';
import { hashOf } from './strategies.js';

/** An instrument that somebody wants, or has wanted until a moment ago. */
export interface Want {
  readonly slot: number;
  /** hashOf the instrument's name. */
  readonly hash: number;
  /** Sessions that want it. */
  count: number;
  readonly lines: Line[];
  /** Connections that have refused it; undefined while none has. */
  refusedBy: Set<ConnectionRecord> | undefined;
  /** The last refusal, while it has no line and others are tried. */
  refusal: { readonly code: number; readonly text: string } | undefined;
  /** Every connection that may carry it has refused it; undefined while there is hope. */
  failure: { readonly code: number; readonly text: string } | undefined;
  /** The newest tick that active lines brought while another line joined them; undefined while none is known. */
  newest: TickKey | undefined;
  /** Those who want it know that it cannot be had. */
  told: boolean;
  /** Standing of the instrument. */
  standing: Standing;
  /** A tick of it has come on some line that it has, or has had since somebody wanted it. */
  ticked: boolean;
  /** Nobody wants it: it is subscribed to see whether it exists (Coordinator.tryOut). */
  isProbe: boolean;
  /** It had a line for long and not even a snapshot came: it hardly exists, and gives its room to others. */
  inVain: boolean;
}

/**
 * `pending`: no connection has asked for it; `subscribing`: one has; `active`: see LineState; `failed`: refused, and
 * those who want it have been told; `cancelled`: nobody wants it any more, and it is about to be unsubscribed.
 */
export type InstrumentState = 'pending' | 'subscribing' | 'active' | 'failed' | 'cancelled';

/** @param key the instrument's name, from which its place in the hash follows */
export function newWant(
  slot: number,
  key: string,
  count: number,
  isProbe: boolean,
  standing: Standing = Standing.listed,
): Want {
  return {
    slot,
    standing,
    hash: hashOf(key),
    count,
    lines: [],
    refusedBy: undefined,
    refusal: undefined,
    failure: undefined,
    newest: undefined,
    told: false,
    ticked: false,
    inVain: false,
    isProbe,
  };
}

export function isProven({ standing }: Want): boolean {
  return standing !== Standing.conceivable;
}

/** A line of it is active and its connection logged in. */
export function hasActive(want: Want): boolean {
  return want.lines.some((line) => line.state === 'active' && line.connection.isUp);
}

export function isLater(a: TickKey, b: TickKey): boolean {
  return a.volume === b.volume ? a.timeMs > b.timeMs : a.volume > b.volume;
}

export function stateOf(want: Want): InstrumentState {
  if (want.count === 0) return 'cancelled';
  if (want.failure !== undefined) return 'failed';
  let state: InstrumentState = 'pending';
  for (const line of want.lines) {
    if (!line.connection.isUp) continue;
    if (line.state === 'active') return 'active';
    if (line.state === 'subscribing') state = 'subscribing';
  }
  return state;
}
