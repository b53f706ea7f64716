import { createServer, type Server, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Logger } from 'pino';
import { PrivateSocket } from '../base/privateSocket.js';
import { recordCpuProfile, takeHeapSnapshot } from './profiles.js';
import type { TickTrace } from './tickTrace.js';
import { marked } from '../base/logEvents.js';

const defaultSeconds = 10;
const longestSeconds = 300;
const longestCommandBytes = 64;
const commandTimeoutMs = 10_000;
/** A reader who takes nothing for this long is cut off, so that the next one has a turn. */
const stalledReaderMs = 60_000;
const maxClients = 8;
/** Blanks before the profile, which JSON allows: only writing shows that a client has left for good. */
const heartbeatMs = 500;
/** One in so many ticks is followed, so that following costs little at any rate. */
const defaultOneIn = 64;
const usage = 'commands are "cpu [seconds]", "heap" and "ticks [seconds [one in so many]]"';

type ProfileCommand =
  | { readonly kind: 'cpu'; readonly seconds: number }
  | { readonly kind: 'heap' }
  | { readonly kind: 'ticks'; readonly seconds: number; readonly oneIn: number };

/** Reads one command line; undefined when it is none. */
export function parseProfileCommand(line: string): ProfileCommand | undefined {
  const [kind, ...numbers] = line.trim().split(/\s+/);
  if (!numbers.every((text) => /^\d{1,5}$/.test(text) && Number(text) > 0)) return undefined;
  const [seconds = defaultSeconds, oneIn = defaultOneIn] = numbers.map(Number);
  if (kind === 'heap' && numbers.length === 0) return { kind };
  if (seconds > longestSeconds) return undefined;
  if (kind === 'cpu' && numbers.length <= 1) return { kind, seconds };
  if (kind === 'ticks' && numbers.length <= 2) return { kind, seconds, oneIn };
  return undefined;
}

/** Name of the socket in the flow folder. */
export const profileSocketName = 'profile.sock';

/**
 * Hands out CPU profiles and heap snapshots of the main thread over a Unix socket that only the gateway's own user
 * can open: profiles show what memory holds, passwords too. The client writes one line, `cpu [seconds]` (1 to 300,
 * default 10), `heap` or `ticks [seconds [N]]` (one in N ticks, default 64, followed on its way: TickTraceReport), and
 * reads the file until the end; an error is one line that starts with `error: `, where a profile starts with blanks or
 * `{`. One profile at a time.
 *
 *     echo cpu 30 | socat -t 330 - UNIX-CONNECT:ctpflow/profile.sock > gateway.cpuprofile
 */
export class ProfileServer {
  readonly #clients = new Set<Socket>();
  readonly #stop = new AbortController();
  readonly #socket: PrivateSocket;
  readonly #logger: Logger;
  readonly #trace: TickTrace;
  #busy = false;

  private constructor(socket: PrivateSocket, server: Server, logger: Logger, trace: TickTrace) {
    this.#socket = socket;
    this.#logger = logger;
    this.#trace = trace;
    server.maxConnections = maxClients;
    server.on('connection', (client) => void this.#serve(client));
    server.on('error', (error) => logger.warn(marked('profile_failed'), `profile socket: ${error.message}`));
  }

  /** Opens the socket and logs its path. Throws a SocketPathError, or the system's error, which names the path. */
  static async open(path: string, logger: Logger, trace: TickTrace): Promise<ProfileServer> {
    const server = createServer({ allowHalfOpen: true });
    const opened = new ProfileServer(await PrivateSocket.open(path, server), server, logger, trace);
    logger.info(`profiles at ${path}: ${usage}`);
    return opened;
  }

  get path(): string {
    return this.#socket.path;
  }

  /** Ends a running profile, closes the socket and removes it. Can be called at any moment and again. */
  async close(): Promise<void> {
    if (this.#stop.signal.aborted) return;
    this.#stop.abort();
    for (const client of this.#clients) client.destroy();
    try {
      await this.#socket.close();
    } catch (error) {
      this.#logger.warn(marked('profile_failed'), `profile socket: ${(error as Error).message}`);
    }
  }

  async #serve(client: Socket): Promise<void> {
    this.#clients.add(client);
    const gone = new AbortController();
    client.once('close', () => {
      this.#clients.delete(client);
      gone.abort();
    });
    client.on('error', (error) => this.#logger.debug(`profile client: ${error.message}`));
    const line = await this.#readLine(client);
    if (line === undefined || client.destroyed) return;
    const command = parseProfileCommand(line);
    if (command === undefined) client.end(`error: ${usage}, seconds from 1 to ${longestSeconds}\n`);
    else if (this.#busy) client.end('error: another profile is being taken, try again later\n');
    else {
      this.#busy = true;
      try {
        await this.#answer(command, client, AbortSignal.any([gone.signal, this.#stop.signal]));
      } finally {
        this.#busy = false;
      }
    }
  }

  async #answer(command: ProfileCommand, client: Socket, signal: AbortSignal): Promise<void> {
    this.#logger.info(`profile: ${command.kind} begins`);
    try {
      const content = await this.#take(command, client, signal);
      client.setTimeout(stalledReaderMs, () => client.destroy());
      await pipeline(content, client, { signal });
      this.#logger.info(`profile: ${command.kind} done`);
    } catch (error) {
      const reason = signal.aborted ? 'its client left or the gateway stops' : (error as Error).message;
      this.#logger.warn(marked('profile_failed'), `profile: ${command.kind} not delivered: ${reason}`);
      if (!client.destroyed) client.end(`error: ${reason}\n`);
    }
  }

  async #take(command: ProfileCommand, client: Socket, signal: AbortSignal): Promise<Readable> {
    if (command.kind === 'heap') return takeHeapSnapshot();
    const heartbeat = setInterval(() => client.write(' '), heartbeatMs);
    try {
      if (command.kind === 'cpu') return await recordCpuProfile(command.seconds, signal);
      return Readable.from([
        JSON.stringify(await this.#trace.record(command.seconds, command.oneIn, signal)),
      ]);
    } finally {
      clearInterval(heartbeat);
    }
  }

  /** The client's first line; undefined when it leaves, says nothing for too long or says too much. */
  #readLine(client: Socket): Promise<string | undefined> {
    return new Promise((resolve) => {
      let text = '';
      const done = (line: string | undefined): void => {
        client.setTimeout(0);
        client.removeAllListeners('timeout');
        client.off('data', take);
        // Whatever follows is thrown away; the stream must flow for its end to be seen.
        client.resume();
        resolve(line);
      };
      const take = (piece: Buffer): void => {
        text += piece.toString('latin1');
        const end = text.indexOf('\n');
        if (end >= 0) done(text.slice(0, end));
        else if (text.length > longestCommandBytes) done('');
      };
      client.setTimeout(commandTimeoutMs, () => done(''));
      client.on('data', take);
      client.once('end', () => done(text));
      client.once('close', () => done(undefined));
    });
  }
}
