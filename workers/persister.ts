/** The persister's thread: reads the tape and writes to Redis. Started by PersisterHost. */
import { setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { Persister } from '../src/storage/persister.js';
import type { PersisterOptions } from '../src/storage/persisterMessages.js';

const statusIntervalMs = 500;
/** Where the machine is busy, clients come first. Nobody waits for a tick to be stored. */
const niceness = 10;

try {
  // On Linux this is about the thread that calls it.
  setPriority(niceness);
} catch {
  // A sandbox that forbids it: it is no more than a kindness.
}

const port = parentPort!;
const persister = new Persister(workerData as PersisterOptions, (event) => port.postMessage(event));
setInterval(() => port.postMessage({ type: 'status', status: persister.status() }), statusIntervalMs);
/** The only message is the time within which to stop, in ms. */
port.on('message', (withinMs: number) => persister.stop(withinMs));
persister.start();
