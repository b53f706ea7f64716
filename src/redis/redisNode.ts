import { Redis, type RedisOptions } from 'ioredis';
import { answerOffSocket, type AnswerReader } from './rawReplies.js';
import { CommandBurst, type RawReply } from './commandBurst.js';
import type { CommandBytes } from './commandBytes.js';
import { SocketTurns } from './socketTurns.js';

const pingIntervalMs = 5000;
/** A connect or an answer that takes longer counts as an outage. */
const answerTimeoutMs = 5000;
const firstRetryMs = 200;
const longestRetryMs = 5000;

export type RedisCommand = readonly string[];

/** Answer to one command. */
export type Reply = { readonly value: unknown } | { readonly error: Error };

/** Nothing is known of what has become of the commands: some of them may have been carried out, or may be yet. */
export class UnknownOutcome extends Error {}

export interface NodeEvents {
  /** It answers; what was known of its data may be wrong, for it may have been restarted or be another server. */
  readonly onUp: () => void;
  /** @param cause in a few words */
  readonly onDown: (cause: string) => void;
}

/** Says in a few words why Redis cannot be used, by the error's code or Redis' own prefix. */
export function causeOf(error: Error): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ECONNREFUSED') return 'connection refused';
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'host name not found';
  if (message.startsWith('WRONGPASS') || message.includes('invalid password'))
    return 'wrong user or password';
  if (message.startsWith('NOAUTH')) return 'it asks for a password, none is configured';
  if (code === 'ETIMEDOUT' || message.includes('timed out')) return `no answer within ${answerTimeoutMs} ms`;
  return message.split('\n')[0]!;
}

/** Settings of every client: commands fail at once where there is no connection, and are never sent a second time. */
export const clientOptions: RedisOptions = {
  lazyConnect: true,
  connectTimeout: answerTimeoutMs,
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
  keepAlive: 10_000,
  retryStrategy: retryDelay,
};

function retryDelay(attempt: number): number {
  return Math.min(firstRetryMs * 2 ** Math.min(attempt - 1, 10), longestRetryMs);
}

/** One server: a connection that comes back by itself, and pipelines that are answered as a whole or not at all. */
export class RedisNode {
  readonly #client: Redis;
  readonly #events: NodeEvents;
  readonly #timer: NodeJS.Timeout;
  #isReady = false;
  #latencyMs: number | undefined;
  readonly #turns = new SocketTurns();
  /** The error that explains the next close; a close without one was the server's. */
  #lastError: Error | undefined;
  #closed = false;

  constructor(options: RedisOptions, events: NodeEvents) {
    this.#events = events;
    const client = new Redis({
      ...clientOptions,
      ...options,
      sentinelRetryStrategy: (attempt) => {
        this.#down(new Error('no sentinel knows where it is'));
        return retryDelay(attempt);
      },
    });
    this.#client = client;
    client.on('ready', () => void this.#greet());
    client.on('error', (error: Error) => {
      this.#lastError = error;
      hearFurtherErrors(client);
    });
    client.on('close', () => this.#down(this.#lastError ?? new Error('it closed the connection')));
    // The reason of a failed first attempt arrives by the two events above as well.
    client.connect().catch((error: unknown) => {
      if (error instanceof Error) this.#lastError ??= error;
    });
    this.#timer = setInterval(() => {
      if (this.#isReady && this.#turns.isIdle) void this.run([['PING']]).catch(() => undefined);
    }, pingIntervalMs);
    this.#timer.unref();
  }

  /** It is connected and has answered. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /** Round trip of the last pipeline; undefined while there is no connection. */
  get latencyMs(): number | undefined {
    return this.#latencyMs;
  }

  /**
   * Sends the commands together; their answers in the same order.
   *
   * @throws UnknownOutcome when not all of them were answered
   */
  run(commands: readonly RedisCommand[]): Promise<Reply[]> {
    return this.#turns.together(() => {
      this.#mustBeReady();
      return this.#run(commands);
    });
  }

  /**
   * Sends commands that are made; their answers in the same order, errors among them.
   *
   * @throws UnknownOutcome when not all of them were answered. Their bytes may still be in the socket's hands then.
   */
  send(commands: CommandBytes): Promise<readonly RawReply[]> {
    return this.#turns.together(() => {
      this.#mustBeReady();
      return this.#timed(
        () =>
          new Promise((resolve, reject) => {
            const burst = new CommandBurst(commands, (error) => {
              if (error === undefined) resolve(burst.replies);
              else reject(this.#unknownOutcome(error));
            });
            burst.send(this.#client);
          }),
      );
    });
  }

  /**
   * Sends one command, whose answer `answer` reads. Others wait meanwhile.
   *
   * @param command as it goes over the wire
   * @throws UnknownOutcome when it was not answered, or not with what `answer` reads
   */
  read(command: Uint8Array, answer: AnswerReader): Promise<void> {
    return this.#turns.alone(() => {
      this.#mustBeReady();
      return this.#timed(async () => {
        try {
          await answerOffSocket(this.#client, command, answer);
        } catch (error) {
          const outcome = this.#unknownOutcome(error as Error);
          // What is left of the answer would be taken for others'.
          this.reconnect(outcome);
          throw outcome;
        }
      });
    });
  }

  /** Gives the connection up and makes another one, to what may be another server by now. */
  reconnect(error: Error): void {
    if (this.#closed) return;
    this.#lastError = error;
    this.#client.disconnect(true);
  }

  /** Ends the connection and all attempts; later calls do nothing. */
  close(): void {
    this.#closed = true;
    this.#isReady = false;
    this.#latencyMs = undefined;
    clearInterval(this.#timer);
    this.#client.disconnect();
  }

  #mustBeReady(): void {
    if (!this.#isReady) throw new UnknownOutcome('there is no connection');
  }

  #unknownOutcome(error: Error): UnknownOutcome {
    return new UnknownOutcome(causeOf(this.#lastError ?? error));
  }

  async #run(commands: readonly RedisCommand[]): Promise<Reply[]> {
    const pipeline = this.#client.pipeline();
    for (const [name, ...args] of commands) pipeline.call(name!, ...args);
    return this.#timed(async () => {
      const results = (await pipeline.exec()) ?? [];
      for (const [error] of results)
        if (error !== null && error.name !== 'ReplyError') throw this.#unknownOutcome(error);
      return results.map(([error, value]) => (error === null ? { value } : { error }));
    });
  }

  /** Measures how long the answers take, and gives the connection up where that is too long. */
  async #timed<Answers>(send: () => Promise<Answers>): Promise<Answers> {
    const begin = performance.now();
    const timer = setTimeout(() => this.reconnect(new Error('timed out')), answerTimeoutMs);
    try {
      const answers = await send();
      this.#latencyMs = performance.now() - begin;
      return answers;
    } finally {
      clearTimeout(timer);
    }
  }

  /** A PING that fails means that Redis does not work, whatever the socket says, so the socket is renewed. */
  async #greet(): Promise<void> {
    try {
      const [reply] = await this.#run([['PING']]);
      if (reply !== undefined && 'error' in reply) {
        this.reconnect(reply.error);
        return;
      }
    } catch {
      return;
    }
    if (this.#closed || this.#client.status !== 'ready') return;
    this.#isReady = true;
    this.#lastError = undefined;
    this.#events.onUp();
  }

  #down(error: Error): void {
    this.#isReady = false;
    this.#latencyMs = undefined;
    this.#lastError = undefined;
    if (!this.#closed) this.#events.onDown(causeOf(error));
  }
}

/**
 * The client listens to its socket's first error alone. A socket that is closed while TLS shakes hands may have another one
 * after it, the server's complaint about the end, which would be thrown.
 */
function hearFurtherErrors(client: Redis): void {
  const { stream } = client as { stream?: Redis['stream'] };
  if (stream?.listenerCount('error') === 0) stream.on('error', () => undefined);
}
