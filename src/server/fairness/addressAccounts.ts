import { TokenBucket } from './tokenBucket.js';

/** Limits of all clients of one address together. */
export interface AddressLimits {
  /** WebSocket clients at once. */
  readonly maxClientsPerAddress: number;
  /** New WebSocket connections each second; ten seconds' worth may come at once. */
  readonly connectsPerSecond: number;
  /** HTTP requests each second; twice as many may come at once. */
  readonly requestsPerSecond: number;
  /** Share of the main thread, in percent, that requests may take. */
  readonly addressWork: number;
}

const connectBurstSeconds = 10;
const requestBurstSeconds = 2;
const farewellsPerSecond = 1;
const farewellBurst = 10;
/** Work that may come at once, in seconds' worth of the steady share. */
export const workBurstSeconds = 10;
/** Accounts kept beyond those of connected clients before the settled ones are dropped. */
const keptAccounts = 4096;

/** Use of one address of its allowances. */
export interface AddressAccount {
  readonly address: string;
  /** WebSocket clients that are connected. */
  clients: number;
  /** ms of the main thread. */
  readonly work: TokenBucket;
  readonly connects: TokenBucket;
  readonly requests: TokenBucket;
  /** Clients that are closed for what they did and are told so by a close frame. */
  readonly farewells: TokenBucket;
  /** Clients of the address with frames that wait. */
  readonly waiting: Set<WaitingFrames>;
  /** Frames that wait, of all of these. */
  waitingFrames: number;
}

/** A client that has frames which wait. */
export interface WaitingFrames {
  readonly waitingFrames: number;
  /** Closes the client: too many wait. */
  overrun(): void;
}

/** The account of each address that has clients or has lately used something. */
export class AddressAccounts {
  readonly #limits: AddressLimits;
  readonly #accounts = new Map<string, AddressAccount>();
  #pruneAt = keptAccounts;

  constructor(limits: AddressLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#accounts.size;
  }

  /** The account of an address as `accountKey` writes it; a new one where there is none. */
  of(address: string, nowMs: number): AddressAccount {
    const known = this.#accounts.get(address);
    if (known !== undefined) return known;
    if (this.#accounts.size >= this.#pruneAt) this.#prune(nowMs);
    const { connectsPerSecond, requestsPerSecond, addressWork } = this.#limits;
    const workMs = addressWork * 10;
    const account: AddressAccount = {
      address,
      clients: 0,
      work: new TokenBucket(workMs, workMs * workBurstSeconds, nowMs),
      connects: new TokenBucket(connectsPerSecond, connectsPerSecond * connectBurstSeconds, nowMs),
      requests: new TokenBucket(requestsPerSecond, requestsPerSecond * requestBurstSeconds, nowMs),
      farewells: new TokenBucket(farewellsPerSecond, farewellBurst, nowMs),
      waiting: new Set(),
      waitingFrames: 0,
    };
    this.#accounts.set(address, account);
    return account;
  }

  /** Drops accounts that a new one would be no different from. */
  #prune(nowMs: number): void {
    for (const [address, { clients, work, connects, requests }] of this.#accounts)
      if (clients === 0 && work.isFull(nowMs) && connects.isFull(nowMs) && requests.isFull(nowMs))
        this.#accounts.delete(address);
    this.#pruneAt = Math.max(keptAccounts, 2 * this.#accounts.size);
  }
}

/**
 * What an address is counted under: IPv4 whole, also where it comes mapped into IPv6, and of IPv6 the first 64 bits, since
 * one host has all the others to choose from.
 */
export function accountKey(address: string): string {
  if (!address.includes(':')) return address;
  const groups = groupsOf(address);
  const isMapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
  if (!isMapped)
    return `${groups
      .slice(0, 4)
      .map((group) => group.toString(16))
      .join(':')}::/64`;
  const [high = 0, low = 0] = groups.slice(6);
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}

/** The eight groups of an IPv6 address. */
function groupsOf(address: string): number[] {
  // The last 32 bits may be written as IPv4.
  const hex = address.replace(
    /(\d+)\.(\d+)\.(\d+)\.(\d+)$/,
    (_all, a: string, b: string, c: string, d: string) =>
      [Number(a) * 256 + Number(b), Number(c) * 256 + Number(d)].map((group) => group.toString(16)).join(':'),
  );
  const [head = '', tail] = hex.split('::');
  const groups = (text: string): number[] =>
    text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
  const before = groups(head);
  const after = tail === undefined ? [] : groups(tail);
  return [...before, ...Array<number>(Math.max(0, 8 - before.length - after.length)).fill(0), ...after];
}
