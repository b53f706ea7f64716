import type { Redis } from 'ioredis';

/** Reads the answer to one command from its bytes. */
export interface AnswerReader {
  /**
   * Takes the next bytes of it, which are valid during the call; true when the answer has ended with them.
   *
   * @throws an Error where they are not what the command is answered with
   */
  take(bytes: Uint8Array): boolean;
}

type DataListener = (bytes: Buffer) => void;

/**
 * Sends a command over a client's socket, and has its answer read by `answer` in place of the client's parser: that makes an
 * object of each text of an answer, which is most of the work where there are a thousand of them, and garbage whose
 * collection holds the threads up that ticks go through. Everything else stays the client's: connecting, TLS, who it is,
 * the way to the master.
 *
 * To be called when the client waits for no answer, and it is not to be used until this has ended.
 *
 * @param command one command as it goes over the wire
 * @throws an Error when the connection ends first, or what `answer` throws; the connection is of no use then
 */
export function answerOffSocket(client: Redis, command: Uint8Array, answer: AnswerReader): Promise<void> {
  const { stream } = client;
  return new Promise((resolve, reject) => {
    const own = stream.listeners('data') as DataListener[];
    const end = (error?: Error): void => {
      stream.off('data', hear);
      stream.off('close', close);
      for (const listener of own) stream.on('data', listener);
      if (error === undefined) resolve();
      else reject(error);
    };
    const hear = (bytes: Buffer): void => {
      try {
        if (answer.take(bytes)) end();
      } catch (error) {
        end(error as Error);
      }
    };
    const close = (): void => end(new Error('it closed the connection'));
    for (const listener of own) stream.off('data', listener);
    stream.on('data', hear);
    stream.on('close', close);
    stream.write(command);
  });
}
