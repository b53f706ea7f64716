import { Command, type Redis } from 'ioredis';
import type { CommandBytes } from './commandBytes.js';

/** Answer to one command: bytes, a number, null, an array of these, or an Error. */
export type RawReply = unknown;

/**
 * Many commands that go to the client as one: it writes their bytes once, and has this object in its queue once for each
 * answer. A command object and a promise for each of them would be most of the work, and most of the garbage.
 */
export class CommandBurst extends Command {
  readonly replies: RawReply[] = [];
  readonly #commands: CommandBytes;

  /** @param onEnd called once, with undefined when all are answered, or with the error that has ended the connection */
  constructor(commands: CommandBytes, onEnd: (error: Error | undefined) => void) {
    super('multi');
    this.#commands = commands;
    this.resolve = (reply: RawReply) => {
      if (this.replies.push(reply) === commands.count) onEnd(undefined);
    };
    this.reject = (error) => {
      if (error.name === 'ReplyError') this.resolve(error);
      else onEnd(error);
    };
  }

  /** Hands the commands to the client. */
  send(client: Redis): void {
    client.sendCommand(this);
    const nowhere = { isPipeline: true, write: () => true, destination: { redis: client } } as const;
    for (let i = 1; i < this.#commands.count; i++) client.sendCommand(this, nowhere);
  }

  override toWritable(): Buffer {
    return this.#commands.bytes;
  }
}
