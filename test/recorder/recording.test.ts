import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BlockBuilder, sealBlock } from '../../src/recorder/blockCodec.js';
import { blockHeaderBytes, encodeBlockHeader, parseBlockHeader } from '../../src/recorder/recordingFormat.js';
import { RecordingReader } from '../../src/recorder/recordingReader.js';
import { RecordedTicks, wholeRange } from '../../src/recorder/recordedTicks.js';
import { RecordingWriter } from '../../src/recorder/recordingWriter.js';
import { intWord } from '../../src/ring/tickRecord.js';
import { testTimeMs } from '../market/ticks.js';
import {
  encoded,
  readBack,
  recordingFolder,
  sample,
  samples,
  told,
  writeRecording,
  type Sample,
} from './recordings.js';

const all = samples(30);
const thirds = [all.slice(0, 10), all.slice(10, 20), all.slice(20)];
const toldOf = (ticks: readonly Sample[]): string[] => ticks.map(({ key, tick }) => told(key, tick));
const ns = (ms: number): bigint => BigInt(ms) * 1_000_000n;

/** The file's blocks as they lie in it: [start, end). */
function extents(path: string): { from: number; to: number }[] {
  const reader = new RecordingReader(path);
  const starts = reader.blocks.map(({ offset }) => offset);
  reader.close();
  return starts.map((from, i) => ({ from, to: starts[i + 1] ?? readFileSync(path).length }));
}

describe('a recording', () => {
  it('gives back every bit of every record, in order, with its instrument', () => {
    const path = writeRecording(recordingFolder(), thirds);
    expect(readBack(path)).toEqual({ ticks: toldOf(all), damages: [], torn: false });
  });

  it('gives back any bits', () => {
    const folder = recordingFolder();
    const record = fc.uint8Array({ minLength: 312, maxLength: 312 });
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(5), record), { minLength: 1, maxLength: 20 }), (ticks) => {
        const block = ticks.map(([instrument, bytes]) => {
          const made = sample(`DCE.m240${instrument + 1}`);
          new Uint8Array(made.tick.i32.buffer).set(bytes, 8);
          // Sources are those of connections, of which there are not so many.
          made.tick.i32[intWord.connection]! &= 0xfff;
          return made;
        });
        expect(readBack(writeRecording(folder, [block])).ticks).toEqual(toldOf(block));
      }),
      { numRuns: 60 },
    );
  });

  it('is compressed: ticks of an instrument that change little take a small part of their size', () => {
    const builder = new BlockBuilder(8192);
    const many = samples(8192);
    for (const { key, tick } of many) builder.add(tick.i32, key);
    expect(builder.full).toBe(true);
    expect(sealBlock(builder.finish(), 1, 0).length).toBeLessThan((8192 * 320) / 10);
    expect(builder.count).toBe(0);
  });

  it('names files by trading day and the next free number, and never appends to one that is there', () => {
    const folder = recordingFolder();
    const writers = [20240411, 20240411, 20240412].map((day) => new RecordingWriter(folder, day));
    for (const writer of writers) writer.close();
    expect(writers.map(({ path }) => basename(path))).toEqual([
      '20240411-0001.ticks',
      '20240411-0002.ticks',
      '20240412-0001.ticks',
    ]);
    expect(new Set(writers.map(({ fileId }) => fileId)).size).toBe(3);
  });

  it('tells how many ticks were lost before its blocks', () => {
    const reader = new RecordingReader(writeRecording(recordingFolder(), thirds, 7));
    expect([reader.ticks, reader.lost, reader.tradingDay]).toEqual([30, 21, 20240411]);
    reader.close();
  });

  it('finds the blocks of a time without unpacking others', () => {
    const reader = new RecordingReader(writeRecording(recordingFolder(), thirds));
    const between = (from: number, to: number): number[] => {
      const range = reader.between(ns(testTimeMs + from), ns(testTimeMs + to));
      return [range.from, range.to];
    };
    expect(between(0, 4500)).toEqual([0, 1]);
    expect(between(4501, 4999)).toEqual([1, 1]);
    expect(between(5000, 5000)).toEqual([1, 2]);
    expect(between(9000, 10_000)).toEqual([1, 3]);
    expect(between(-10, -1)).toEqual([0, 0]);
    expect(between(14_501, 99_999)).toEqual([3, 3]);
    reader.close();
  });

  it('gives the ticks of a time, also where the clock of the host stepped back between blocks', () => {
    const path = writeRecording(recordingFolder(), [thirds[2]!, thirds[0]!, thirds[1]!]);
    const range = { fromNs: ns(testTimeMs + 4500), toNs: ns(testTimeMs + 10_000) };
    expect([...readBack(path, range).ticks].sort()).toEqual(toldOf(all.slice(9, 21)).sort());
  });

  it('merges the files of several recorders by receive time, as lines of their own', () => {
    const folder = recordingFolder();
    const even = writeRecording(folder, [all.filter((_, i) => i % 2 === 0)]);
    const odd = writeRecording(folder, [all.filter((_, i) => i % 2 === 1)]);
    const readers = [odd, even].map((path) => new RecordingReader(path));
    const merged = new RecordedTicks(readers, wholeRange, () => undefined);
    const volumes: number[] = [];
    const sources = new Set<number>();
    while (merged.next()) {
      volumes.push(merged.record.i32[62]!);
      sources.add(merged.record.connection);
    }
    expect(volumes).toEqual(all.map((_, i) => 100 + i));
    expect(sources.size).toBe(2);
    for (const reader of readers) reader.close();
  });

  it('refuses keys that no instrument can have', () => {
    const builder = new BlockBuilder(2);
    for (const key of ['', 'rb2405', 'SHFE.', 'SHFE.rb\n2405', 'SHFE.中', `SHFE.${'x'.repeat(92)}`])
      expect(() => builder.add(all[0]!.tick.i32, key), key).toThrow(/is no instrument/);
  });
});

describe('a damaged recording', () => {
  it('cut anywhere, gives the whole blocks before the cut and is never refused', () => {
    const folder = recordingFolder();
    const path = writeRecording(folder, thirds);
    const whole = readFileSync(path);
    const ends = extents(path).map(({ to }) => to);
    const cut = join(folder, 'cut.ticks');
    for (let length = whole.length; length >= 0; length--) {
      if (length === whole.length) writeFileSync(cut, whole);
      truncateSync(cut, length);
      const blocks = ends.filter((end) => end <= length).length;
      const back = readBack(cut);
      expect(back.ticks).toEqual(toldOf(all.slice(0, 10 * blocks)));
      expect(back.damages).toEqual([]);
      expect(back.torn).toBe(length !== 32 && !ends.includes(length));
    }
  });

  it('with any byte changed, loses no more than that block, says where, and never gives a wrong tick', () => {
    const folder = recordingFolder();
    const path = writeRecording(folder, thirds);
    const whole = readFileSync(path);
    const places = extents(path);
    const changed = join(folder, 'changed.ticks');
    for (let at = 0; at < whole.length; at++) {
      const bytes = Buffer.from(whole);
      bytes[at]! ^= 1 << (at % 8);
      writeFileSync(changed, bytes);
      const hit = places.findIndex(({ from, to }) => at >= from && at < to);
      const back = readBack(changed);
      expect(back.ticks, `byte ${at}`).toEqual(toldOf(thirds.filter((_, i) => i !== hit).flat()));
      const isTail = hit === 2 && at < places[2]!.from + blockHeaderBytes;
      const place = hit < 0 ? 0 : places[hit]!.from;
      if (isTail) expect(back.torn).toBe(true);
      else
        expect(back.damages.join()).toMatch(new RegExp(`changed.ticks: at byte ${place}: .*damaged|begins`));
    }
  });

  it('with pieces cut out, put in, repeated or overwritten, gives ticks of whole blocks alone', () => {
    const folder = recordingFolder();
    const whole = readFileSync(writeRecording(folder, thirds));
    const path = join(folder, 'mangled.ticks');
    const lawful = new Set(toldOf(all));
    const piece = fc.record({
      at: fc.nat(whole.length),
      remove: fc.nat(300),
      insert: fc.oneof(fc.uint8Array({ maxLength: 200 }), fc.nat(whole.length - 100)),
    });
    fc.assert(
      fc.property(fc.array(piece, { minLength: 1, maxLength: 4 }), (pieces) => {
        let bytes = Buffer.from(whole);
        for (const { at, remove, insert } of pieces) {
          const put = typeof insert === 'number' ? whole.subarray(insert, insert + 100) : Buffer.from(insert);
          bytes = Buffer.concat([bytes.subarray(0, at), put, bytes.subarray(at + remove)]);
        }
        writeFileSync(path, bytes);
        let back;
        try {
          back = readBack(path);
        } catch (error) {
          expect(String(error)).toMatch(/^RecordingError: .*mangled.ticks: /);
          return;
        }
        for (const tick of back.ticks) expect(lawful.has(tick)).toBe(true);
      }),
      { numRuns: 400 },
    );
  });

  it('reads on behind blocks that another file has left there', () => {
    const folder = recordingFolder();
    const path = writeRecording(folder, [thirds[0]!]);
    const own = readFileSync(path);
    const id = own.readUInt32LE(16);
    const strange = encoded(thirds[1]!, id + 1);
    writeFileSync(path, Buffer.concat([own, strange, encoded(thirds[2]!, id)]));
    const back = readBack(path);
    expect(back.ticks).toEqual(toldOf([...thirds[0]!, ...thirds[2]!]));
    expect(back.damages).toEqual([`${path}: at byte ${own.length}: a block of another file begins here`]);
  });

  it('says in one line that a file is none, or of a version that it cannot read', () => {
    const folder = recordingFolder();
    const path = join(folder, 'x.ticks');
    for (const bytes of [
      Buffer.from('hello, this is no recording, is it?'),
      Buffer.alloc(5000),
      Buffer.from('Q!'),
    ]) {
      writeFileSync(path, bytes);
      expect(() => readBack(path)).toThrow(`${path}: this is no recording`);
    }
    const later = readFileSync(writeRecording(folder, thirds));
    later.writeUInt32LE(2, 8);
    later.writeUInt32LE(crc32(later.subarray(0, 28)), 28);
    writeFileSync(path, later);
    expect(() => readBack(path)).toThrow(`${path}: the recording is of version 2, only 1 can be read`);
    expect(() => readBack(folder)).toThrow();
    expect(() => readBack(join(folder, 'none.ticks'))).toThrow(/none\.ticks: there is no such file/);
  });
});

describe('a hostile recording', () => {
  /** A file of one block whose header says something else, with right checksums. */
  function forged(change: (header: Record<string, unknown>) => void): string {
    const path = writeRecording(recordingFolder(), thirds);
    const whole = readFileSync(path);
    const header = parseBlockHeader(whole.subarray(32)) as unknown as Record<string, unknown>;
    change(header);
    encodeBlockHeader(header as never).copy(whole, 32);
    writeFileSync(path, whole);
    return path;
  }

  it.each([
    ['more records than a block may have', { records: 65_537 }, /cannot be/],
    ['no records', { records: 0 }, /cannot be/],
    ['more stored bytes than deflate makes of them', { recordsStored: 4_000_000_000 }, /cannot be/],
    ['instruments without names', { dictionaryBytes: 3 }, /cannot be/],
    ['more instruments than records', { instruments: 11, dictionaryBytes: 22 }, /cannot be/],
    ['its end before its begin', { lastNs: 0n }, /cannot be/],
    ['fewer records than unpack', { records: 9 }, /the records cannot be unpacked to 2880 bytes/],
    ['more records than unpack', { records: 11 }, /should be 3520 bytes, are 3200/],
    ['fewer instruments than there are', { instruments: 2 }, /not as long as the block says/],
    ['another length of names', { dictionaryBytes: 30 }, /instruments cannot be unpacked to 30 bytes/],
    ['the parts split elsewhere', { dictionaryStored: 30 }, /damaged|unpacked|begins/],
  ])('with %s loses that block and nothing else', (_, change, reason) => {
    const path = forged((header) => Object.assign(header, change));
    const back = readBack(path);
    expect(back.ticks).toEqual(toldOf(all.slice(10)));
    expect(back.damages.join()).toMatch(reason);
  });
});
