import koffi from 'koffi';
import { builtNative } from '../native/nativeBuild.js';

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
  /** What the library was asked since the last time, one entry per call. */
  readonly calls: () => string[];
}

export function loadFakeLibrary(name: string): FakeLibrary {
  const path = builtNative(name);
  const lib = koffi.load(path);
  const callsInto: (buffer: Uint8Array, bytes: number) => void = lib.func(
    'void fake_calls(void *buffer, int bytes)',
  );
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
    calls: () => {
      const buffer = Buffer.alloc(1 << 16);
      callsInto(buffer, buffer.length);
      return buffer
        .toString('latin1', 0, buffer.indexOf(0))
        .split('\n')
        .filter((line) => line !== '');
    },
  };
}
