/** A thread of the pool that answers history queries. Started by HistoryPool. */
import { Piscina } from 'piscina';
import { Pace } from '../src/history/cpuThrottle.js';
import { rehearse } from '../src/history/warmUp.js';
import { runTask } from '../src/history/runTask.js';
import { sourceOf } from '../src/history/sources.js';
import { stepBack } from '../src/base/threadPriority.js';
import type { HistoryTask, HistoryWorkerData } from '../src/history/historyPool.js';

stepBack();
const workerData = Piscina.workerData as HistoryWorkerData;
const pace = new Pace(workerData.tape);
const source = sourceOf(workerData.source);

export default async function run(task: HistoryTask): Promise<void> {
  if (task === 'load') return;
  if (task === 'rehearse') await rehearse(workerData.source.kind);
  else await runTask(task, source, pace);
}
