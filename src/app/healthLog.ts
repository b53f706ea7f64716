import type { Logger } from 'pino';
import type { CoordinatorCounts } from '../coordinator/assignment/instrumentCounts.js';
import type { HealthReport } from '../server/http/health.js';
import { marked } from '../base/logEvents.js';

/** Says in the log when the state of the whole has changed since the last look. */
export class HealthLog {
  readonly #log: Logger;
  #status = '';

  constructor(log: Logger) {
    this.#log = log;
  }

  note({ status, connections }: HealthReport, { waiting, short }: CoordinatorCounts): void {
    if (status === this.#status) return;
    this.#status = status;
    const down = connections.filter((each) => each.status !== 'logged_in').map((each) => each.id);
    const room = waiting === 0 ? '' : `, no connection carries ${waiting} of its instruments`;
    const lines = short <= waiting ? '' : `, ${short - waiting} have fewer lines than they should`;
    const text = `the gateway is ${status}${room}${lines}`;
    if (status === 'healthy') this.#log.info({ status, down }, text);
    else this.#log.warn(marked('health_changed', { status, down }), text);
  }
}
