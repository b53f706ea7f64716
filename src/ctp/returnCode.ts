/** Return codes of the bridge: the vendor's own down to -3, then the bridge's (libs/bridge/session.h). */
export const ReturnCode = {
  ok: 0,
  notConnected: -1,
  tooManyPending: -2,
  tooManyPerSecond: -3,
  closed: -100,
  vendorThrew: -101,
  badArgument: -102,
  noMemory: -103,
} as const;
