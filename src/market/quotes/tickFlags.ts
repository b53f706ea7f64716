/** Flags of a tick, as bits. A tick without flags is what a front sends when something happens at the exchange. */
export const TickFlag = {
  /** The first tick of a line since it was subscribed: the existing state, not a change. */
  snapshot: 1,
  /** Received more than a minute after its time, or an old state that no front has confirmed. */
  stale: 2,
  /** The product had no session at its time. */
  offSession: 4,
  /** Its dates were impossible; they follow from the clock of this host. */
  repairedTime: 8,
  /** The best bid is not below the best ask. */
  crossedBook: 16,
  /** Less volume than before on the same trading day. */
  fallingVolume: 32,
  /** Less turnover than before on the same trading day. */
  fallingTurnover: 64,
  /** Its packet lacked fields. Known values stay; fields that no packet of the day has stated are absent. */
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
