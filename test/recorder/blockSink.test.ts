import type { ThreadLine } from '../../src/base/logEvents.js';
import { execFileSync } from 'node:child_process';
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { toPatterns } from '../../src/config/patternList.js';
import { WeekdayCalendar } from '../../src/market/calendar/tradingCalendar.js';
import { packagePath } from '../../src/base/paths.js';
import { BlockBuilder, type PackedBlock } from '../../src/recorder/blockCodec.js';
import { BlockSink, type TapePlace } from '../../src/recorder/blockSink.js';
import { RecorderProgress, type RecorderFigure } from '../../src/recorder/recorderProgress.js';
import { RecordingReader } from '../../src/recorder/recordingReader.js';
import { TickRecorder } from '../../src/recorder/tickRecorder.js';
import { testTimeMs } from '../market/ticks.js';
import { readBack, recordingFolder, sample, samples } from './recordings.js';

const day = 20240411;

interface Made {
  readonly sink: BlockSink;
  readonly lines: string[];
  readonly progress: RecorderProgress;
}

function sinkInto(folder: string, fileBytes = 1e9): Made {
  const lines: string[] = [];
  const progress = new RecorderProgress();
  const say = ({ level, text }: ThreadLine): void => void lines.push(`${level} ${text}`);
  return { sink: new BlockSink({ folder, fileBytes }, say, progress), lines, progress };
}

/** Where the tape was read to. */
const at = (position: number, missed = 0): TapePlace => ({ position, missed });

const numbersIn = (progress: RecorderProgress, ...figures: RecorderFigure[]): number[] =>
  figures.map((figure) => progress.get(figure));

function blockOf(ticks: number): PackedBlock {
  const builder = new BlockBuilder(ticks);
  for (const { key, tick } of samples(ticks)) builder.add(tick.i32, key);
  return builder.finish();
}

const filesIn = (folder: string): string[] => readdirSync(folder).sort();

describe('the sink of blocks', () => {
  it('begins another file past the size, on another trading day, and where its file was removed', () => {
    const folder = join(recordingFolder(), 'new', 'folder');
    const { sink, lines, progress } = sinkInto(folder, 1000);
    for (let i = 0; i < 2; i++) sink.put(blockOf(100), day, i, at(i));
    expect(filesIn(folder)).toEqual(['20240411-0001.ticks', '20240411-0002.ticks']);
    sink.put(blockOf(1), 20240412, 5, at(5));
    rmSync(sink.path);
    sink.put(blockOf(3), 20240412, 6, at(6));
    sink.close(7);
    expect(filesIn(folder)).toEqual(['20240411-0001.ticks', '20240411-0002.ticks', '20240412-0001.ticks']);
    expect(readBack(join(folder, '20240412-0001.ticks')).ticks).toHaveLength(3);
    expect(numbersIn(progress, 'files', 'ticks', 'lost', 'position')).toEqual([4, 204, 0, 6]);
    expect(lines.every((line) => line.startsWith('info recording into '))).toBe(true);
  });

  it('says once that a folder cannot be written, keeps what comes, and continues when it can', () => {
    const place = recordingFolder();
    const folder = join(place, 'ticks');
    writeFileSync(folder, 'a file');
    const { sink, lines, progress } = sinkInto(folder);
    for (let i = 0; i < 5; i++) sink.put(blockOf(10), day, i * 1000, at(10 * i + 10));
    sink.passed(at(90));
    expect(progress.get('position')).toBeNaN();
    expect(lines).toEqual([
      expect.stringMatching(/^error cannot record into .*ticks: .* \(E[A-Z]+\); trying again/),
    ]);
    expect([sink.waitingTicks, sink.failure === '']).toEqual([50, false]);
    rmSync(folder);
    sink.maintain(4500);
    expect(sink.waitingTicks).toBe(50);
    sink.maintain(5000);
    expect([sink.waitingTicks, sink.failure]).toEqual([0, '']);
    expect(numbersIn(progress, 'ticks', 'position')).toEqual([50, 50]);
    expect(lines.slice(1)).toEqual([
      expect.stringMatching(/^info recording into .*20240411-0001\.ticks/),
      expect.stringMatching(/^info recording continues into .*; 0 ticks were lost meanwhile/),
    ]);
    sink.close(6000);
    expect(readBack(join(folder, '20240411-0001.ticks')).ticks).toHaveLength(50);
  });

  it('loses the oldest past what may wait, counts it, and tells it in the file', () => {
    const place = recordingFolder();
    const folder = join(place, 'ticks');
    writeFileSync(folder, 'a file');
    const { sink, progress } = sinkInto(folder);
    const payload = Buffer.alloc(30 * 1024 * 1024);
    for (let i = 0; i < 3; i++) {
      const { header } = blockOf(10);
      sink.put({ header, payload }, day, 0, at(10 * i + 14, 4));
    }
    // What it has lost and missed is settled, and a file is yet to tell it.
    expect(numbersIn(progress, 'lost', 'missed', 'untold', 'position')).toEqual([10, 4, 14, 14]);
    expect(sink.waitingTicks).toBe(20);
    sink.close(0);
    expect(numbersIn(progress, 'lost', 'untold', 'position')).toEqual([30, 34, 34]);
  });

  it('writes over what a full disk took in part, and leaves a readable file', () => {
    const folder = recordingFolder();
    const script = packagePath('test', 'recorder', 'fullDisk.js');
    // 200 KB of blocks where a file may have 100 KB: the write that passes the limit is cut, those after it refused.
    const shell = `trap '' XFSZ; ulimit -f 100; exec "${process.execPath}" "${script}" "${folder}" 7`;
    const { lines, failures, ticks, lost } = JSON.parse(
      execFileSync('bash', ['-c', shell], { encoding: 'utf8' }),
    ) as { lines: string[]; failures: number; ticks: number; lost: number };
    expect(failures).toBeGreaterThan(0);
    expect(lines[1]).toMatch(/^error cannot record into .*ticks: the file may not be larger \(EFBIG\)/);
    expect(lines.at(-1)).toMatch(/^error \d+ ticks were not recorded: the file may not be larger/);
    expect(lines).toHaveLength(3);
    const reader = new RecordingReader(join(folder, '20261124-0001.ticks'));
    expect(reader.ticks).toBe(ticks);
    expect(ticks + lost).toBe(700);
    expect(reader.torn?.reason).toBe('the block is cut short');
    reader.close();
  });
});

describe('the recorder of ticks', () => {
  const settings = { patterns: toPatterns(['*']), intervalMs: 1000, calendar: new WeekdayCalendar() };

  it('takes the instruments of its patterns', () => {
    const folder = recordingFolder();
    const { sink } = sinkInto(folder);
    const patterns = toPatterns(['SHFE.*', 'm2405']);
    const recorder = new TickRecorder({ ...settings, patterns }, sink, at(0));
    ['SHFE.rb2405', 'DCE.m2405', 'DCE.m2409', 'CZCE.SR405'].forEach((key, slot) => {
      const { tick } = sample(key, { slot });
      recorder.take(tick, key, 0, 0);
    });
    recorder.flush(0);
    sink.close(0);
    expect(readBack(join(folder, filesIn(folder)[0]!)).ticks.map((tick) => tick.split(' ')[0])).toEqual([
      'SHFE.rb2405',
      'DCE.m2405',
    ]);
  });

  it('ends a block by time, by count and at the begin of a trading day, 20:00 in Shanghai', () => {
    const folder = recordingFolder();
    const { sink, progress } = sinkInto(folder);
    const recorder = new TickRecorder(settings, sink, at(0));
    const key = 'SHFE.rb2405';
    const take = (utcMs: number, nowMs: number): void =>
      recorder.take(sample(key, { receivedAt: utcMs }).tick, key, 0, nowMs);
    const thursday = Date.UTC(2024, 3, 11, 11, 59, 59, 999);
    take(thursday, 0);
    recorder.flushDue(999);
    expect([progress.get('ticks'), recorder.dueMs]).toEqual([0, 1000]);
    recorder.flushDue(1000);
    expect([progress.get('ticks'), recorder.dueMs]).toEqual([1, Infinity]);
    take(thursday, 1001);
    take(thursday + 1, 1002);
    expect(progress.get('ticks')).toBe(2);
    // A host's clock that steps back does not bring a day back.
    take(thursday, 1003);
    for (let i = 0; i < 8190; i++) take(thursday + 5, 1004);
    expect([progress.get('ticks'), recorder.pending]).toEqual([2 + 8192, 0]);
    // Friday's evening is Monday's.
    take(Date.UTC(2024, 3, 12, 12), 1005);
    recorder.flush(1006);
    sink.close(1007);
    expect(filesIn(folder).map((name) => basename(name))).toEqual([
      '20240411-0001.ticks',
      '20240412-0001.ticks',
      '20240415-0001.ticks',
    ]);
  });

  it('goes back to the day before when the clock of the host was days ahead, and not for an hour', () => {
    const folder = recordingFolder();
    const { sink } = sinkInto(folder);
    const recorder = new TickRecorder(settings, sink, at(0));
    const key = 'SHFE.rb2405';
    const evening = Date.UTC(2024, 3, 10, 12);
    for (const receivedAt of [
      evening,
      evening - 3_600_000,
      evening + 40 * 86_400_000,
      evening + 5000,
      evening + 86_400_000,
    ])
      recorder.take(sample(key, { receivedAt }).tick, key, 0, 0);
    recorder.flush(0);
    sink.close(0);
    const ticks = filesIn(folder).map((name) => [name, readBack(join(folder, name)).ticks.length]);
    expect(ticks).toEqual([
      ['20240411-0001.ticks', 2],
      ['20240411-0002.ticks', 1],
      ['20240412-0001.ticks', 1],
      ['20240521-0001.ticks', 1],
    ]);
  });

  it('tells in the file what was lost before it could be read, and how far the tape is done with', () => {
    const folder = recordingFolder();
    const { sink, progress } = sinkInto(folder);
    const tape = { position: 0, missed: 0 };
    const recorder = new TickRecorder(settings, sink, tape);
    const take = (receivedAt: number, position: number, missed: number): void => {
      Object.assign(tape, { position, missed });
      recorder.take(sample('SHFE.rb2405', { receivedAt }).tick, 'SHFE.rb2405', 0, 0);
    };
    take(testTimeMs, 1, 0);
    take(testTimeMs, 14, 12);
    expect(progress.get('position')).toBeNaN();
    // The tick that begins a day ends the block before it, and is not settled with that.
    take(testTimeMs + 86_400_000, 18, 15);
    expect(numbersIn(progress, 'ticks', 'position', 'missed')).toEqual([2, 14, 12]);
    recorder.flush(0);
    expect(numbersIn(progress, 'ticks', 'position', 'missed', 'untold')).toEqual([3, 18, 15, 0]);
    sink.close(0);
    const lost = filesIn(folder).map((name) => {
      const reader = new RecordingReader(join(folder, name));
      reader.close();
      return reader.lost;
    });
    expect(lost).toEqual([12, 3]);
  });
});
