import { describe, expect, it } from 'vitest';
import { chooseCoding, namesTag } from '../../src/server/http/contentCoding.js';

describe('chooseCoding', () => {
  it.each([
    ['', 'identity'],
    ['gzip', 'gzip'],
    ['x-gzip', 'gzip'],
    ['deflate', 'identity'],
    ['gzip, deflate, br', 'br'],
    ['gzip, deflate, br, zstd', 'br'],
    ['GZIP', 'gzip'],
    ['br;q=0.5, gzip;q=0.8', 'gzip'],
    ['br ; q=0.8 , gzip ; q=0.8', 'br'],
    ['gzip;q=0', 'identity'],
    ['gzip;q=0.0, br;q=0', 'identity'],
    ['gzip;q=0.5, identity', 'identity'],
    ['gzip;q=0.5, identity;q=0.1', 'gzip'],
    ['*', 'br'],
    ['*;q=0.5, br;q=0', 'gzip'],
    ['*;q=0', 'identity'],
    ['identity;q=0, gzip;q=0.1', 'gzip'],
    ['gzip;q=many', 'identity'],
    ['gzip;q=2', 'identity'],
    ['nogzip, brr', 'identity'],
    [',,;q=1,', 'identity'],
  ])('%j → %s', (header, coding) => {
    expect(chooseCoding(header)).toBe(coding);
  });
});

describe('namesTag', () => {
  it.each([
    ['W/"abc"', true],
    ['"abc"', true],
    ['"x", W/"abc"', true],
    ['*', true],
    ['', false],
    ['W/"abcd"', false],
    ['abc', false],
  ])('%j: %s', (header, expected) => {
    expect(namesTag(header, 'W/"abc"')).toBe(expected);
  });
});
