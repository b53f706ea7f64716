import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { StreamPage } from '../../src/history/streamPage.js';
import { reply } from '../storage/oddPeer.js';

type Entry = readonly [id: string, texts: readonly string[]];

/** What a page has found, as ids and ticks. */
function found(page: StreamPage): [id: string, tick: string | undefined][] {
  return Array.from({ length: page.count }, (_, entry) => {
    const end = page.tickEnd(entry);
    const tick = Buffer.from(page.bytes.subarray(page.tickBegin(entry), end)).toString();
    return [page.idOf(entry), end === 0 ? undefined : tick];
  });
}

function expected(entries: readonly Entry[]): [string, string | undefined][] {
  return entries.map(([id, texts]) => {
    const at = texts.findLastIndex((text, index) => index % 2 === 0 && text === 'tick');
    return [id, at < 0 ? undefined : texts[at + 1]];
  });
}

/** Gives a page bytes in pieces that end at `cuts`; whether each was the last. */
function take(page: StreamPage, bytes: Buffer, cuts: readonly number[]): boolean[] {
  const ends = [...new Set(cuts.map((cut) => cut % bytes.length)), bytes.length].sort((a, b) => a - b);
  let begin = 0;
  return ends.map((end) => {
    const piece = bytes.subarray(begin, end);
    begin = end;
    return page.take(piece);
  });
}

const anyText = fc.oneof(
  fc.constantFrom('tick', 'time', 'seq', '', '\r\n', '$4\r\ntick\r\n'),
  fc.string({ maxLength: 40 }).map((text) => text.replace(/[^\x20-\x7e]/g, '')),
);
const anyEntry: fc.Arbitrary<Entry> = fc.tuple(
  fc.tuple(fc.nat(), fc.nat()).map(([ms, n]) => `${ms}-${n}`),
  fc.array(fc.tuple(anyText, anyText), { maxLength: 5 }).map((pairs) => pairs.flat()),
);

describe('a page of a stream', () => {
  it('has the entries of one answer after another, wherever they are cut into pieces', () => {
    const page = new StreamPage(8);
    fc.assert(
      fc.property(
        fc.array(anyEntry, { maxLength: 8 }),
        fc.array(fc.nat(), { maxLength: 12 }),
        (entries, cuts) => {
          page.clear();
          const lasts = take(page, Buffer.from(reply(entries)), cuts);
          expect(lasts.indexOf(true)).toBe(lasts.length - 1);
          expect(page.refusal).toBeUndefined();
          expect(found(page)).toEqual(expected(entries));
        },
      ),
      { numRuns: 500 },
    );
  });

  it('has the same when each byte comes alone, and when it is larger than ever before', () => {
    const entries: Entry[] = [
      ['1-0', ['time', '1', 'tick', '0,1,2', 'seq', 'a.0']],
      ['2-0', ['what', 'x'.repeat(300_000), 'tick', '0,2,3']],
      ['3-0', []],
    ];
    const page = new StreamPage(3);
    const bytes = Buffer.from(reply(entries));
    for (const each of [Array.from(bytes.subarray(0, 80).keys()), [100_000, 200_000, 290_000]]) {
      page.clear();
      expect(take(page, bytes, each).at(-1)).toBe(true);
      expect(found(page)).toEqual(expected(entries));
    }
  });

  it('has what a command is refused with', () => {
    const page = new StreamPage(1);
    const bytes = Buffer.from('-MOVED 866 127.0.0.1:7001\r\n');
    for (const cuts of [[], [1, 2, 26]]) {
      page.clear();
      expect(take(page, bytes, cuts).at(-1)).toBe(true);
      expect(page.refusal?.message).toBe('MOVED 866 127.0.0.1:7001');
      expect(page.count).toBe(0);
    }
    page.clear();
    expect(page.take(Buffer.from(reply([])))).toBe(true);
    expect(page.refusal).toBeUndefined();
  });

  it.each([
    ['a text', '+OK\r\n', '"+OK\\r\\n"'],
    ['null', '*-1\r\n', '"-1'],
    ['entries that are none', '*1\r\n$3\r\n1-0\r\n', '"$3'],
    ['an id that is none', '*1\r\n*2\r\n:5\r\n', '":5'],
    ['names without an end', '*1\r\n*2\r\n$3\r\n1-0\r\n$-1\r\n', '"$-1'],
    ['a length that is none', '*1\r\n*2\r\n$x\r\n', '"x'],
    ['more than was asked for', '*3\r\n', '3 entries'],
    ['more behind its end', '*0\r\n*0\r\n', '"*0'],
  ])('is not made of %s', (_, bytes, named) => {
    const page = new StreamPage(2);
    expect(() => page.take(Buffer.from(bytes))).toThrow(named);
  });
});
