/** A thread of the pool that answers history queries. Started by HistoryPool. */
import { Piscina } from 'piscina';
import { CpuThrottle } from '../src/history/cpuThrottle.js';
import { warmUp } from '../src/history/warmUp.js';
import { runTask } from '../src/history/runTask.js';
import { sourceOf } from '../src/history/sources.js';
import { runInBackground } from '../src/base/threadPriority.js';
import type { HistoryTask, HistoryWorkerData } from '../src/history/historyPool.js';

runInBackground();
const workerData = Piscina.workerData as HistoryWorkerData;
const pace = new CpuThrottle(workerData.tape);
const source = sourceOf(workerData.source);

export default async function run(task: HistoryTask): Promise<void> {
  if (task === 'load') return;
  if (task === 'warm-up') await warmUp(workerData.source.kind);
  else await runTask(task, source, pace);
}
