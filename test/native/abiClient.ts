import { execFile, spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { packagePath } from '../../src/base/paths.js';
import { untilReads } from '../helpers/until.js';

/** How library and client are compiled; the instrumented ones lie in folders of their own. */
export type Build = 'plain' | 'asan' | 'tsan';

interface Layouts {
  readonly generations: readonly Generation[];
  readonly methods: Readonly<Record<string, { readonly spi: string; readonly api: string }>>;
  /** "offset type name [from..until]", where the range is of the struct's sizes that have the field. */
  readonly structs: Readonly<Record<string, readonly string[]>>;
}

export interface Generation {
  readonly id: string;
  readonly factoryBools: number;
  readonly hasVersion: boolean;
  readonly methods: 'first' | 'A' | 'B';
  readonly idBytes: number;
  readonly sizes: Readonly<Record<string, number>>;
}

/** A library that has lost its front tries again at once, and not seconds later. */
export const quickReconnect = { QACTPMD_SIM_RECONNECT_MS: '50' } as const;

/** For what a loaded machine takes its time over. */
const waitMs = 25_000;

type Awaitable<T> = T | Promise<T>;

export type Fields = Readonly<Record<string, number | string>>;

/** One line of the client: a callback, or the answer to a command. */
export interface AbiEvent {
  readonly session: string;
  readonly returned?: string;
  readonly code?: number;
  readonly threw?: string;
  readonly text?: string;
  readonly version?: string | null;
  /** Number of bools of each factory that the library exports. */
  readonly factories?: readonly number[];

  readonly event?: string;
  readonly reason?: number;
  readonly request?: number;
  readonly last?: boolean;
  readonly fields?: Fields;
  readonly info?: Fields;
  /** What the client found wrong with the callback's thread or with the bytes of its structs. */
  readonly problems?: readonly string[];
}

export const layouts = JSON.parse(
  readFileSync(packagePath('test', 'native', 'abi', 'layouts.json'), 'utf8'),
) as Layouts;

const buildFolder = (build: Build): string =>
  packagePath('libs', 'simulator', 'build', ...(build === 'plain' ? [] : [build]));

/** A program or file beside the libraries of a build. */
export const buildProduct = (name: string, build: Build): string => join(buildFolder(build), name);

export const libraryOf = (generation: string, build: Build = 'plain'): string =>
  buildProduct(join('generations', generation, 'thostmduserapi_se.so'), build);

/** Compiles the libraries and the client where they are out of date. */
export async function buildAbi(build: Build = 'plain'): Promise<void> {
  await promisify(execFile)('make', ['-s', '-C', packagePath('test', 'native', 'abi'), build]);
}

/** A process that holds any number of libraries, each a session with a flow folder of its own. */
export class AbiClient {
  readonly events: AbiEvent[] = [];
  readonly build: Build;
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #closed: Promise<number | null>;
  readonly #folders: string[] = [];
  #complaints = '';

  constructor(build: Build = 'plain', env: Readonly<Record<string, string>> = {}) {
    this.build = build;
    this.#process = spawn(buildProduct('abi_client', build), [buildProduct('abi_layouts.txt', build)], {
      // Commands are words, so paths are given from the package's folder, whose own path may hold blanks.
      cwd: packagePath(),
      env: { ...process.env, ...env },
    });
    this.#process.stderr.setEncoding('utf8').on('data', (text: string) => (this.#complaints += text));
    // A client that has died shows in the missing answer and in its exit code.
    this.#process.stdin.on('error', () => undefined);
    createInterface({ input: this.#process.stdout }).on('line', (line) => {
      this.events.push(JSON.parse(line) as AbiEvent);
    });
    this.#closed = new Promise((resolve) => this.#process.once('close', (code) => resolve(code)));
  }

  /** Loads a library under the name of its generation. */
  async open(generation: Generation, library = libraryOf(generation.id, this.build)): Promise<AbiSession> {
    const folder = mkdtempSync(join(tmpdir(), 'abi-'));
    this.#folders.push(folder);
    const session = new AbiSession(this, generation, `${folder}/`);
    const opened = await session.command(`open ${relative(packagePath(), library)} ${generation.id}`);
    if (opened.code !== 0) throw new Error(opened.text ?? opened.threw);
    return session;
  }

  async command(session: string, line: string): Promise<AbiEvent> {
    const answers = (): AbiEvent[] =>
      this.events.filter((event) => event.session === session && event.returned !== undefined);
    const before = answers().length;
    this.#process.stdin.write(`${session} ${line}\n`);
    return this.until(() => answers()[before], `the answer of ${session} to "${line}"`);
  }

  until<T>(find: () => Awaitable<T | undefined | false>, what: string): Promise<T> {
    const wanted = (found: unknown): boolean => found !== undefined && found !== false;
    return untilReads(() => `${what} ${this.#complaints}`, find, wanted, waitMs) as Promise<T>;
  }

  /** Ends the process; throws when it did not end well or a sanitizer complained. */
  async close(): Promise<void> {
    this.#process.stdin.end();
    const code = await this.#closed;
    for (const folder of this.#folders) rmSync(folder, { recursive: true });
    if (code !== 0 || this.#complaints !== '')
      throw new Error(`the client ended with ${code} ${this.#complaints}`);
  }
}

/** One library in a client's process. */
export class AbiSession {
  readonly client: AbiClient;
  readonly generation: Generation;
  readonly flowPath: string;

  constructor(client: AbiClient, generation: Generation, flowPath: string) {
    this.client = client;
    this.generation = generation;
    this.flowPath = flowPath;
  }

  command(line: string): Promise<AbiEvent> {
    return this.client.command(this.generation.id, line);
  }

  /** A command's return code. */
  async code(line: string): Promise<number | undefined> {
    return (await this.command(line)).code;
  }

  get events(): AbiEvent[] {
    return this.client.events.filter((event) => event.session === this.generation.id);
  }

  callbacks(name: string): AbiEvent[] {
    return this.events.filter((event) => event.event === name);
  }

  ticks(id: string): Fields[] {
    return this.callbacks('tick')
      .map((event) => event.fields!)
      .filter((fields) => fields['InstrumentID'] === id);
  }

  /** Waits until there are `count` callbacks of a name, and gives the last one. */
  async callback(name: string, count = 1): Promise<AbiEvent> {
    const found = await this.client.until(
      () => this.callbacks(name).length >= count && this.callbacks(name)[count - 1],
      `${name} ${count} of ${this.generation.id}`,
    );
    return found;
  }

  until<T>(find: () => Awaitable<T | undefined | false>, what: string): Promise<T> {
    return this.client.until(find, `${what} of ${this.generation.id}`);
  }

  /** Creates an object, registers Spi and front, and begins. */
  async begin(address: string): Promise<void> {
    await this.command(`create ${this.flowPath}`);
    await this.command('spi on');
    await this.command(`front ${address}`);
    await this.command('init');
  }
}
