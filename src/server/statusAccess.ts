import { BlockList, isIPv4, isIPv6 } from 'node:net';

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/** What headers say of where a request comes from; '' where they are absent. */
export interface RequestOrigin {
  /** Address of the peer, in any form; IPv4-mapped IPv6 counts as IPv4. */
  readonly address: string;
  readonly host: string;
  readonly origin: string;
  /** X-Forwarded-For, or Forwarded. */
  readonly forwarded: string;
}

/**
 * Why a request is not taken for one by a program on this machine, or undefined when it is.
 *
 * The peer's address alone would not do: a browser here sends what any web page makes it send. A page whose name was
 * turned to 127.0.0.1 (DNS rebinding) betrays itself by the Host header, any other page by Origin, and somebody
 * elsewhere who comes through a proxy here by what the proxy adds.
 */
export function whyNotLocal({ address, host, origin, forwarded }: RequestOrigin): string | undefined {
  if (!isLoopbackAddress(address)) return `for programs on the gateway's own machine, not for ${address}`;
  if (!isLoopbackName(nameOf(host)))
    return 'the Host header must be a loopback name, such as 127.0.0.1 or localhost';
  if (origin !== '' && !isLoopbackName(nameOf(origin.replace(/^https?:\/\//, ''))))
    return 'not for web pages from elsewhere';
  if (forwarded !== '') return "for programs on the gateway's own machine, not through a proxy";
  return undefined;
}

function isLoopbackAddress(address: string): boolean {
  return (
    (isIPv4(address) && loopback.check(address, 'ipv4')) ||
    (isIPv6(address) && loopback.check(address, 'ipv6'))
  );
}

/** The name before the port, without the brackets of IPv6; '' when there is none. */
function nameOf(authority: string): string {
  const [, bracketed, plain] = /^(?:\[([^\]]*)\]|([^:]*))(?::\d{1,5})?$/.exec(authority) ?? [];
  return bracketed ?? plain ?? '';
}

function isLoopbackName(name: string): boolean {
  return name.toLowerCase() === 'localhost' || isLoopbackAddress(name);
}
