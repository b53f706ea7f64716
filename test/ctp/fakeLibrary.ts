import { readdirSync, readlinkSync } from 'node:fs';
import koffi from 'koffi';
import { openVendorLibrary } from '../../src/ctp/bridge.js';
import { builtNative } from '../native/nativeBuild.js';
import { untilIs } from '../helpers/until.js';

/** fake_md_api.cpp: a library with the vendor's interface that calls back when the test says so. */
export interface FakeLibrary {
  readonly path: string;
  readonly connected: () => void;
  readonly disconnected: (reason: number) => void;
  readonly heartbeat: (seconds: number) => void;
  readonly login: (code: number, text: Uint8Array, day: string, requestId: number, nulls: number) => void;
  readonly logout: (code: number, text: string) => void;
  readonly error: (code: number, text: string, requestId: number) => void;
  readonly answer: (subscribed: number, id: string, code: number, text: string, nulls: number) => void;
  readonly others: () => void;
  readonly tick: (depth: Uint8Array | null) => void;
  /** Ticks from another thread, as fast as they go, until endStream(). */
  readonly stream: (depth: Uint8Array, bytes: number) => void;
  /** `count` ticks from another thread whose numbers are those of the ticks, from `first` on. */
  readonly streamNumbered: (depth: Uint8Array, bytes: number, first: number, count: number) => void;
  readonly streamEnded: () => number;
  readonly streamed: () => number;
  readonly endStream: () => void;
  /** What the next request returns. */
  readonly returnNext: (code: number) => void;
  /** 1: releases do not return until it is 0 again. */
  readonly holdRelease: (hold: number) => void;
  /** The next release alone does not return until holdRelease(0). */
  readonly holdNextRelease: () => void;
  /** 1: subscribing does not return until it is 0 again. */
  readonly holdSubscribe: (hold: number) => void;
  readonly mostReleasing: () => number;
  /** Sessions that it has not let go of. */
  readonly sessions: () => number;
  /** What the library was asked since the last time, one entry per call. */
  readonly calls: () => string[];
  /** What it was asked since it was fresh, one entry per call; takes nothing from calls(). */
  readonly log: () => readonly string[];
  /** How many entries of the log begin with this. */
  readonly asked: (start: string) => number;
}

/** By path: a library is loaded once, however often it is asked for, and so is there once. */
const logs = new Map<string, { readonly entries: string[]; taken: number }>();

/**
 * The library as it is when nobody has used it: without a session of an earlier test, and without what it was asked in one.
 * What it holds up is let go of.
 */
export async function freshFakeLibrary(name: string): Promise<FakeLibrary> {
  const fake = loadFakeLibrary(name);
  fake.holdRelease(0);
  fake.holdSubscribe(0);
  fake.returnNext(0);
  await untilIs('the sessions of earlier tests to be released', fake.sessions, 0);
  fake.log();
  logs.set(fake.path, { entries: [], taken: 0 });
  return fake;
}

/** A name of the copy that the bridge has loaded in place of this file. */
function loadedCopy(name: string): string {
  const copies = readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`) === `/memfd:${name}.so (deleted)`;
    } catch {
      return false; // the descriptor of the listing itself is gone
    }
  });
  if (copies.length !== 1) throw new Error(`${copies.length} copies of ${name} are loaded`);
  return `/proc/self/fd/${copies[0]}`;
}

export function loadFakeLibrary(name: string): FakeLibrary {
  const path = builtNative(name);
  openVendorLibrary({ library: path, libraryVersion: '', production: true });
  const lib = koffi.load(loadedCopy(name));
  const callsInto: (buffer: Uint8Array, bytes: number) => void = lib.func(
    'void fake_calls(void *buffer, int bytes)',
  );
  const pulled = (): { readonly entries: string[]; taken: number } => {
    const buffer = Buffer.alloc(1 << 16);
    callsInto(buffer, buffer.length);
    const text = buffer.toString('latin1', 0, buffer.indexOf(0));
    const log = logs.get(path) ?? { entries: [], taken: 0 };
    logs.set(path, log);
    log.entries.push(...text.split('\n').filter((line) => line !== ''));
    return log;
  };
  return {
    path,
    connected: lib.func('void fake_connected()'),
    disconnected: lib.func('void fake_disconnected(int reason)'),
    heartbeat: lib.func('void fake_heartbeat(int seconds)'),
    login: lib.func('void fake_login(int code, void *text, const char *day, int requestId, int nulls)'),
    logout: lib.func('void fake_logout(int code, const char *text)'),
    error: lib.func('void fake_error(int code, const char *text, int requestId)'),
    answer: lib.func(
      'void fake_answer(int subscribed, const char *id, int code, const char *text, int nulls)',
    ),
    others: lib.func('void fake_others()'),
    tick: lib.func('void fake_tick(void *depth)'),
    stream: lib.func('void fake_stream(const void *depth, int bytes)'),
    streamNumbered: lib.func(
      'void fake_stream_numbered(const void *depth, int bytes, uint32_t first, uint32_t count)',
    ),
    streamEnded: lib.func('int fake_stream_ended()'),
    streamed: lib.func('uint32_t fake_streamed()'),
    endStream: lib.func('void fake_end_stream()'),
    returnNext: lib.func('void fake_return(int code)'),
    holdRelease: lib.func('void fake_hold_release(int hold)'),
    holdNextRelease: lib.func('void fake_hold_next_release()'),
    holdSubscribe: lib.func('void fake_hold_subscribe(int hold)'),
    mostReleasing: lib.func('int fake_most_releasing()'),
    sessions: lib.func('int fake_sessions()'),
    calls: () => {
      const log = pulled();
      const since = log.entries.slice(log.taken);
      log.taken = log.entries.length;
      return since;
    },
    log: () => pulled().entries,
    asked: (start) => pulled().entries.filter((call) => call.startsWith(start)).length,
  };
}
