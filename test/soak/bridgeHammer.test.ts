import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterAll, expect, it } from 'vitest';
import { openVendorLibrary, VendorSession } from '../../src/ctp/bridge.js';
import { packagePath } from '../../src/base/paths.js';
import { Doorbell } from '../../src/ring/doorbell.js';
import { EventChannel } from '../../src/ring/eventChannel.js';
import { allocateTickRing } from '../../src/ring/tickRing.js';
import { depthStruct, longIdOffset } from '../ctp/depthStruct.js';
import { loadFakeLibrary } from '../ctp/fakeLibrary.js';
import { untilIs } from '../helpers/until.js';

/** In all; `npm run soak` sets a hundred million. */
const records = Number(process.env['QACTPMD_SOAK_RECORDS'] ?? 4_500_000);
const readers = 2;
const capacity = 8192;

interface Outcome {
  readonly read: number;
  readonly missed: number;
  readonly wakeUps: number;
  readonly fault: string;
}

const folder = mkdtempSync(join(tmpdir(), 'qactpmd-hammer-'));
afterAll(() => rmSync(folder, { recursive: true }));

const count = Math.floor(records / 3);
const starts: [string, number][] = [
  ['from 0', 0],
  ['across 2^31', 2 ** 31 - Math.floor(count / 2)],
  ['across 2^32', 2 ** 32 - Math.floor(count / 2)],
];

it.each(starts)(
  `a vendor thread at full speed, bridge, ring, doorbells and two reading threads: ${count} records %s`,
  async (_where, first) => {
    const fake = loadFakeLibrary('fake_newest');
    const channel = new EventChannel();
    const ring = allocateTickRing(capacity, first);
    const doorbells = Array.from({ length: readers }, () => new Doorbell());
    const session = new VendorSession({
      owner: channel.handle.owner,
      library: openVendorLibrary({ library: fake.path, libraryVersion: '', production: true }),
      connection: 0,
      flowFolder: folder,
      tickRing: ring,
      tickDoorbells: doorbells.map(({ handle }) => handle),
    });
    session.start(['tcp://a:1']);
    session.subscribe(['rb2605'], [7]);
    const threads = doorbells.map(
      ({ handle }) =>
        new Worker(packagePath('test', 'soak', 'follower.js'), {
          workerData: { ring, handle, first, count },
        }),
    );
    await Promise.all(threads.map((thread) => once(thread, 'message')));
    const outcomes = threads.map((thread) => once(thread, 'message').then(([outcome]) => outcome as Outcome));
    const depth = depthStruct(584);
    depth.text(longIdOffset, 'rb2605');
    const begin = performance.now();
    fake.streamNumbered(depth.bytes, depth.bytes.length, first, count);
    const ended = await Promise.all(outcomes);
    const seconds = (performance.now() - begin) / 1000;
    await untilIs('the end of the stream', () => fake.streamEnded(), 1);
    channel.release();
    await untilIs('released', () => channel.unreleased, 0);
    for (const doorbell of doorbells) doorbell.close();
    for (const { read, missed, fault } of ended) {
      expect(fault).toBe('');
      expect(read + missed).toBe(count);
      expect(read).toBeGreaterThan(0);
    }
    if (process.env['QACTPMD_SOAK_RECORDS'] !== undefined)
      process.stdout.write(
        `${count} records in ${seconds.toFixed(1)} s; ` +
          ended
            .map((one) => `${one.read} read, ${one.missed} reported missed, ${one.wakeUps} wake-ups`)
            .join('; ') +
          '\n',
      );
  },
  30_000 + records / 1000,
);
