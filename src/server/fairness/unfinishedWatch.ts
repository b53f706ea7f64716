import type { Logger } from 'pino';
import { isOutOfDescriptors } from './descriptorWatch.js';
import type { SocketTable } from './socketTable.js';
import { otherBytes, overLimit, unfinishedOf } from './unfinishedMessages.js';
import { marked } from '../../base/logEvents.js';

export interface UnfinishedParts {
  readonly sockets: SocketTable;
  /** Bytes of unfinished messages that all clients together may have. */
  readonly limitBytes: number;
  /** Bytes that one connection may hold of a message. */
  readonly mostBytes: number;
  /** The port that clients connect to. */
  port(): number;
  /** Bytes of the messages that each client has sent whole, headers included. */
  handled(): number[];
  readonly logger: Logger;
}

/** ms between two looks at the memory of the process. */
const checkMs = 250;
/** Share of the limit by which the process must have grown before the connections are looked at. */
const growthShare = 1 / 4;

/**
 * Bounds what clients send of messages without ending them. uWebSockets.js gathers a message until its end, and tells
 * nobody. So when the process has grown, the kernel is asked what each connection has received: what goes beyond the
 * messages that were handled is unfinished.
 */
export class UnfinishedWatch {
  /** Connections that were cut off. */
  cut = 0;
  readonly #parts: UnfinishedParts;
  readonly #timer: NodeJS.Timeout;
  /**
   * Least memory of the process since the connections were last looked at, in bytes. From the beginning on: the first check
   * may come after the first messages.
   */
  #leastRss = process.memoryUsage.rss();

  constructor(parts: UnfinishedParts) {
    this.#parts = parts;
    this.#timer = setInterval(() => this.#checkUnlessExhausted(), checkMs);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Both looks need a descriptor; while there is none, nobody new is let in. */
  #checkUnlessExhausted(): void {
    try {
      this.#check();
    } catch (error) {
      if (!isOutOfDescriptors(error)) throw error;
    }
  }

  #check(): void {
    const { limitBytes, logger } = this.#parts;
    const rss = process.memoryUsage.rss();
    if (rss < this.#leastRss + limitBytes * growthShare) {
      this.#leastRss = Math.min(rss, this.#leastRss);
      return;
    }
    this.#leastRss = rss;
    const connections = this.#parts.sockets.connectionsTo(this.#parts.port(), otherBytes);
    const tooMuch = overLimit(
      unfinishedOf(connections, this.#parts.handled(), this.#parts.mostBytes),
      limitBytes,
    );
    if (tooMuch.length === 0) return;
    for (const { descriptor } of tooMuch) this.#parts.sockets.cut(descriptor);
    this.cut += tooMuch.length;
    const bytes = tooMuch.reduce((sum, each) => sum + each.bytes, 0);
    logger.warn(
      marked('unfinished_cut', { connections: tooMuch.length, bytes }),
      `${tooMuch.length} connections are cut off: clients have sent ${bytes} bytes there of messages that they did not finish`,
    );
  }
}
