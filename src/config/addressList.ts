import { isIPv6 } from 'node:net';
import { isHost, isPortText, type Format } from './formats.js';

const maxAddresses = 64;
const oneAllowed = 'host:port';

/** Where a server listens. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Undefined where the text is no host:port; an IPv6 address has brackets. */
export function parseAddress(text: string): Address | undefined {
  const colon = text.lastIndexOf(':');
  if (colon < 1 || !isPortText(text.slice(colon + 1))) return undefined;
  const named = text.slice(0, colon);
  const port = Number(text.slice(colon + 1));
  const bracketed = /^\[(.*)\]$/.exec(named)?.[1];
  if (bracketed !== undefined) return isIPv6(bracketed) ? { host: bracketed, port } : undefined;
  return isHost(named) ? { host: named, port } : undefined;
}

function isAddress(value: unknown): boolean {
  return typeof value === 'string' && parseAddress(value) !== undefined;
}

/** Addresses of servers that stand for one another; as text, with commas between them. */
export const addressList: Format<readonly string[]> = {
  name: 'address list',
  allowed: `a list of at most ${maxAddresses} of ${oneAllowed}`,
  accepts: (value) => Array.isArray(value) && value.length <= maxAddresses && value.every(isAddress),
  parse: (given) => given.split(',').map((entry) => entry.trim()),
  normalize: (value) => (Array.isArray(value) ? [...new Set(value.map(String))] : []),
  blame: (value) => {
    if (!Array.isArray(value)) return undefined;
    const list = value as unknown[];
    const index = list.findIndex((one) => !isAddress(one));
    return index < 0 ? undefined : { index, value: list[index], allowed: oneAllowed };
  },
};

/** The addresses of a list; entries that its format refuses are skipped. */
export function toAddresses(list: readonly unknown[]): Address[] {
  return list.flatMap((text) => (typeof text === 'string' ? (parseAddress(text) ?? []) : []));
}
