import type { DoorbellHandle } from '../ring/doorbell.js';
import { bridgeLibrary } from '../ring/native.js';
import { ReturnCode } from './returnCode.js';

const errorTextBytes = 1024;

interface Natives {
  readonly libraryUnderTrial: (path: string) => number;
  readonly openLibrary: (
    path: string,
    version: string,
    production: number,
    error: Uint8Array,
    errorBytes: number,
  ) => number;
  readonly describeLibrary: (
    library: number,
    version: Uint8Array,
    versionBytes: number,
    warning: Uint8Array,
    warningBytes: number,
  ) => number;
  readonly longestId: (library: number) => number;
  readonly examineLibrary: (path: string, version: string, facts: Uint8Array, bytes: number) => number;
  readonly createSession: (
    owner: number,
    library: number,
    connection: number,
    flowFolder: string,
    ring: Uint8Array,
    ringBytes: number,
    error: Uint8Array,
    errorBytes: number,
  ) => number;
  readonly addDoorbell: (session: number, parked: Int32Array, fd: number) => number;
  readonly registerFront: (session: number, address: string) => number;
  readonly init: (session: number) => number;
  readonly login: (
    session: number,
    broker: string,
    user: string,
    password: string,
    request: number,
  ) => number;
  readonly subscribe: (
    session: number,
    ids: Uint8Array,
    bytes: number,
    slots: Int32Array,
    count: number,
  ) => number;
  readonly unsubscribe: (session: number, ids: Uint8Array, bytes: number, count: number) => number;
  readonly tradingDay: (session: number) => number;
  readonly frontUp: (session: number) => number;
  readonly acknowledged: (session: number) => number;
  readonly refusalsLost: (session: number) => number;
  readonly close: (session: number) => number;
}

let natives: Natives | undefined;

function bridge(): Natives {
  if (natives !== undefined) return natives;
  const lib = bridgeLibrary();
  natives = {
    libraryUnderTrial: lib.func('int qb_library_under_trial(const char *path)'),
    openLibrary: lib.func(
      'int qb_library_open(const char *path, const char *version, int production, void *error, int errorBytes)',
    ),
    describeLibrary: lib.func(
      'int qb_library_describe(int library, void *version, int versionBytes, void *warning, int warningBytes)',
    ),
    longestId: lib.func('int qb_library_longest_id(int library)'),
    examineLibrary: lib.func(
      'int qb_library_examine(const char *path, const char *version, void *facts, int bytes)',
    ),
    createSession: lib.func(
      'int qb_session_create(int owner, int library, int connection, const char *flowFolder, void *ring, int ringBytes, void *error, int errorBytes)',
    ),
    addDoorbell: lib.func('int qb_session_add_doorbell(int session, void *parked, int fd)'),
    registerFront: lib.func('int qb_session_register_front(int session, const char *address)'),
    init: lib.func('int qb_session_init(int session)'),
    login: lib.func(
      'int qb_session_login(int session, const char *broker, const char *user, const char *password, int request)',
    ),
    subscribe: lib.func(
      'int qb_session_subscribe(int session, void *ids, int bytes, const int32_t *slots, int count)',
    ),
    unsubscribe: lib.func('int qb_session_unsubscribe(int session, void *ids, int bytes, int count)'),
    tradingDay: lib.func('int qb_session_trading_day(int session)'),
    frontUp: lib.func('int qb_session_front_up(int session)'),
    acknowledged: lib.func('int qb_session_acknowledged(int session)'),
    refusalsLost: lib.func('int qb_session_refusals_lost(int session)'),
    close: lib.func('int qb_session_close(int session)'),
  };
  return natives;
}

function textIn(buffer: Buffer): string {
  const end = buffer.indexOf(0);
  return buffer.toString('utf8', 0, end < 0 ? buffer.length : end);
}

/** Each id followed by a NUL. */
function joinIds(ids: readonly string[]): Buffer {
  return Buffer.from(ids.map((id) => `${id}\0`).join(''), 'latin1');
}

/** A library and what the user says about it. */
export interface LibraryChoice {
  /** Path of the file. */
  readonly library: string;
  /** The version whose interface it has, such as 6.6.9 or 2013; empty: as it says itself. */
  readonly libraryVersion: string;
  /** False: for the broker's evaluation back end. */
  readonly production: boolean;
}

export interface VendorLibrary {
  readonly handle: number;
  /** Text of GetApiVersion; empty if there is none. */
  readonly version: string;
  /** Empty when the version is one whose layout was verified. */
  readonly warning: string;
  /** Characters of the longest instrument id that it can be asked for. */
  readonly longestId: number;
}

/**
 * Whether openVendorLibrary would have to wait: a library is tried in a process of its own before it is opened, which
 * takes some 50 ms, and 15 s for one that hangs. Starts that trial. Its verdict holds for as long as the file is the same.
 */
export function libraryUnderTrial(library: string): boolean {
  return bridge().libraryUnderTrial(library) > 0;
}

/**
 * Opens a vendor library, after a trial in a process of its own; it stays open for the life of the process. Several
 * may be open at once, also the same file under other options.
 *
 * @throws with one line that names the file and what is wrong: missing, no library, of another machine or
 *   product, of a version that is not supported, crashing
 */
export function openVendorLibrary({ library, libraryVersion, production }: LibraryChoice): VendorLibrary {
  const error = Buffer.alloc(errorTextBytes);
  const handle = bridge().openLibrary(library, libraryVersion, production ? 1 : 0, error, errorTextBytes);
  if (handle < 0) throw new Error(textIn(error));
  const version = Buffer.alloc(errorTextBytes);
  const warning = Buffer.alloc(errorTextBytes);
  bridge().describeLibrary(handle, version, errorTextBytes, warning, errorTextBytes);
  const longestId = bridge().longestId(handle);
  return { handle, version: textIn(version), warning: textIn(warning), longestId };
}

/** Facts about a library without a session. */
export interface LibraryFacts {
  readonly isLoaded: boolean;
  /** Text of GetApiVersion; undefined if there is none. */
  readonly version: string | undefined;
  /** The factory that it exports, with its parameters. */
  readonly factory: string;
  /** Size of the exported vtable of CThostFtdcMdApi; 0: not exported. */
  readonly requestClassBytes: number;
  /** Whether it exports CFtdcMdApiImpl::ReqQryMulticastInstrument. */
  readonly multicastQuery: boolean;
  /** 2013, A or B; empty when it is refused. */
  readonly order: string;
  /** One line on what told the order. */
  readonly evidence: string;
  /** Characters of the longest instrument id; NaN when it is refused. */
  readonly longestId: number;
  readonly warning: string;
  /** Why it cannot be used; empty when it can. */
  readonly refusal: string;
}

/** Loads a library into this process, without a trial: for a process that may crash of it. */
export function examineLibrary(library: string, libraryVersion: string): LibraryFacts {
  const buffer = Buffer.alloc(4 * errorTextBytes);
  if (bridge().examineLibrary(library, libraryVersion, buffer, buffer.length) < 0)
    throw new Error(textIn(buffer));
  const lines = textIn(buffer).split('\n');
  const facts = new Map(
    lines.map((line): [string, string] => [line.split('\t')[0]!, line.split('\t')[1] ?? '']),
  );
  const fact = (name: string): string => facts.get(name) ?? '';
  return {
    isLoaded: fact('loaded') === '1',
    version: fact('tells_version') === '1' ? fact('version') : undefined,
    factory: fact('factory'),
    requestClassBytes: Number(fact('request_class_bytes')),
    multicastQuery: fact('multicast_query') === '1',
    order: fact('order'),
    evidence: fact('evidence'),
    longestId: fact('longest_id') === '' ? NaN : Number(fact('longest_id')),
    warning: fact('warning'),
    refusal: fact('refusal'),
  };
}

export interface VendorSessionParts {
  /** EventChannelHandle.owner. */
  readonly owner: number;
  readonly library: VendorLibrary;
  readonly connection: number;
  readonly flowFolder: string;
  readonly tickRing: SharedArrayBuffer;
  readonly tickDoorbells: readonly DoorbellHandle[];
}

/** One session of the vendor's library. What it says comes through the owner's event ring. */
export class VendorSession {
  /** As in BridgeEvent.session. */
  readonly handle: number;
  // Native code writes to it until the session is closed.
  readonly #tickRing: Uint8Array;

  /** @throws with one line when the flow folder cannot be made or the library refuses */
  constructor(options: VendorSessionParts) {
    this.#tickRing = new Uint8Array(options.tickRing);
    const error = Buffer.alloc(errorTextBytes);
    this.handle = bridge().createSession(
      options.owner,
      options.library.handle,
      options.connection,
      options.flowFolder,
      this.#tickRing,
      this.#tickRing.byteLength,
      error,
      errorTextBytes,
    );
    if (this.handle < 0) throw new Error(textIn(error));
    for (const { parked, eventFd } of options.tickDoorbells) {
      if (bridge().addDoorbell(this.handle, new Int32Array(parked), eventFd) < 0) {
        this.close();
        throw new Error('the tick ring has too many readers');
      }
    }
  }

  /** Starts connecting; returns at once. A negative ReturnCode if the library threw. */
  start(fronts: readonly string[]): number {
    for (const front of fronts) {
      const code = bridge().registerFront(this.handle, front);
      if (code < 0) return code;
    }
    return bridge().init(this.handle);
  }

  /** A ReturnCode; badArgument when a text is longer than the vendor's field. */
  login(brokerId: string, userId: string, password: string, requestId: number): number {
    return bridge().login(this.handle, brokerId, userId, password, requestId);
  }

  /** Ticks of ids[i] bear slots[i] from now on. A ReturnCode. */
  subscribe(ids: readonly string[], slots: readonly number[]): number {
    const bytes = joinIds(ids);
    return bridge().subscribe(this.handle, bytes, bytes.length, Int32Array.from(slots), ids.length);
  }

  unsubscribe(ids: readonly string[]): number {
    const bytes = joinIds(ids);
    return bridge().unsubscribe(this.handle, bytes, bytes.length, ids.length);
  }

  /** yyyymmdd; right only after a login. */
  get tradingDay(): number {
    return bridge().tradingDay(this.handle);
  }

  /** Whether the front is connected, by the library's last word. */
  get frontUp(): boolean {
    return bridge().frontUp(this.handle) === 1;
  }

  /** Whether the library has let go of the session after close(). */
  get released(): boolean {
    return bridge().frontUp(this.handle) === ReturnCode.closed;
  }

  /** Subscriptions that the front confirmed; not every front confirms each. */
  get acknowledged(): number {
    return bridge().acknowledged(this.handle);
  }

  /** Refused subscriptions that found no place among the events, since the session was made. */
  get refusalsLost(): number {
    return Math.max(0, bridge().refusalsLost(this.handle));
  }

  /** No callback writes anything after the return. A `released` event follows when the library has let go. */
  close(): void {
    bridge().close(this.handle);
  }
}
