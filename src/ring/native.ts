import koffi, { type KoffiFunc, type LibraryHandle } from 'koffi';
import { packagePath } from '../base/paths.js';

/** Must equal interfaceVersion in libs/bridge/bridge.cpp. */
const interfaceVersion = 8;

// Held for the life of the thread: koffi closes a library once nothing refers to it.
let library: LibraryHandle | undefined;

/**
 * The bridge, loaded on first use in each thread.
 *
 * @throws when it was not built or was built from other sources.
 */
export function bridgeLibrary(): LibraryHandle {
  if (library !== undefined) return library;
  const path = packagePath('libs', 'bridge', 'build', 'libqactpmd_bridge.so');
  let loaded: LibraryHandle;
  try {
    loaded = koffi.load(path);
  } catch (error) {
    throw new Error(`cannot load ${path}: build it with "npm run build:native"`, { cause: error });
  }
  const version = (loaded.func('int qb_interface_version()') as KoffiFunc<() => number>)();
  if (version !== interfaceVersion) {
    throw new Error(`${path} is out of date: build it again with "npm run build:native"`);
  }
  library = loaded;
  return loaded;
}

/** The functions that readers of rings and doorbells need, in any thread. */
export interface RingNatives {
  readonly openEventFd: () => number;
  readonly drainEventFd: (fd: number) => void;
  readonly closeEventFd: (fd: number) => void;
  /** Rings as a native writer does. */
  readonly ringDoorbell: (memory: Int32Array, fd: number) => void;
  readonly openOwner: (ring: Uint8Array, ringBytes: number, doorbell: Int32Array, fd: number) => number;
  readonly closeOwner: (owner: number) => number;
  readonly unreleased: (owner: number) => number;
  readonly unreleasedOf: (owner: number, connection: number) => number;
  /** Lets go of the owner's ring; its sessions stay as they are. */
  readonly detachOwner: (owner: number) => number;
  readonly closeConnection: (owner: number, connection: number) => number;
  /** 1: the connection has a session, for which no call into the library is under way. */
  readonly connectionIdle: (owner: number, connection: number) => number;
  /** A release that takes longer is given up, and the next one begins beside it. */
  readonly limitRelease: (ms: number) => void;
  /** 1: no release begins until it is 0 again. */
  readonly holdReleases: (hold: number) => void;
  readonly silenceAll: () => void;
  readonly endProcess: (code: number) => void;
}

let natives: RingNatives | undefined;

export function ringNatives(): RingNatives {
  if (natives !== undefined) return natives;
  const lib = bridgeLibrary();
  natives = {
    openEventFd: lib.func('int qb_eventfd_open()'),
    drainEventFd: lib.func('void qb_eventfd_drain(int fd)'),
    closeEventFd: lib.func('void qb_eventfd_close(int fd)'),
    ringDoorbell: lib.func('void qb_doorbell_ring(void *memory, int fd)'),
    openOwner: lib.func('int qb_owner_open(void *ring, int ringBytes, void *doorbell, int fd)'),
    closeOwner: lib.func('int qb_owner_close(int owner)'),
    unreleased: lib.func('int qb_owner_unreleased(int owner)'),
    unreleasedOf: lib.func('int qb_owner_unreleased_of(int owner, int connection)'),
    detachOwner: lib.func('int qb_owner_detach(int owner)'),
    closeConnection: lib.func('int qb_owner_close_connection(int owner, int connection)'),
    connectionIdle: lib.func('int qb_owner_connection_idle(int owner, int connection)'),
    limitRelease: lib.func('void qb_limit_release(int ms)'),
    holdReleases: lib.func('void qb_hold_releases(int hold)'),
    silenceAll: lib.func('void qb_silence_all()'),
    endProcess: lib.func('void qb_end_process(int code)'),
  };
  return natives;
}

/**
 * Puts a pipe in the place of this process's standard output, for good (libs/bridge/standard_output.h).
 *
 * @returns descriptors: the output that was, and where to read what is printed from now on
 * @throws when the process has no descriptors left
 */
export function divertOutput(): { readonly original: number; readonly printed: number } {
  const divert = bridgeLibrary().func(
    'int qb_stdout_divert(_Out_ int *original, _Out_ int *printed)',
  ) as KoffiFunc<(original: [number], printed: [number]) => number>;
  const original: [number] = [-1];
  const printed: [number] = [-1];
  if (divert(original, printed) < 0) throw new Error('standard output: too many open files in this process');
  return { original: original[0], printed: printed[0] };
}
