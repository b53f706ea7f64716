/** Keeps the newest ticks in memory: reads the tape, writes the window. Started by WindowThread. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { WindowWriter } from '../src/history/tickWindow.js';
import type { WindowWorkerData } from '../src/history/windowThread.js';
import { Field } from '../src/market/quotes/quoteFields.js';
import { GuardedTapeReader } from '../src/tape/poisonTicks.js';
import { runInBackground } from '../src/base/threadPriority.js';

/** Ticks taken before the thread looks at anything else. */
const ticksPerTurn = 4096;

runInBackground();
const { tape, window, poison } = workerData as WindowWorkerData;
const writer = new WindowWriter(window);
const reader = new GuardedTapeReader(tape, writer.position, poison);
writer.position = reader.position;

// A thread that waits for shared memory to change has nothing else that keeps it alive.
parentPort!.ref();
let missed = 0;
for (;;) {
  let taken = 0;
  while (taken < ticksPerTurn && reader.next()) {
    const { tick, row, flags, key } = reader.record;
    if (reader.missed !== missed) {
      missed = reader.missed;
      writer.lost(tick.receiveTimeMs);
    }
    writer.append(tick.slot, key, row, flags, tick.receiveTimeMs, row[Field.timestamp]!);
    writer.position = reader.position;
    taken++;
  }
  reader.putDown();
  await (taken === ticksPerTurn ? nextTurn() : reader.wait());
}
