import { closeSync, existsSync, fstatSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { parquetMetadata, parquetReadObjects } from 'hyparquet';
import { describe, expect, it } from 'vitest';
import { makeRecording } from '../../bench/processes/recording.js';
import { HistoryRow } from '../../src/history/storedRow.js';
import { packedNumbers, packRow, RowUnpacker } from '../../src/history/rowPacking.js';
import { tickWriter } from '../../src/history/tickWriter.js';
import { shippedProductRows } from '../../src/market/instruments/products.js';
import { Field } from '../../src/market/quotes/quoteFields.js';
import { intWord } from '../../src/ring/tickRecord.js';
import { ParquetExport } from '../../src/recorder/parquetExport.js';
import { recordingFolder, sample, samples, writeRecording } from '../recorder/recordings.js';
import { testTimeMs } from '../market/ticks.js';
import { run } from './console.js';

interface Exported {
  readonly code: number | undefined;
  readonly err: string;
  readonly names: string[];
  readonly rows: Record<string, string>[];
}

async function exported(...args: string[]): Promise<Exported> {
  const output = join(recordingFolder(), 'out.csv');
  const { result, err } = await run(['export', ...args, '--output', output]);
  const text = existsSync(output) ? readFileSync(output, 'latin1') : '';
  const [head = '', ...lines] = text.trimEnd().split('\n');
  const names = head.split(',');
  const rows = lines.map((line) => Object.fromEntries(line.split(',').map((value, i) => [names[i]!, value])));
  return { code: result.kind === 'done' ? result.exitCode : undefined, err, names, rows };
}

describe('export', () => {
  it('ends at a signal, also where nothing comes that is asked for', async () => {
    const folder = recordingFolder();
    const { path } = makeRecording(folder, { ticks: 50_000, instruments: 10, rate: 10 });
    const output = join(folder, 'out.csv');
    const ran = run(['export', path, '--instrument', 'SHFE.zz*', '--output', output]);
    for (let turns = 0; turns < 10_000 && !existsSync(output); turns++) await turn();
    process.emit('SIGINT');
    const { result, err } = await ran;
    expect(result).toMatchObject({ kind: 'done', exitCode: 1 });
    expect(err).toContain('interrupted');
    expect(existsSync(output)).toBe(false);
  });

  it('writes CSV with the names of the history API, dates as clients see them and absent values empty', async () => {
    // A tick of CZCE's night, which bears its natural day in both fields: it belongs to Friday.
    const night = sample('CZCE.SR409', {
      receivedAt: Date.UTC(2024, 3, 11, 13, 30, 0, 250),
      updateTime: 77_400,
      tradingDay: 20240411,
      actionDay: 20240411,
      volume: 7,
      lastPrice: 6300,
    });
    const path = writeRecording(recordingFolder(), [[...samples(3), night]]);
    const { code, err, names, rows } = await exported(path);
    expect([code, err]).toEqual([0, expect.stringMatching(/out\.csv: 4 ticks written\n$/)]);
    expect(names.slice(0, 6)).toEqual([
      'instrument_id',
      'datetime',
      'timestamp',
      'trading_day',
      'last_price',
      'open_price',
    ]);
    expect(names.slice(-2)).toEqual(['flags', 'receive_time']);
    expect(names).toContain('ask_volume5');
    expect(rows[0]).toMatchObject({
      instrument_id: 'SHFE.rb2405',
      datetime: '2024-04-11 10:00:00.000',
      timestamp: String(testTimeMs),
      trading_day: '20240411',
      last_price: '3500',
      close_price: '',
      volume: '100',
      bid_price1: '3499',
      bid_price2: '',
      flags: 'snapshot',
      receive_time: String(testTimeMs),
    });
    expect(rows[3]).toMatchObject({
      instrument_id: 'CZCE.SR409',
      datetime: '2024-04-11 21:30:00.000',
      trading_day: '20240412',
      flags: 'snapshot',
    });
  });

  it('says that the calendar lacks a year where ticks are of it, and not for the next one alone', async () => {
    const on = (day: number): ReturnType<typeof sample> =>
      sample('SHFE.rb2505', {
        receivedAt: Date.UTC(Math.trunc(day / 10_000), Math.trunc(day / 100 - 1) % 100, day % 100, 2),
        updateTime: 36_000,
        tradingDay: day,
        actionDay: day,
      });
    const folder = recordingFolder();
    const holidays = JSON.stringify({ years: { '2024': [20240101] } });
    writeFileSync(join(folder, 'calendar.json'), holidays);
    const config = join(folder, 'gateway.json');
    writeFileSync(config, JSON.stringify({ calendar_file: join(folder, 'calendar.json') }));
    const last = writeRecording(folder, [[on(20241231)]]);
    expect((await exported(last, '--config', config)).err).not.toContain('lacks the holidays');
    const first = writeRecording(folder, [[on(20241231), on(20250102)]]);
    const { err } = await exported(first, '--config', config);
    expect(err.match(/lacks the holidays of \d+/g)).toEqual(['lacks the holidays of 2025']);
  });

  it('writes the same as Parquet, with types', async () => {
    const { path } = makeRecording(recordingFolder(), { ticks: 3000, instruments: 50, rate: 2 });
    const { rows } = await exported(path);
    const output = join(recordingFolder(), 'out.parquet');
    const { result, err } = await run(['export', path, '--output', output]);
    expect([result, err]).toEqual([
      { kind: 'done', exitCode: 0 },
      expect.stringMatching(/out\.parquet: 3000 ticks written\n$/),
    ]);
    const bytes = readFileSync(output);
    const file = new Uint8Array(bytes).buffer;
    const read = (await parquetReadObjects({ file })) as Record<string, unknown>[];
    expect(read).toHaveLength(3000);
    for (const at of [0, 1, 1500, 2999]) {
      const csv = rows[at]!;
      const found = read[at]!;
      expect(Object.keys(found)).toEqual(Object.keys(csv));
      const { timestamp, receive_time: received, ...others } = found;
      expect((timestamp as Date).getTime()).toBe(Number(csv['timestamp']));
      expect(String(received)).toBe(csv['receive_time']);
      for (const [name, value] of Object.entries(others))
        expect(`${(value ?? '') as string | number}`, name).toBe(csv[name]);
      expect(found['volume']).toEqual(expect.any(Number));
    }
  });

  it('writes Parquet’s timestamp as an instant, in UTC', async () => {
    const path = writeRecording(recordingFolder(), [samples(3)]);
    const output = join(recordingFolder(), 'out.parquet');
    await run(['export', path, '--output', output]);
    const { schema } = parquetMetadata(new Uint8Array(readFileSync(output)).buffer);
    expect(schema.find(({ name }) => name === 'timestamp')).toMatchObject({
      type: 'INT64',
      logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MILLIS' },
    });
  });

  it('gives a time of receipt the same digits in every format, to the microsecond', async () => {
    const ticks = samples(9).map(({ key, tick }, i) => {
      const ns =
        BigInt(testTimeMs) * 1_000_000n +
        BigInt(500 * i) * 1_000_000n +
        [0n, 123_456n, 999_999n, 1_500n][i % 4]!;
      new BigInt64Array(tick.f64.buffer, 8, 1)[0] = ns;
      return { key, tick };
    });
    const path = writeRecording(recordingFolder(), [ticks]);
    const { rows } = await exported(path);
    const output = join(recordingFolder(), 'out.parquet');
    await run(['export', path, '--output', output]);
    const file = new Uint8Array(readFileSync(output)).buffer;
    const read = (await parquetReadObjects({ file })) as Record<string, unknown>[];
    const inCsv = rows.map((row) => row['receive_time']);
    expect(inCsv.slice(0, 3)).toEqual([
      String(testTimeMs),
      `${testTimeMs + 500}.123`,
      `${testTimeMs + 1001}`,
    ]);
    expect(read.map((row) => String(row['receive_time']))).toEqual(inCsv);
    // A window's rows and what JSON is made from.
    const bytes = new Uint8Array(1000);
    const unpacked = new HistoryRow();
    ticks.forEach(({ tick }, i) => {
      const row = new HistoryRow();
      const before = new Float64Array(packedNumbers).fill(NaN);
      const end = packRow(row.values, 0, tick.receiveTimeMs, before, 0, bytes, 0);
      const unpacker = new RowUnpacker();
      unpacker.open(bytes.subarray(0, end));
      unpacker.next(unpacked);
      for (const format of ['csv', 'ndjson'] as const) {
        const writer = tickWriter(format, 'SHFE.rb2405', ['receive_time']);
        const into = new Uint8Array(100);
        const text = Buffer.from(into.subarray(0, writer.row(into, 0, unpacked, true)))
          .toString()
          .trim();
        expect(text).toBe(format === 'csv' ? inCsv[i] : `{"receive_time":${inCsv[i]}}`);
      }
    });
  });

  it('writes Parquet a row group at a time', async () => {
    const output = join(recordingFolder(), 'groups.parquet');
    const descriptor = openSync(output, 'wx');
    const writer = new ParquetExport(descriptor, 10);
    const row = new HistoryRow();
    for (let i = 0; i < 25; i++) {
      row.values[Field.volume] = i;
      row.values[Field.timestamp] = testTimeMs + i;
      writer.add('SHFE.rb2405', row);
      expect(fstatSync(descriptor).size > 4).toBe(i >= 9);
    }
    writer.finish();
    closeSync(descriptor);
    const file = new Uint8Array(readFileSync(output)).buffer;
    expect(parquetMetadata(file).row_groups.map(({ num_rows: rows }) => Number(rows))).toEqual([10, 10, 5]);
    const read = (await parquetReadObjects({ file })) as Record<string, unknown>[];
    expect(read.map((each) => each['volume'])).toEqual(Array.from({ length: 25 }, (_, i) => i));
  });

  it('takes the instruments and the time that are asked for', async () => {
    const path = writeRecording(recordingFolder(), [samples(10), samples(30).slice(10)]);
    const { rows } = await exported(path, '--instrument', 'rb*', '--instrument', 'CZCE.*');
    expect(new Set(rows.map((row) => row['instrument_id']))).toEqual(new Set(['SHFE.rb2405', 'CZCE.SR405']));
    expect(rows).toHaveLength(20);
    // Two instruments on two connections.
    expect(rows.map((row) => row['flags'] !== '')).toEqual(rows.map((_, i) => i < 4));
    const part = await exported(path, '--from', '2024-04-11T10:00:04', '--to', '2024-04-11T02:00:06Z');
    expect(part.rows.map((row) => row['volume'])).toEqual(['108', '109', '110', '111']);
  });

  it('takes what two recorders have of one tick once, and says what it skipped', async () => {
    const folder = recordingFolder();
    const files = [1, 2].map(() => writeRecording(folder, [samples(30)]));
    const { rows, err } = await exported(...files);
    expect(rows).toHaveLength(30);
    expect(err).toMatch(/30 ticks written; left out: 30 twice/);
  });

  it('writes all that a recorder has, whatever lines it came from and however it looks', async () => {
    const key = 'CZCE.SR405';
    const tick = (i: number, lastPrice: number, source: number, volume = 100) =>
      sample(key, { receivedAt: testTimeMs + i, lastPrice, source, volume });
    // States of one second without ms, each from the faster one of two lines.
    const first = [tick(0, 6300, 0), tick(1, 6301, 1), tick(2, 6300, 0), tick(3, 6302, 1)];
    const second = [tick(5, 6303, 0), tick(6, 6304, 1)];
    const folder = recordingFolder();
    const files = [first, second].map((block) => writeRecording(folder, [block]));
    const prices = (rows: Exported['rows']): string[] => rows.map((row) => row['last_price']!);
    const due = ['6300', '6301', '6300', '6302', '6303', '6304'];
    const { rows, err } = await exported(...files);
    expect(prices(rows)).toEqual(due);
    expect(err).not.toContain('left out');
    // Another recorder of the same ticks changes nothing, though it has them later.
    const other = [...first, ...second].map(({ tick: { i32 } }, i) => {
      const late = tick(i + 2, 0, 2);
      late.tick.i32.set(i32.subarray(intWord.connection), intWord.connection);
      return late;
    });
    const both = await exported(...files, writeRecording(folder, [other]));
    expect(prices(both.rows)).toEqual(due);
    expect(both.err).toMatch(/6 ticks written; left out: 6 twice/);
    // What puts a mistake right looks older than the mistake.
    const mistaken = [tick(0, 6300, 0, 100), tick(1, 6301, 0, 999_999), tick(2, 6302, 0, 101)];
    const righted = await exported(writeRecording(folder, [mistaken]));
    expect(prices(righted.rows)).toEqual(['6300', '6301', '6302']);
  });

  it('knows products and holidays as the gateway does, by the same file and variables', async () => {
    const folder = recordingFolder();
    const path = writeRecording(folder, [[sample('SHFE.xq2405', { receivedAt: testTimeMs + 1 })]]);
    // Nothing is known of the units of a lot.
    expect((await exported(path)).rows[0]!['average']).toBe('35000');
    const products = join(folder, 'products.json');
    const rb = shippedProductRows().find(({ product }) => product === 'rb')!;
    writeFileSync(products, JSON.stringify([{ ...rb, product: 'xq', volume_multiple: 10 }]));
    const config = join(folder, 'gateway.json');
    writeFileSync(config, JSON.stringify({ products_file: products, connections: [] }));
    const { rows, err } = await exported(path, '--config', config);
    expect([rows[0]!['average'], err]).toEqual(['3500', expect.stringMatching(/: 1 ticks written\n$/)]);
    // An imported instrument has its own units, also after it has expired.
    const imported = join(folder, 'instruments.csv');
    writeFileSync(imported, 'instrument_id,exchange_id,volume_multiple\nxq2405,SHFE,100\n');
    writeFileSync(config, JSON.stringify({ import_instruments: [imported], connections: [] }));
    expect((await exported(path, '--config', config)).rows[0]!['average']).toBe('350');
    const calendar = join(folder, 'calendar.json');
    const evening = { receivedAt: Date.UTC(2024, 3, 11, 13, 30), updateTime: 77_400, tradingDay: 20240411 };
    const night = writeRecording(folder, [[sample('CZCE.SR409', { ...evening, actionDay: 20240411 })]]);
    writeFileSync(calendar, JSON.stringify({ years: { 2024: [20240412] } }));
    const days = async (...args: string[]): Promise<unknown> => {
      const output = join(recordingFolder(), 'out.csv');
      await run(['export', night, '--output', output, ...args], { QACTPMD_CALENDAR_FILE: calendar });
      return readFileSync(output, 'latin1').split('\n')[1]?.split(',')[3];
    };
    expect(await days()).toBe('20240415');
    // Markets that never close know no holidays.
    expect(await days('--trading-hours', 'always')).toBe('20240412');
    writeFileSync(config, JSON.stringify({ connections: [{ connection_id: 'a', front_addr: 'sim://' }] }));
    expect(await days('--config', config)).toBe('20240412');
  });

  it('continues past damage and says where it is', async () => {
    const folder = recordingFolder();
    const path = writeRecording(folder, [samples(10), samples(20).slice(10), samples(30).slice(20)]);
    const bytes = readFileSync(path);
    bytes[400]! ^= 4;
    writeFileSync(path, bytes.subarray(0, -3));
    const { code, rows, err } = await exported(path);
    expect([code, rows.length]).toEqual([0, 10]);
    expect(err).toMatch(/0001\.ticks: at byte 32: the block is damaged \(checksum\); the block is left out/);
    expect(err).toMatch(/0001\.ticks: at byte \d+: the block is cut short; the last \d+ bytes are left out/);
  });

  it('leaves a file that is there, and no half file', async () => {
    const path = writeRecording(recordingFolder(), [samples(3)]);
    const output = join(recordingFolder(), 'there.csv');
    writeFileSync(output, 'precious');
    const { result, err } = await run(['export', path, '--output', output]);
    expect(result).toEqual({ kind: 'done', exitCode: 1 });
    expect(err).toBe(`qactpmdgateway: ${output}: is there already and is left as it is; give another name\n`);
    expect(readFileSync(output, 'utf8')).toBe('precious');
    const full = await run(['export', path, '--output', '/dev/full/x.csv']);
    expect([full.result, full.err]).toEqual([
      { kind: 'done', exitCode: 1 },
      'qactpmdgateway: /dev/full/x.csv: cannot be written (ENOTDIR)\n',
    ]);
  });

  it.each([
    [['none.ticks', '--output', 'x.csv'], 1, 'none.ticks: there is no such file'],
    [['.', '--output', 'x.csv'], 1, '.: this is a folder; name the recordings in it, such as'],
    [['--output', 'x.csv'], 2, 'export: name the recordings, such as ticks/20261124-0001.ticks'],
    [['a.ticks'], 2, 'export: --output names the file to write'],
    [
      ['a.ticks', '--output', 'x.xls'],
      2,
      'export: --output x.xls ends in neither .csv nor .parquet; add --format csv or --format parquet',
    ],
    [['a.ticks', '--output', 'x.csv', '--config', 'none.json'], 1, 'none.json: there is no such file'],
    [['a.ticks', '--output', 'x', '--format', 'xls'], 2, '--format must be one of csv, parquet, not "xls"'],
    [
      ['a.ticks', '--output', 'x.csv', '--outptu', 'y'],
      2,
      'export: unknown option --outptu, did you mean --output?',
    ],
    [['a.ticks', '--output', 'x.csv', '--output', 'y.csv'], 2, '--output is given twice'],
    [['a.ticks', '--output'], 2, '--output needs a value'],
    [
      ['a.ticks', '--output', 'x.csv', '--to', '2024-01-01', '--from', '2024-01-02'],
      2,
      '--to must be later than --from',
    ],
    [['a.ticks', '--output', 'x.csv', '--from', 'noon'], 2, '--from must be an ISO time'],
    [['a.ticks', '--output', 'x.csv', '--instrument', 'r*b'], 2, '--instrument "r*b": the star may only be'],
    [
      ['a.ticks', '--output', 'x.csv', '--trading-hours', 'never'],
      2,
      '--trading-hours must be one of exchange, always',
    ],
  ])('refuses %j in one line', async (args, code, message) => {
    const { result, out, err } = await run(['export', ...args]);
    expect(result).toEqual({ kind: 'done', exitCode: code });
    expect([out, err.split('\n').length]).toEqual(['', 2]);
    expect(err).toContain(`qactpmdgateway: ${message}`);
  });

  it('is explained by --help', async () => {
    const { out } = await run(['export', '--help']);
    expect(out).toContain('qactpmdgateway export FILE... --output FILE');
  });
});
