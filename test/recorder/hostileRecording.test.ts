import { execFileSync } from 'node:child_process';
import { appendFileSync, closeSync, openSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32, deflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { parquetReadObjects } from 'hyparquet';
import { describe, expect, it } from 'vitest';
import { readHolidays } from '../../src/market/calendar/holidayCalendar.js';
import { loadProducts } from '../../src/market/instruments/products.js';
import { AcceptedTicks } from '../../src/recorder/acceptedTicks.js';
import { CsvExport } from '../../src/recorder/csvExport.js';
import { ParquetExport } from '../../src/recorder/parquetExport.js';
import { RecordedTicks, wholeRange } from '../../src/recorder/recordedTicks.js';
import {
  blockHeaderBytes,
  encodeBlockHeader,
  fileHeaderBytes,
  parseBlockHeader,
  type BlockHeader,
} from '../../src/recorder/recordingFormat.js';
import { RecordingReader } from '../../src/recorder/recordingReader.js';
import { tickRecordBytes } from '../../src/ring/tickRecord.js';
import { RecordFrame } from '../../src/simulator/recordFrame.js';
import { RecordedSource } from '../../src/simulator/replaySource.js';
import { testTimeMs } from '../market/ticks.js';
import { encoded, readBack, recordingFolder, sample, samples, told, writeRecording } from './recordings.js';

const seed = 20261124;
const mostMemoryMb = 100;

/** Runs something and gives how much more memory the process has after it, in MB. */
function memoryFor(run: () => void): number {
  const before = process.memoryUsage().rss;
  run();
  return (process.memoryUsage().rss - before) / 2 ** 20;
}

/** Writes a block's header again, with right checksums, over the first block of a file. */
function forge(path: string, change: Partial<BlockHeader>, payload?: Buffer): void {
  const whole = readFileSync(path);
  const header = parseBlockHeader(whole.subarray(fileHeaderBytes));
  if ('problem' in header) throw new Error(header.problem);
  const behind = payload ?? whole.subarray(fileHeaderBytes + blockHeaderBytes);
  const forged = encodeBlockHeader({
    ...header,
    payloadCrc: payload ? crc32(payload) : header.payloadCrc,
    ...change,
  });
  writeFileSync(path, Buffer.concat([whole.subarray(0, fileHeaderBytes), forged, behind]));
}

/** Exports a file both ways and makes the frames of a replay; gives the lines and what an independent reader finds. */
async function usedUp(path: string): Promise<{ lines: string[]; rows: Record<string, unknown>[] }> {
  const folder = recordingFolder();
  const outputs = ['out.csv', 'out.parquet'].map((name) => join(folder, name));
  const [csv, parquet] = outputs.map((output) => openSync(output, 'wx'));
  const reader = new RecordingReader(path);
  const writers = [new CsvExport(csv!), new ParquetExport(parquet!)];
  const ticks = new AcceptedTicks(new RecordedTicks([reader], wholeRange, () => undefined), {
    market: {
      products: loadProducts(),
      importedInstruments: [],
      tradingHours: 'always',
      holidays: readHolidays(),
    },
    warn: () => undefined,
    patterns: [],
  });
  while (ticks.next()) for (const writer of writers) writer.add(ticks.key, ticks.row);
  for (const writer of writers) writer.finish();
  for (const descriptor of [csv!, parquet!]) closeSync(descriptor);
  reader.close();
  const source = new RecordedSource([path], () => undefined);
  const frame = new RecordFrame();
  while (source.next())
    frame.make(source.record, Buffer.from(source.key.slice(source.key.indexOf('.') + 1), 'latin1'));
  source.close();
  const file = new Uint8Array(readFileSync(outputs[1]!)).buffer;
  return {
    lines: readFileSync(outputs[0]!, 'latin1').trimEnd().split('\n'),
    rows: (await parquetReadObjects({ file })) as Record<string, unknown>[],
  };
}

describe('a hostile recording', () => {
  it('may hold any bits in its records, and what is exported of them is well-formed and the same in both formats', async () => {
    const folder = recordingFolder();
    const words = fc.array(
      fc.tuple(
        fc.nat({ max: tickRecordBytes / 4 - 3 }),
        fc.oneof(
          fc.constantFrom(0, -1, 1, 0x7fffffff, -0x80000000, 0x7ff00000, 0x7ff80000, -0x00100000),
          fc.integer(),
        ),
      ),
      { maxLength: 12 },
    );
    const key = fc.constantFrom(
      'SHFE.rb2405',
      'CZCE.SR405',
      'DCE.m2409',
      'DCE.SP m2405&m2409',
      'XX.~',
      'SHFE.a',
    );
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(key, words), { minLength: 1, maxLength: 12 }), async (ticks) => {
        const block = ticks.map(([name, changes], i) => {
          const made = sample(name, { volume: 100 + i, updateTime: 36_000 + i });
          for (const [word, value] of changes) made.tick.i32[2 + word] = value;
          return made;
        });
        const { lines, rows } = await usedUp(writeRecording(folder, [block]));
        const [head, ...body] = lines.map((line) => line.split(','));
        expect(rows).toHaveLength(body.length);
        body.forEach((values, at) => {
          expect(values).toHaveLength(head!.length);
          for (const [column, name] of head!.entries()) {
            const value = rows[at]![name];
            const shown = value instanceof Date ? value.getTime() : (value ?? '');
            if (name === 'receive_time') continue;
            expect(String(shown as string | number), name).toBe(values[column]);
          }
        });
      }),
      { numRuns: 30, seed },
    );
  });

  it('whose lengths are anything takes no more memory than a block may, and every other block is read', () => {
    const folder = recordingFolder();
    const blocks = [samples(10), samples(20).slice(10)];
    const whole = readFileSync(writeRecording(folder, blocks));
    const path = join(folder, 'forged.ticks');
    const rest = blocks[1]!.map(({ key, tick }) => told(key, tick));
    const fields = [
      'dictionaryStored',
      'dictionaryBytes',
      'recordsStored',
      'records',
      'instruments',
    ] as const;
    const lengths = [0, 1, 0xffff, 0x10000, 0x10001, 1e6, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff];
    const grown = memoryFor(() => {
      for (const field of fields)
        for (const length of lengths) {
          writeFileSync(path, whole);
          forge(path, { [field]: length });
          const back = readBack(path);
          expect(back.ticks.slice(-10), `${field} ${length}`).toEqual(rest);
          expect(back.damages.join(), `${field} ${length}`).toMatch(/forged\.ticks: at byte 32: \S+ \S+/);
        }
    });
    expect(grown).toBeLessThan(mostMemoryMb);
  });

  it.each([
    [
      'the records',
      (bomb: Buffer, names: Buffer) => ({
        payload: Buffer.concat([names, bomb]),
        dictionaryStored: names.length,
        recordsStored: bomb.length,
        records: 65_536,
      }),
    ],
    [
      'the list of instruments',
      (bomb: Buffer) => ({
        payload: Buffer.concat([bomb, bomb]),
        dictionaryStored: bomb.length,
        recordsStored: bomb.length,
        dictionaryBytes: 65_536 * 97,
        instruments: 65_536,
        records: 65_536,
      }),
    ],
  ])('that unpacks to 40 MB is left at what the header may say: %s', (what, make) => {
    const bomb = deflateRawSync(Buffer.alloc(40 << 20));
    const folder = recordingFolder();
    const path = writeRecording(folder, [samples(3)]);
    const names = Buffer.from('SHFE.rb2405\n');
    const { payload, ...change } = make(bomb, deflateRawSync(names));
    forge(path, { instruments: 1, dictionaryBytes: names.length, ...change }, payload);
    const grown = memoryFor(() => {
      expect(readBack(path).damages.join()).toMatch(
        new RegExp(`at byte 32: ${what} cannot be unpacked to \\d+ bytes`),
      );
    });
    expect(grown).toBeLessThan(mostMemoryMb);
  });

  it('changed at random in some hundred ways gives ticks of its own or none, and refusals that name file and byte', () => {
    const folder = recordingFolder();
    const all = samples(40);
    const lawful = new Set(all.map(({ key, tick }) => told(key, tick)));
    const whole = readFileSync(writeRecording(folder, [all.slice(0, 20), all.slice(20)]));
    const path = join(folder, 'changed.ticks');
    const change = fc.record({
      at: fc.nat(whole.length - 1),
      value: fc.oneof(fc.nat(255), fc.constantFrom(0, 255)),
      repeat: fc.constantFrom(1, 1, 4, 8, 64),
      cut: fc.oneof(fc.constant(0), fc.nat(100)),
    });
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 5 }), (changes) => {
        const bytes = Buffer.from(whole);
        let cut = 0;
        for (const { at, value, repeat, cut: less } of changes) {
          bytes.fill(value, at, Math.min(bytes.length, at + repeat));
          cut = Math.max(cut, less);
        }
        writeFileSync(path, bytes.subarray(0, bytes.length - cut));
        try {
          const { ticks, damages } = readBack(path);
          for (const tick of ticks) expect(lawful.has(tick)).toBe(true);
          for (const damage of damages) expect(damage).toMatch(/changed\.ticks: at byte \d+: \S+ \S+/);
        } catch (error) {
          expect(String(error)).toMatch(
            /^RecordingError: \S+changed\.ticks: (at byte 0: |this is no recording)/,
          );
        }
      }),
      { numRuns: 300, seed },
    );
  });
});

describe('a file that is not what it should be', () => {
  it('is refused when it is a folder, a pipe or a device, at once', () => {
    const folder = recordingFolder();
    const pipe = join(folder, 'pipe.ticks');
    execFileSync('mkfifo', [pipe]);
    expect(() => readBack(folder)).toThrow(`${folder}: this is a folder; name the recordings in it`);
    expect(() => readBack(pipe)).toThrow(`${pipe}: this is no file but a device, a pipe or a socket`);
    expect(() => readBack('/dev/zero')).toThrow('/dev/zero: this is no file but a device');
  });

  it('is what a crash left when it is empty or has the first bytes of a header', () => {
    const path = join(recordingFolder(), 'short.ticks');
    for (const bytes of ['', 'Q', 'QMDTICK', 'QMDTICKS\x01']) {
      writeFileSync(path, bytes);
      expect(readBack(path)).toEqual({ ticks: [], damages: [], torn: true });
    }
  });

  it('is not taken for more than it was when it was opened, and not for less without a word', () => {
    const folder = recordingFolder();
    const path = writeRecording(folder, [samples(10)]);
    const size = readFileSync(path).length;
    const reader = new RecordingReader(path);
    appendFileSync(path, encoded(samples(20).slice(10), readFileSync(path).readUInt32LE(16)));
    expect(reader.read(0).count).toBe(10);
    expect(reader.blocks).toHaveLength(1);
    truncateSync(path, size - 1);
    expect(() => reader.read(0)).toThrow(`${path}: at byte 32: the block is cut short`);
    reader.close();
  });

  it('loses its day where its header names none, and is read nevertheless', () => {
    const path = writeRecording(recordingFolder(), [samples(10)]);
    const bytes = readFileSync(path);
    bytes.writeUInt32LE(0xffffffff, 20);
    bytes.writeUInt32LE(crc32(bytes.subarray(0, 28)), 28);
    writeFileSync(path, bytes);
    const source = new RecordedSource([path], (text) =>
      expect(text).toContain('at byte 0: the file header names the trading day 4294967295, which is none'),
    );
    expect([source.tradingDay, source.next()]).toEqual([20240411, true]);
    source.close();
  });

  it('ends where its time of receipt is no time', () => {
    const late = sample('SHFE.rb2405');
    late.tick.i32[3] = 0x7fffffff;
    const early = sample('SHFE.rb2405');
    early.tick.i32[3] = -0x80000000;
    const path = writeRecording(recordingFolder(), [[late, early, ...samples(2)]]);
    expect(readBack(path, { fromNs: 0n, toNs: BigInt(testTimeMs + 1000) * 1_000_000n }).ticks).toHaveLength(
      2,
    );
  });
});
