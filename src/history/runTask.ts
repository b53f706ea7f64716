import { answerQuery } from './answerQuery.js';
import { Cancelled, ChunkSender, type HistoryMessage } from './chunkSender.js';
import type { QueryTask } from './historyPool.js';
import { HistoryError, type HistorySource } from './historySource.js';
import type { CpuThrottle } from './cpuThrottle.js';

/** Answers one query on its port, and closes that. Never rejects: what goes wrong is told on the port. */
export async function runTask(
  { query, port }: QueryTask,
  source: HistorySource,
  throttle: CpuThrottle,
): Promise<void> {
  const tell = (message: HistoryMessage): void => port.postMessage(message);
  try {
    await answerQuery(query, source, new ChunkSender(port), throttle);
  } catch (error) {
    if (error instanceof HistoryError) tell({ type: 'failed', code: error.code, message: error.message });
    else if (!(error instanceof Cancelled))
      tell({ type: 'failed', code: 'internal_error', message: reasonOf(error) });
  } finally {
    port.close();
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
