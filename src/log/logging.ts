import { isatty } from 'node:tty';
import { pino, type DestinationStream, type Logger } from 'pino';
import pretty from 'pino-pretty';
import type { LogLevel } from '../config/gatewayConfig.js';

/**
 * Bytes of lines that wait in memory while standard output takes nothing; later lines are lost, and the gateway
 * continues.
 */
const maxPendingBytes = 8 * 1024 * 1024;
const secretKeys = ['password', 'redisPassword', 'redis_password'];

/** pino's paths for a secret at the top of a logged object and up to three levels below. */
const redactedPaths = secretKeys.flatMap((key) => ['', '*.', '*.*.', '*.*.*.'].map((depth) => depth + key));

/** One line for each message: members that the message says too are skipped, others follow it. */
export const terminalLines = {
  translateTime: 'SYS:yyyy-mm-dd HH:MM:ss.l',
  ignore: 'pid,hostname,connection,state,instrument',
  singleLine: true,
};

/**
 * Where log lines go: an open descriptor. A terminal gets readable lines, written at once; anything else JSON, written
 * off the event loop's way so that a reader who stalls stalls nobody.
 */
export class LogOutput {
  readonly stream: DestinationStream;
  readonly #file: ReturnType<typeof pino.destination> | undefined;

  constructor(fd: number) {
    if (isatty(fd)) {
      this.stream = pretty({ ...terminalLines, destination: fd, sync: true });
    } else {
      // With a least length of nothing, flush() would not wait for what is on its way.
      this.#file = pino.destination({ dest: fd, sync: false, minLength: 1, maxLength: maxPendingBytes });
      this.stream = this.#file;
    }
  }

  /** Waits until all lines are written; what a reader has not taken by the deadline is given up. */
  async finish(deadlineMs: number): Promise<void> {
    const file = this.#file;
    if (file === undefined) return;
    await new Promise<void>((resolve) => {
      const deadline = setTimeout(() => {
        // Otherwise pino would try again at the very end, forever.
        file.destroy();
        resolve();
      }, deadlineMs);
      file.flush(() => {
        clearTimeout(deadline);
        resolve();
      });
    });
  }
}

/** The program's logger. `logger.level = …` changes the level at run time. Secrets become "[redacted]". */
export function createLogger(level: LogLevel, destination: DestinationStream): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: redactedPaths, censor: '[redacted]' },
    },
    destination,
  );
}
