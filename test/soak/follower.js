// A thread that follows a ring of numbered ticks (fake_md_api.cpp), asleep whenever there is nothing to read, and says
// how it went: the first record that is torn, out of order or missing without a word ends it.
import { setImmediate } from 'node:timers';
import { parentPort, workerData } from 'node:worker_threads';

const { Doorbell } = await import('../../dist/src/ring/doorbell.js');
const { TickReader } = await import('../../dist/src/ring/tickRing.js');
const { F64, I32 } = await import('../../dist/src/ring/tickRecord.js');

const readsPerTurn = 8192;
const { ring, handle, first, count } = workerData;
const reader = new TickReader(ring, true);
const doorbell = new Doorbell(handle);
const { f64, i32 } = reader.record;
let read = 0;
let wakeUps = 0;
let fault = '';

/** What is wrong with the record that was read; it should be number n. */
function faultOf(n) {
  if (i32[I32.sequence] !== (n | 0)) return `record ${n} bears the number ${i32[I32.sequence] >>> 0}`;
  if (i32[I32.volume] !== (n | 0)) return `record ${n} has the volume ${i32[I32.volume] >>> 0}`;
  for (const field of [F64.lastPrice, F64.bidPrice1, F64.averagePrice])
    if (f64[field] !== n) return `record ${n} has ${f64[field]} in field ${field}`;
  return i32[I32.slot] === 7 ? '' : `record ${n} has the slot ${i32[I32.slot]}`;
}

function turn() {
  for (let i = 0; i < readsPerTurn && fault === '' && reader.next(); i++) {
    fault = faultOf((first + read + reader.missed) >>> 0);
    read++;
  }
  if (fault !== '' || read + reader.missed >= count) {
    doorbell.close();
    parentPort.postMessage({ read, missed: reader.missed, wakeUps, fault });
    parentPort.close();
  } else if (!doorbell.park(() => !reader.pending)) setImmediate(turn);
}

doorbell.listen(() => {
  wakeUps++;
  turn();
});
parentPort.postMessage('ready');
// Keeps the thread alive while it sleeps.
parentPort.on('message', () => undefined);
turn();
