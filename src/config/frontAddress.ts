import { isIPv6 } from 'node:net';
import { isHost, isPortText, type Format } from './formats.js';

const maxFronts = 64;
const plainNumber = /^\d+(\.\d+)?$/;
/** Of the bundled library's own addresses, see libs/simulator/README.md. */
const simulatedParameters: ReadonlyMap<string, RegExp> = new Map([
  ['rate', plainNumber],
  ['each', plainNumber],
  ['seed', plainNumber],
  ['arrivals', /^(uniform|poisson|burst)$/],
  ['bench_start', plainNumber],
]);

function isSimulatedFront(rest: string): boolean {
  const [name = '', query = '', ...more] = rest.split('?');
  if (more.length > 0 || !/^[\w.-]*$/.test(name)) return false;
  return [...new URLSearchParams(query)].every(
    ([key, value]) => simulatedParameters.get(key)?.test(value) === true,
  );
}

/**
 * True for the forms that the vendor's RegisterFront takes (tcp://host:port, tcp6://addr:port,
 * ssl://host:port) and for the bundled library's own sim://?rate=N&seed=S.
 */
export function isFrontAddress(address: string): boolean {
  const [, scheme, rest] = /^(tcp|tcp6|ssl|sim):\/\/(\S*)$/.exec(address) ?? [];
  if (scheme === undefined || rest === undefined) return false;
  if (scheme === 'sim') return isSimulatedFront(rest);
  const colon = rest.lastIndexOf(':');
  if (colon < 1 || !isPortText(rest.slice(colon + 1))) return false;
  const hostPart = rest.slice(0, colon);
  return scheme === 'tcp6' ? isIPv6(hostPart.replace(/^\[(.*)\]$/, '$1')) : isHost(hostPart);
}

const oneAllowed = 'tcp://host:port, tcp6://address:port, ssl://host:port or sim://?rate=N&seed=S';

function isFront(value: unknown): boolean {
  return typeof value === 'string' && isFrontAddress(value);
}

/** One address or a list; several are the same broker's, and the first that answers is taken. */
export const frontAddresses: Format<readonly string[]> = {
  name: 'front addresses',
  allowed: `${oneAllowed}, or a list of 1 to ${maxFronts} of these`,
  accepts: (value) => {
    const list: unknown[] = Array.isArray(value) ? value : [value];
    return list.length > 0 && list.length <= maxFronts && list.every(isFront);
  },
  parse: (given) => given,
  normalize: (value) => (Array.isArray(value) ? [...new Set(value.map(String))] : [String(value)]),
  blame: (value) => {
    if (!Array.isArray(value)) return undefined;
    const list = value as unknown[];
    const index = list.findIndex((one) => !isFront(one));
    return index < 0 ? undefined : { index, value: list[index], allowed: oneAllowed };
  },
};
