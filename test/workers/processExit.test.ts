import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { packagePath } from '../../src/paths.js';
import { simulatedLibrary } from './poolRun.js';

/** A process that opens eight busy sessions in two workers and ends itself in the middle of their ticks. */
function program(folder: string, lastAct: string): string {
  const pool = JSON.stringify(packagePath('dist', 'src', 'coordinator', 'workerPool.js'));
  const ring = JSON.stringify(packagePath('dist', 'src', 'ring', 'tickRing.js'));
  return `
    import { silenceAllSessions, WorkerPool } from ${pool};
    import { allocateTickRing, TickReader } from ${ring};
    const rings = Array.from({ length: 8 }, () => allocateTickRing(1024));
    const readers = rings.map((ring) => new TickReader(ring));
    const pool = new WorkerPool({ connectionsPerWorker: 4, onEvent: () => {}, onWorkerLost: () => process.exit(9) });
    pool.open(rings.map((tickRing, source) => ({
      id: 'c' + source, source, library: ${JSON.stringify(simulatedLibrary)}, libraryVersion: '',
      production: true, fronts: ['sim://?rate=5000'],
      brokerId: '', userId: '', password: '', flowFolder: ${JSON.stringify(folder)} + '/' + source,
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

it.each(['silenceAllSessions();', ''])('a process ends cleanly amid ticks, after "%s"', async (lastAct) => {
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
});
