/** The persister's thread: reads the tape and writes to Redis. Started by PersisterHost. */
import { parentPort, workerData } from 'node:worker_threads';
import { Persister } from '../src/storage/thread/persister.js';
import type { PersisterData } from '../src/storage/shared/persisterMessages.js';
import { runInBackground } from '../src/base/threadPriority.js';

const statusIntervalMs = 500;

runInBackground();
const port = parentPort!;
const persister = new Persister(workerData as PersisterData, (event) => {
  port.postMessage(event);
  if (event.type === 'stopped') process.exit(0);
});
setInterval(() => {
  persister.probeDisk();
  port.postMessage({ type: 'status', status: persister.status() });
}, statusIntervalMs);
/** The only message is the time within which to stop, in ms. */
port.on('message', (withinMs: number) => persister.stop(withinMs));
persister.start();
