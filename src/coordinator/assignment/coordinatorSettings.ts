import type { LineEffects } from './lineTable.js';
import type { Standing } from './standing.js';
import type { Strategy } from '../../config/gatewayConfig.js';
import type { UnprovenLimits } from './unprovenQueue.js';

export interface CoordinatorSettings {
  readonly strategy: Strategy;
  /** Move a lost connection's instruments to others that are logged in, and back when there is room again. */
  readonly autoFailover: boolean;
  /** How many connections may refuse an instrument before it is given up. */
  readonly maxRetryCount: number;
  /** How long an instrument that nobody wants any more stays subscribed, while there is room. */
  readonly graceMs: number;
  /** How many lines an instrument shall have, at least 1. */
  readonly redundancy: (slot: number) => number;
  /** How many instruments are settled in one go: other things wait for it. */
  readonly settledPerTurn: number;
  /** Part of each connection on which instruments may be tried out. */
  readonly probeShare: number;
  /** Unproven instruments that may have places at once; what it is at the start holds for good. */
  readonly unproven: UnprovenLimits;
  /** Room is taken from others at most once in this time, since all instruments are looked at for it. */
  readonly roomSpacingMs: number;
}

export interface CoordinatorEffects extends LineEffects {
  /** Standing of an instrument. */
  standing(slot: number): Standing;
  /** The instrument's only line was given up for another one that needed the room more. */
  displaced(slot: number): void;
  /** Every connection that may carry it has refused the instrument, or it does not exist. */
  refused(slot: number, code: number, text: string): void;
  /** A connection that was told to retire carries nothing any more. */
  vacated(connection: number): void;
  /** The ticks of this line that were held back are to be taken in now, in their order. */
  joined(slot: number, connection: number): void;
  /** There is more to settle than one turn may take: `flush` is to be called again soon. */
  more(): void;
}
