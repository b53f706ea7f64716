import { describe, expect, it } from 'vitest';
import { whyNotLocal } from '../../src/server/statusAccess.js';

const local = { address: '127.0.0.1', host: '127.0.0.1:7799', origin: '', forwarded: '' };

describe('a request from this machine', () => {
  it.each([
    {},
    { address: '127.0.0.2' },
    { address: '::1' },
    { address: '0000:0000:0000:0000:0000:0000:0000:0001' },
    { address: '::ffff:127.0.0.1' },
    { address: '0000:0000:0000:0000:0000:ffff:7f00:0001' },
    { host: 'localhost' },
    { host: 'LocalHost:7799' },
    { host: '[::1]:7799' },
    { host: '[::1]' },
    { host: '127.1.2.3' },
    { origin: 'http://localhost:3000' },
    { origin: 'https://[::1]' },
  ])('is one with %j', (part) => {
    expect(whyNotLocal({ ...local, ...part })).toBeUndefined();
  });

  it.each([
    [{ address: '10.0.0.7' }, "for programs on the gateway's own machine, not for 10.0.0.7"],
    [{ address: '128.0.0.1' }, /own machine/],
    [{ address: '::ffff:10.0.0.7' }, /own machine/],
    [{ address: '0000:0000:0000:0000:0000:ffff:0a00:0007' }, /own machine/],
    [{ address: '::' }, /own machine/],
    [{ address: 'fe80::1' }, /own machine/],
    [{ address: '' }, /own machine/],
    [{ host: '' }, /^the Host header must be a loopback name/],
    [{ host: 'evil.example:7799' }, /^the Host header/],
    [{ host: 'localhost.evil.example' }, /^the Host header/],
    [{ host: '127.0.0.1.evil.example' }, /^the Host header/],
    [{ host: '127.0.0.1:7799:1' }, /^the Host header/],
    [{ host: '127.0.0.1@evil.example' }, /^the Host header/],
    [{ host: 'evil.example:80@127.0.0.1' }, /^the Host header/],
    [{ host: '[::1' }, /^the Host header/],
    [{ host: '[::2]' }, /^the Host header/],
    [{ host: '0.0.0.0' }, /^the Host header/],
    [{ host: '2130706433' }, /^the Host header/],
    [{ origin: 'http://evil.example' }, 'not for web pages from elsewhere'],
    [{ origin: 'null' }, 'not for web pages from elsewhere'],
    [{ origin: 'file://' }, 'not for web pages from elsewhere'],
    [{ forwarded: '10.0.0.7' }, /not through a proxy$/],
  ])('is none with %j', (part, reason) => {
    expect(whyNotLocal({ ...local, ...part })).toEqual(
      typeof reason === 'string' ? reason : expect.stringMatching(reason),
    );
  });
});
