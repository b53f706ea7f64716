/**
 * What is to be known of a tick beside its values, as bits. A tick without any is what a front sends when something
 * happens at the exchange.
 */
export const TickFlag = {
  /** The first tick of a line since it was subscribed: the state that was there, not a change. */
  snapshot: 1,
  /** Its time lies well before its receipt: what was so then, and may have changed since. */
  stale: 2,
  /** At its time the product had no session. */
  offSession: 4,
  /** Its dates could not be right; they follow from the clock of this host. */
  repairedTime: 8,
  /** The best bid is not below the best ask. */
  crossedBook: 16,
  /** The day's volume is less than before. */
  fallingVolume: 32,
  /** The day's turnover is less than before. */
  fallingTurnover: 64,
  /** Its packet lacked fields; what was known of them stays. */
  partial: 128,
} as const;

/** Names of the flags on the wire; bit n has the n-th. */
export const flagNames = [
  'snapshot',
  'stale',
  'off_session',
  'repaired_time',
  'crossed_book',
  'falling_volume',
  'falling_turnover',
  'partial',
] as const;

export type FlagName = (typeof flagNames)[number];

/** The names of the flags that are set, in the order of their bits. */
export function namesOfFlags(flags: number): FlagName[] {
  return flagNames.filter((_, bit) => (flags & (1 << bit)) !== 0);
}
