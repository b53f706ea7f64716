import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { GatewayProcess } from '../e2e/processes.js';
import { builtNative } from '../native/nativeBuild.js';
import { packagePath } from '../../src/base/paths.js';
import { simulatedLibrary } from './poolRun.js';

/** A process that opens eight busy sessions in two workers and ends itself in the middle of their ticks. */
function program(folder: string, lastAct: string): string {
  const pool = JSON.stringify(packagePath('dist', 'src', 'coordinator', 'workers', 'workerPool.js'));
  const ring = JSON.stringify(packagePath('dist', 'src', 'ring', 'tickRing.js'));
  return `
    import { endProcess, WorkerPool } from ${pool};
    import { allocateTickRing, TickRingReader } from ${ring};
    const rings = Array.from({ length: 8 }, () => allocateTickRing(1024));
    const readers = rings.map((ring) => new TickRingReader(ring));
    const pool = new WorkerPool({ connectionsPerWorker: 4, onEvent: () => {}, onWorkerLost: () => process.exit(9), onStranded: () => process.exit(9) });
    pool.open(rings.map((tickRing, connection) => ({
      id: 'c' + connection, connection, library: ${JSON.stringify(simulatedLibrary)}, libraryVersion: '',
      production: true, fronts: ['sim://?rate=5000'],
      brokerId: '', userId: '', password: '', flowFolder: ${JSON.stringify(folder)} + '/' + connection,
      tickRing, tickDoorbells: [],
    })));
    for (let connection = 0; connection < 8; connection++)
      pool.send({ type: 'subscribe', connection, ids: ['au2612'], slots: [1] });
    setInterval(() => {
      if (!readers.every((reader) => reader.pending)) return;
      ${lastAct}
      process.exit(7);
    }, 1);`;
}

const stopped = (gateway: GatewayProcess): string[] =>
  gateway.lines.slice(-2).map((line) => (JSON.parse(line) as { msg: string }).msg);

it('a gateway ends cleanly although a vendor library never returns', async () => {
  const gateway = new GatewayProcess({
    connections: [
      {
        connection_id: 'stuck',
        front_addr: 'tcp://127.0.0.1:1',
        ctp_library: builtNative('fake_hangs_at_init'),
      },
      { connection_id: 'good', front_addr: 'sim://' },
    ],
  });
  await gateway.healthUntil('the other line', ({ connections }) => connections[1]!.status === 'logged_in');
  expect(await gateway.stop()).toBe(0);
  expect(stopped(gateway)).toEqual(['stopping', 'stopped']);
});

it.each(['crashes_at_release', 'crashes_at_exit'])(
  'a gateway ends cleanly with a library that %s',
  async (name) => {
    const gateway = new GatewayProcess({
      connections: ['one', 'two'].map((id) => ({
        connection_id: id,
        front_addr: 'tcp://127.0.0.1:1',
        ctp_library: builtNative(`fake_${name}`),
      })),
    });
    await gateway.healthUntil('both lines', ({ connections }) =>
      connections.every(({ status }) => status === 'connecting'),
    );
    expect(await gateway.stop()).toBe(0);
    expect(gateway.complaints).toEqual([]);
    expect(stopped(gateway)).toEqual(['stopping', 'stopped']);
  },
);

it.each(['pool.stop(); endProcess(7);', ''])(
  'a process ends cleanly amid ticks, after "%s"',
  async (lastAct) => {
    const folder = mkdtempSync(join(tmpdir(), 'qactpmd-exit-'));
    try {
      const script = join(folder, 'program.mjs');
      writeFileSync(script, program(folder, lastAct));
      for (let round = 0; round < 3; round++) {
        const child = promisify(execFile)(process.execPath, [script], { timeout: 20_000 });
        await expect(child).rejects.toMatchObject({ code: 7, signal: null, stderr: '' });
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);
