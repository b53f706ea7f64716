// A thread that follows a ring of numbered ticks (fake_md_api.cpp), asleep whenever there is nothing to read, and says
// how it went: the first record that is torn, out of order or missing without a word ends it.
import { setImmediate } from 'node:timers';
import { parentPort, workerData } from 'node:worker_threads';

const { Doorbell } = await import('../../dist/src/ring/doorbell.js');
const { TickRingReader } = await import('../../dist/src/ring/tickRing.js');
const { doubleWord, intWord } = await import('../../dist/src/ring/tickRecord.js');

const readsPerTurn = 8192;
const { ring, handle, first, count } = workerData;
const reader = new TickRingReader(ring, true);
const doorbell = new Doorbell(handle);
const { f64, i32 } = reader.record;
let read = 0;
let wakeUps = 0;
let fault = '';

/** What is wrong with the record that was read; it should be number n. */
function faultOf(n) {
  if (i32[intWord.sequence] !== (n | 0)) return `record ${n} bears the number ${i32[intWord.sequence] >>> 0}`;
  if (i32[intWord.volume] !== (n | 0)) return `record ${n} has the volume ${i32[intWord.volume] >>> 0}`;
  for (const field of [doubleWord.lastPrice, doubleWord.bidPrice1, doubleWord.averagePrice])
    if (f64[field] !== n) return `record ${n} has ${f64[field]} in field ${field}`;
  return i32[intWord.slot] === 7 ? '' : `record ${n} has the slot ${i32[intWord.slot]}`;
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
