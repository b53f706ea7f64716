import { describe, expect, it } from 'vitest';
import { accountKey, AddressAccounts } from '../../../src/server/fairness/addressAccounts.js';

const limits = { maxClientsPerAddress: 3, connectsPerSecond: 2, requestsPerSecond: 5, addressWork: 10 };

describe('the key of an address', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['0000:0000:0000:0000:0000:ffff:c000:0207', '192.0.2.7'],
    ['::1', '0:0:0:0::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['2001:0db8:0000:0000:ffff:0000:0000:0002', '2001:db8:0:0::/64'],
    ['2001:DB8:0:1::2', '2001:db8:0:1::/64'],
    ['fe80::1:2:3:4', 'fe80:0:0:0::/64'],
  ])('of %s is %s', (address, key) => {
    expect(accountKey(address)).toBe(key);
  });
});

describe('accounts of addresses', () => {
  it('are one for each address', () => {
    const accounts = new AddressAccounts(limits);
    const one = accounts.of('192.0.2.1', 0);
    expect(accounts.of('192.0.2.1', 10)).toBe(one);
    expect(accounts.of('192.0.2.2', 10)).not.toBe(one);
  });

  it('are dropped when there are many and nothing is owed, and kept while clients or debts are there', () => {
    const accounts = new AddressAccounts(limits);
    const connected = accounts.of('a', 0);
    connected.clients = 1;
    const indebted = accounts.of('b', 0);
    indebted.work.charge(1e9, 0);
    for (let i = 0; i < 10_000; i++) accounts.of(`c${i}`, 60_000 + i);
    expect(accounts.size).toBeLessThan(9000);
    expect(accounts.of('a', 70_000)).toBe(connected);
    expect(accounts.of('b', 70_000)).toBe(indebted);
  });
});
