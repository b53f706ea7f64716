import { describe, expect, it } from 'vitest';
import { toAddressSet } from '../../src/config/networkList.js';
import { canonicalAddress, clientAddress } from '../../src/server/shared/clientAddress.js';

const trusted = toAddressSet(['127.0.0.1', '::1', '10.1.0.0/16', 'fd00::/8']);
const mappedLoopback = '0000:0000:0000:0000:0000:ffff:7f00:0001';

/** Of a request that comes from `remote` with these headers. */
function address(remote: string, forwardedFor = '', realIp = ''): string {
  return clientAddress(remote, { forwardedFor, realIp }, trusted);
}

describe('the address of a client', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['0000:0000:0000:0000:0000:ffff:c000:0207', '192.0.2.7'],
    ['2001:0DB8:0000:0000:0000:0000:0000:0007', '2001:db8::7'],
    ['fe80::1%eth0', 'fe80::1'],
    ['', ''],
  ])('is the peer %j in its one form', (remote, expected) => {
    expect(address(remote)).toBe(expected);
  });

  it('is the peer whatever it states, unless it is a trusted proxy', () => {
    for (const remote of ['192.0.2.7', '::ffff:192.0.2.7', '10.2.0.1', '127.0.0.2'])
      expect(address(remote, '198.51.100.9', '198.51.100.9')).toBe(canonicalAddress(remote));
    expect(clientAddress('127.0.0.1', { forwardedFor: '198.51.100.9', realIp: '' }, toAddressSet([]))).toBe(
      '127.0.0.1',
    );
  });

  it.each(['127.0.0.1', '::1', mappedLoopback, '10.1.200.3', 'fd12::1'])(
    'is what the trusted proxy %s states',
    (proxy) => {
      expect(address(proxy, '198.51.100.9')).toBe('198.51.100.9');
      expect(address(proxy, '', '198.51.100.9')).toBe('198.51.100.9');
    },
  );

  it.each([
    ['1.1.1.1, 198.51.100.9', '198.51.100.9', 'forged by the client'],
    ['1.1.1.1,198.51.100.9 ,10.1.0.5', '198.51.100.9', 'through two trusted proxies'],
    ['198.51.100.9, 10.2.0.5, 10.1.0.5', '10.2.0.5', 'through a proxy that is not trusted'],
    ['10.1.0.6, 10.1.0.5', '10.1.0.6', 'of a client among the proxies'],
    ['::ffff:198.51.100.9', '198.51.100.9', 'IPv4-mapped'],
    ['198.51.100.9:4711', '198.51.100.9', 'with a port'],
    ['[2001:db8::7]:4711', '2001:db8::7', 'IPv6 with a port'],
    ['2001:DB8:0::7', '2001:db8::7', 'IPv6'],
  ])('is the rightmost of %j that is no trusted proxy (%s)', (forwardedFor, expected) => {
    expect(address('127.0.0.1', forwardedFor)).toBe(expected);
  });

  it.each(['unknown', 'a.example', '1.2.3', '', ' , ', '198.51.100.9,', '198.51.100.9, x', '999.1.1.1'])(
    'is the proxy where the rightmost entry of %j is no address',
    (forwardedFor) => {
      expect(address('127.0.0.1', forwardedFor)).toBe('127.0.0.1');
    },
  );

  it('is that of X-Forwarded-For where X-Real-IP says something else', () => {
    expect(address('127.0.0.1', '198.51.100.9', '1.1.1.1')).toBe('198.51.100.9');
  });
});
