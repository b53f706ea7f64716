import { hostname } from 'node:os';
import { describe, expect, it } from 'vitest';
import { whyNoOrigin } from '../../../src/server/fairness/origins.js';

const mayConnect = (origin: string, host: string, allowed: readonly string[] = []): boolean =>
  whyNoOrigin(origin, host, allowed) === undefined;

describe('the origin of a web page', () => {
  it.each([
    ['', '192.0.2.1:7799'],
    ['http://192.0.2.1:7799', '192.0.2.1:7799'],
    ['http://[2001:db8::1]:7799', '[2001:db8::1]:7799'],
    ['http://localhost:7799', 'localhost:7799'],
    ['http://LocalHost:7799', 'localhost:7799'],
    ['https://192.0.2.1', '192.0.2.1'],
    [`http://${hostname()}:7799`, `${hostname()}:7799`],
  ])('%j passes at the host %s', (origin, host) => {
    expect(mayConnect(origin, host)).toBe(true);
  });

  it.each([
    ['http://evil.example', '192.0.2.1:7799'],
    ['http://192.0.2.1', '192.0.2.1:7799'],
    ['http://192.0.2.1:7798', '192.0.2.1:7799'],
    ['null', '192.0.2.1:7799'],
    ['null', ''],
    ['garbage', 'garbage'],
    ['file://', ''],
    ['foo://bar', '127.0.0.1\\x'],
    ['http://127.0.0.1', '127.0.0.1^x'],
    ['https://127.0.0.1', '127.0.0.1|x'],
  ])('%j is refused at the host %s', (origin, host) => {
    expect(mayConnect(origin, host)).toBe(false);
  });

  it('is refused when a name of its own was turned to this machine', () => {
    expect(mayConnect('http://evil.example:7799', 'evil.example:7799')).toBe(false);
  });

  it('passes when the configuration lists it, in any case', () => {
    const allowed = ['https://desk.example:8443', 'null'];
    expect(mayConnect('https://desk.example:8443', 'x', allowed)).toBe(true);
    expect(mayConnect('https://DESK.example:8443', 'x', allowed)).toBe(true);
    expect(mayConnect('null', 'x', allowed)).toBe(true);
    expect(mayConnect('https://desk.example', 'x', allowed)).toBe(false);
    expect(mayConnect('https://desk.example', 'x', ['*'])).toBe(true);
  });
});
