/**
 * What the vendor's numbers mean for a session. Error ids: the vendor's error.xml; which of them a market-data
 * front really sends is documented for 3, 6000 and the frequency text only.
 */

export type LoginVerdict =
  | { readonly kind: 'ok' }
  /** Will not get better by itself: the connection is given up. */
  | { readonly kind: 'fatal' }
  /** No connection with this user tries again. */
  | { readonly kind: 'barred' }
  /** User or password are wrong, or of no use yet: trying again and again gets the account locked. */
  | { readonly kind: 'credentials' }
  /** Try again, not before minDelayMs. */
  | { readonly kind: 'retry'; readonly minDelayMs: number };

/** A front's answer to an id that it does not know. */
export const instrumentNotFound = 16;

const duplicateLogin = 5;
const notInited = 7;
const frontNotActive = 8;
const tooManySessions = 60;

const fatalLoginErrors = new Set([
  12, // broker not found
  49, // login IP forbidden
  143, // IP forbidden
  144, // IP black-listed
]);

const barringLoginErrors = new Set([
  75, // login forbidden after too many failures
  131, // password policies: too weak,
  140, // to be changed at the first login,
  141, // expired
  6014, // a second factor by SMS is asked for
  6015,
  6016,
  6017,
  6018,
  6019,
  6020,
  6021,
]);

const credentialErrors = new Set([
  3, // invalid login: wrong password, or a trading login is required first
  4, // user not active
  9, // no privilege
  11, // user not found
  13, // investor not found
]);

const frontStartingDelayMs = 30_000;
const sessionLimitDelayMs = 10_000;
const loginFrequencyDelayMs = 1_500;

/** "api login over limit freq": the limit on logins per second has no id of its own. */
export function isFrequencyLimit(text: string): boolean {
  return /limit freq/i.test(text);
}

export function judgeLogin(code: number, text: string): LoginVerdict {
  if (isFrequencyLimit(text)) return { kind: 'retry', minDelayMs: loginFrequencyDelayMs };
  if (code === 0 || code === duplicateLogin) return { kind: 'ok' };
  if (fatalLoginErrors.has(code)) return { kind: 'fatal' };
  if (barringLoginErrors.has(code)) return { kind: 'barred' };
  if (credentialErrors.has(code)) return { kind: 'credentials' };
  if (code === notInited || code === frontNotActive)
    return { kind: 'retry', minDelayMs: frontStartingDelayMs };
  if (code === tooManySessions) return { kind: 'retry', minDelayMs: sessionLimitDelayMs };
  return { kind: 'retry', minDelayMs: 0 };
}

/** Error id with which a front says that the session is not logged in (any more). */
export const notLoggedInError = 6;

const disconnectReasons = new Map([
  [0x1001, 'the front closed the connection (network read failed)'],
  [0x1002, 'the connection broke (network write failed)'],
  [0x2001, 'no heartbeat from the front'],
  [0x2002, 'the heartbeat could not be sent'],
  [0x2003, 'the front sent a bad packet'],
]);

/** One line for the reasons of OnFrontDisconnected. */
export function disconnectText(reason: number): string {
  const code = `0x${(reason >>> 0).toString(16)}`;
  const text = disconnectReasons.get(reason);
  return text === undefined ? `disconnected, reason ${code}` : `${text}, ${code}`;
}
