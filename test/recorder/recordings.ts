import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { rmSync } from 'node:fs';
import { BlockBuilder, sealBlock } from '../../src/recorder/blockCodec.js';
import { RecordingReader } from '../../src/recorder/recordingReader.js';
import { RecordedTicks, wholeRange, type TickRange } from '../../src/recorder/recordedTicks.js';
import { RecordingWriter } from '../../src/recorder/recordingWriter.js';
import { intWord, type TickRecord } from '../../src/ring/tickRecord.js';
import { makeTick, testTimeMs, type TickFields } from '../market/ticks.js';

export interface Sample {
  readonly key: string;
  readonly tick: TickRecord;
}

/** A folder that is gone when the test has ended. */
export function recordingFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'qactpmd-recording-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export function sample(key: string, fields: TickFields = {}): Sample {
  return { key, tick: makeTick(fields) };
}

/** `count` ticks of three instruments, one each 500 ms. */
export function samples(count: number): Sample[] {
  const keys = ['SHFE.rb2405', 'CZCE.SR405', 'DCE.SP m2405&m2409'];
  return Array.from({ length: count }, (_, i) =>
    sample(keys[i % keys.length]!, {
      receivedAt: testTimeMs + 500 * i,
      updateTime: 36_000 + Math.floor(i / 2),
      millisec: 500 * (i % 2),
      volume: 100 + i,
      lastPrice: 3500 + (i % 7),
      source: i % 2,
    }),
  );
}

/** Writes a file whose blocks hold these ticks. */
export function writeRecording(folder: string, blocks: readonly (readonly Sample[])[], lost = 0): string {
  const writer = new RecordingWriter(folder, 20240411);
  for (const block of blocks) writer.append(encoded(block, writer.fileId, lost));
  writer.sync();
  writer.close();
  return writer.path;
}

export function encoded(block: readonly Sample[], fileId: number, lost = 0): Buffer {
  const builder = new BlockBuilder(Math.max(1, block.length));
  for (const { key, tick } of block) builder.add(tick.i32, key);
  return sealBlock(builder.finish(), fileId, lost);
}

/** What a tick and its key say, for comparisons; sequence and slot are the recorder's own. */
export function told(key: string, { i32 }: TickRecord): string {
  return `${key} ${i32.slice(intWord.receiveTimeLow).join(' ')}`;
}

export interface ReadBack {
  readonly ticks: readonly string[];
  /** What was skipped, in words. */
  readonly damages: readonly string[];
  readonly torn: boolean;
}

/** All that can be read of a file. Throws as the reader does. */
export function readBack(path: string, range: TickRange = wholeRange): ReadBack {
  const reader = new RecordingReader(path);
  try {
    const damages = reader.damages.map(({ offset, reason }) => `${path}: at byte ${offset}: ${reason}`);
    const ticks: string[] = [];
    const all = new RecordedTicks([reader], range, (error) => damages.push(error.message));
    while (all.next()) ticks.push(told(all.key, all.record));
    return { ticks, damages, torn: reader.torn !== undefined };
  } finally {
    reader.close();
  }
}
