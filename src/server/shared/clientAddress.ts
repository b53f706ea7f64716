import { isIPv4, isIPv6, type BlockList } from 'node:net';
import type { UwsRequest, UwsResponse } from '../uws/uwsApi.js';

/** Headers in which proxies name their clients; '' if absent. */
export interface ForwardingHeaders {
  /** X-Forwarded-For; several of them are joined by commas in the order that they came in. */
  readonly forwardedFor: string;
  /** X-Real-IP */
  readonly realIp: string;
}

/** `10.0.0.7:4711` or `[fd00::7]:4711`, as some proxies write it. */
const withPort = /^(?:\[([^\]]*)\]|([^:]*))(?::\d{1,5})?$/;
const mappedIpv4 = /^::ffff:([\da-f]{1,4}):([\da-f]{1,4})$/;

/**
 * The one way to write an address: IPv4 with dots, IPv4-mapped IPv6 as IPv4, other IPv6 as short as can be, without a
 * zone. Undefined where the text is no address.
 */
export function canonicalAddress(text: string): string | undefined {
  if (isIPv4(text)) return text;
  if (!isIPv6(text)) return undefined;
  const [address = ''] = text.split('%', 1);
  const short = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const [, high, low] = mappedIpv4.exec(short) ?? [];
  if (high === undefined || low === undefined) return short;
  const bits = [parseInt(high, 16), parseInt(low, 16)];
  return bits.flatMap((each) => [each >> 8, each & 255]).join('.');
}

/**
 * The address that a request comes from: the peer's own, or the nearest one that is no trusted proxy.
 *
 * Each proxy adds the address of its own peer to the right end of X-Forwarded-For, so the header is believed from the
 * right for as long as who has written an entry is trusted; what stands further left is the client's own word.
 * X-Real-IP counts where X-Forwarded-For is absent. An entry that is no address ends the way at the proxy before it.
 *
 * @param remote address of the peer, in any form
 * @param trusted the proxies that may speak for others
 */
export function clientAddress(remote: string, headers: ForwardingHeaders, trusted: BlockList): string {
  let nearest = canonicalAddress(remote) ?? remote;
  const stated = headers.forwardedFor.trim() === '' ? headers.realIp : headers.forwardedFor;
  const hops = stated.trim() === '' ? [] : stated.split(',');
  while (hops.length > 0 && isTrusted(nearest, trusted)) {
    const next = addressOf(hops.pop()!.trim());
    if (next === undefined) break;
    nearest = next;
  }
  return nearest;
}

/** The clientAddress of a request to the market server. */
export function requestAddress(res: UwsResponse, req: UwsRequest, trusted: BlockList): string {
  const remote = Buffer.from(res.getRemoteAddressAsText()).toString('latin1');
  const forwardedFor: string[] = [];
  const realIp: string[] = [];
  // getHeader gives the first of a name alone, which may be the client's, while the proxy's own comes after it.
  req.forEach((name, value) => {
    if (name === 'x-forwarded-for') forwardedFor.push(value);
    else if (name === 'x-real-ip') realIp.push(value);
  });
  return clientAddress(
    remote,
    { forwardedFor: forwardedFor.join(','), realIp: realIp.at(-1) ?? '' },
    trusted,
  );
}

/** Whether a canonical address is one of the trusted proxies. */
export function isTrusted(address: string, trusted: BlockList): boolean {
  return isIPv4(address) ? trusted.check(address, 'ipv4') : isIPv6(address) && trusted.check(address, 'ipv6');
}

function addressOf(hop: string): string | undefined {
  const whole = canonicalAddress(hop);
  if (whole !== undefined) return whole;
  const [, bracketed, plain] = withPort.exec(hop) ?? [];
  return canonicalAddress(bracketed ?? plain ?? '');
}
