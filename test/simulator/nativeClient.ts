import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packagePath } from '../../src/base/paths.js';
import { fieldsOf } from '../native/abiChecks.js';
import {
  AbiClient,
  buildAbi,
  layouts,
  type AbiEvent,
  type AbiSession,
  type Fields,
} from '../native/abiClient.js';

/** The library that the gateway loads where no other is named; its generation is the newest. */
const vendorLibrary = packagePath('libs', 'simulator', 'build', 'thostmduserapi_se.so');
const generation = layouts.generations.at(-1)!;
const offsets = fieldsOf(generation, 'depth').filter(({ name }) => name !== 'InstrumentID');

/** One line of the native client: a callback, a command's return code, or an exception of the factory. */
export interface ClientEvent {
  readonly event?: string;
  readonly returned?: string;
  readonly code?: number;
  readonly threw?: string;
  readonly version?: string | null;
  readonly id?: string;
  readonly reason?: number;
  readonly error?: number | null;
  readonly text?: string;
  readonly request?: number;
  readonly last?: boolean;
  readonly trading_day?: string;
  readonly broker?: string;
  readonly user?: string;
  /** A tick's fields by their offset in the vendor's struct. */
  readonly fields?: Fields;
  /** What is wrong with the callback's thread or with the bytes of its structs. */
  readonly problems: readonly string[];
}

/** Builds the libraries and the native client. */
export function buildNative(): Promise<void> {
  return buildAbi();
}

/** A process that has loaded the vendor library and does with it what it is told. */
export class NativeClient {
  readonly flowFolder = mkdtempSync(join(tmpdir(), 'flow-'));
  readonly #client: AbiClient;
  readonly #session: Promise<AbiSession>;
  readonly #events: ClientEvent[] = [];

  constructor(env: Readonly<Record<string, string>> = {}) {
    this.#client = new AbiClient('plain', env);
    this.#session = this.#client.open(generation, vendorLibrary);
    // Anyone who sends the first command is told.
    this.#session.catch(() => undefined);
  }

  get events(): readonly ClientEvent[] {
    for (const event of this.#client.events.slice(this.#events.length)) this.#events.push(readable(event));
    return this.#events;
  }

  get problems(): string[] {
    return this.events.flatMap((event) => event.problems);
  }

  /** Callbacks of one name, in the order of their arrival. */
  callbacks(name: string): ClientEvent[] {
    return this.events.filter((event) => event.event === name);
  }

  ticks(id?: string): ClientEvent[] {
    return this.callbacks('tick').filter((tick) => id === undefined || tick.id === id);
  }

  /** Sends a command and gives its answer. Commands are answered in order. */
  async command(line: string): Promise<ClientEvent> {
    const session = await this.#session;
    return readable(await session.command(line));
  }

  /** Waits until `find` finds something. */
  until<T>(find: () => T | undefined | false, what: string): Promise<T> {
    return this.#client.until(find, what);
  }

  /** Creates an instance on a front address, begins it and waits for its connection. */
  async connect(address: string): Promise<void> {
    await this.command(`create ${this.flowFolder}/`);
    await this.command('spi on');
    await this.command(`front ${address}`);
    await this.command('init');
    await this.until(() => this.callbacks('connected')[0], 'OnFrontConnected');
  }

  /** Logs in, waits for the answer, subscribes. */
  async start(ids: readonly string[]): Promise<void> {
    const before = this.callbacks('login').length;
    await this.command('login 9999 someone');
    await this.until(() => this.callbacks('login')[before], 'OnRspUserLogin');
    await this.command(`subscribe ${ids.join(' ')}`);
  }

  /** Ends the process, which releases its instance; throws when it does not end well. */
  async close(): Promise<void> {
    await this.#session;
    await this.#client.close();
    rmSync(this.flowFolder, { recursive: true, force: true });
  }
}

/** The fields that the tests of the simulator ask for, under short names. */
function readable(event: AbiEvent): ClientEvent {
  const { fields, info, problems = [], ...rest } = event;
  const text = (name: string): string => String(fields?.[name]);
  const result = info === undefined ? {} : { error: Number(info['ErrorID']), text: String(info['ErrorMsg']) };
  switch (event.event) {
    case 'login': {
      const [day, broker, user] = [text('TradingDay'), text('BrokerID'), text('UserID')];
      return { ...rest, ...result, problems, trading_day: day, broker, user };
    }
    case 'logout':
      return { ...rest, ...result, problems, user: text('UserID') };
    case 'tick': {
      const byOffset = Object.fromEntries(offsets.map(({ name, offset }) => [offset, fields![name]!]));
      return { ...rest, problems, id: text('InstrumentID'), fields: byOffset };
    }
    default:
      return { ...rest, ...result, problems, ...(fields === undefined ? {} : { id: text('InstrumentID') }) };
  }
}
