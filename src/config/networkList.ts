import { BlockList, isIPv4, isIPv6 } from 'node:net';
import type { Format } from './formats.js';

const maxNetworks = 256;
const oneAllowed = 'an IP address, or a network such as 10.0.0.0/8 or fd00::/8';

interface Network {
  readonly address: string;
  readonly prefix: number;
  readonly family: 'ipv4' | 'ipv6';
}

function parseNetwork(value: unknown): Network | undefined {
  if (typeof value !== 'string') return undefined;
  const [, address = '', digits] = /^([^/%]+)(?:\/(\d{1,3}))?$/.exec(value) ?? [];
  const family = isIPv4(address) ? 'ipv4' : isIPv6(address) ? 'ipv6' : undefined;
  if (family === undefined) return undefined;
  const bits = family === 'ipv4' ? 32 : 128;
  const prefix = digits === undefined ? bits : Number(digits);
  return prefix > bits ? undefined : { address, prefix, family };
}

/** Addresses and networks; as text, with commas between them. */
export const networkList: Format<readonly string[]> = {
  name: 'network list',
  allowed: `a list of at most ${maxNetworks} addresses or networks`,
  accepts: (value) =>
    Array.isArray(value) &&
    value.length <= maxNetworks &&
    value.every((each) => parseNetwork(each) !== undefined),
  parse: (given) => given.split(',').map((entry) => entry.trim()),
  normalize: (value) => (Array.isArray(value) ? [...new Set(value.map(String))] : []),
  blame: (value) => {
    if (!Array.isArray(value)) return undefined;
    const list = value as unknown[];
    const index = list.findIndex((one) => parseNetwork(one) === undefined);
    return index < 0 ? undefined : { index, value: list[index], allowed: oneAllowed };
  },
};

/** The addresses that the list's networks hold; entries that its format refuses are skipped. */
export function toAddressSet(list: readonly string[]): BlockList {
  const set = new BlockList();
  for (const text of list) {
    const network = parseNetwork(text);
    if (network !== undefined) set.addSubnet(network.address, network.prefix, network.family);
  }
  return set;
}
