import { Redis } from 'ioredis';
import type { GatewayConfig } from '../config/gatewayConfig.js';
import type { Logger } from '../logging.js';

const pingIntervalMs = 5000;
/** A connect or an answer that takes longer counts as an outage. */
const answerTimeoutMs = 2000;
const firstRetryMs = 200;
const longestRetryMs = 10_000;

export type RedisSettings = Pick<GatewayConfig, 'redisEnabled' | 'redis'>;

/** The redis part of /health. */
export interface RedisStatus {
  readonly enabled: boolean;
  readonly connected: boolean;
  /** Round trip of the last PING such as "1.2ms"; null while there is none. */
  readonly latency: string | null;
}

/** Says in a few words why Redis cannot be used, by the error's code or Redis' own prefix. */
function causeOf(error: Error): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ECONNREFUSED') return 'connection refused';
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'host name not found';
  if (message.startsWith('WRONGPASS') || message.includes('invalid password')) return 'wrong password';
  if (message.startsWith('NOAUTH')) return 'it asks for a password, none is configured';
  if (code === 'ETIMEDOUT' || message.includes('timed out')) return `no answer within ${answerTimeoutMs} ms`;
  return message.split('\n')[0]!;
}

/**
 * Keeps one connection to Redis and knows whether it works. Nothing here throws or waits: an outage is one line in
 * the log and a field of `status()`, and the end of it another line.
 */
export class RedisMonitor {
  #client: Redis | undefined;
  #timer: NodeJS.Timeout | undefined;
  #latencyMs: number | undefined;
  /** What the log has said last; undefined before the first word. */
  #told: 'up' | 'down' | undefined;
  /** The error that explains the next close; a close without one was the server's. */
  #lastError: Error | undefined;
  #closed = false;
  readonly #settings: RedisSettings;
  readonly #logger: Logger;
  readonly #address: string;

  constructor(settings: RedisSettings, logger: Logger) {
    this.#settings = settings;
    this.#logger = logger;
    this.#address = `${settings.redis.host}:${settings.redis.port}`;
  }

  /** Starts connecting in the background; does nothing when Redis is not enabled, or after a start or close. */
  start(): void {
    if (!this.#settings.redisEnabled || this.#closed || this.#client !== undefined) return;
    const { host, port, password } = this.#settings.redis;
    const client = new Redis({
      host,
      port,
      ...(password === '' ? {} : { password }),
      lazyConnect: true,
      connectTimeout: answerTimeoutMs,
      commandTimeout: answerTimeoutMs,
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      retryStrategy: (attempt) => Math.min(firstRetryMs * 2 ** Math.min(attempt - 1, 10), longestRetryMs),
    });
    this.#client = client;
    client.on('ready', () => void this.#ping());
    client.on('error', (error: Error) => {
      this.#lastError = error;
    });
    client.on('close', () => this.#down(this.#lastError ?? new Error('it closed the connection')));
    // The reason of a failed first attempt arrives by the two events above as well.
    client.connect().catch((error: unknown) => {
      if (error instanceof Error) this.#lastError ??= error;
    });
    this.#timer = setInterval(() => {
      if (client.status === 'ready') void this.#ping();
    }, pingIntervalMs);
    this.#timer.unref();
  }

  status(): RedisStatus {
    return {
      enabled: this.#settings.redisEnabled,
      connected: this.#latencyMs !== undefined,
      latency: this.#latencyMs === undefined ? null : `${this.#latencyMs.toFixed(1)}ms`,
    };
  }

  /** Ends the connection and all attempts, at any moment; later calls do nothing. */
  close(): void {
    this.#closed = true;
    clearInterval(this.#timer);
    this.#latencyMs = undefined;
    this.#client?.disconnect();
  }

  /** A PING that fails means that Redis does not work, whatever the socket says, so the socket is renewed. */
  async #ping(): Promise<void> {
    const client = this.#client;
    if (client === undefined) return;
    const start = performance.now();
    try {
      await client.ping();
    } catch (error) {
      if (error instanceof Error) this.#lastError = error;
      if (client.status === 'ready') client.disconnect(true);
      return;
    }
    if (client.status === 'ready' && !this.#closed) this.#up(performance.now() - start);
  }

  #up(latencyMs: number): void {
    this.#latencyMs = latencyMs;
    this.#lastError = undefined;
    if (this.#told === 'up') return;
    this.#logger.info(
      `Redis at ${this.#address} ${this.#told === undefined ? 'is connected' : 'answers again'}`,
    );
    this.#told = 'up';
  }

  #down(error: Error): void {
    this.#latencyMs = undefined;
    this.#lastError = undefined;
    if (this.#told === 'down' || this.#closed) return;
    this.#logger.warn(`Redis at ${this.#address} cannot be used: ${causeOf(error)}; trying again`);
    this.#told = 'down';
  }
}
