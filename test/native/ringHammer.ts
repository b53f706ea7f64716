import koffi from 'koffi';
import { intWord, type TickRecord, tickRecordBytes } from '../../src/ring/tickRecord.js';
import { builtNative } from './nativeBuild.js';

/** ring_hammer.cpp: native writers for rings and doorbells. */
export interface RingHammer {
  /** Writes `count` records from another thread, pausing up to maxPauseUs after each `burst` on average. */
  readonly start: (
    ring: Uint8Array,
    ringBytes: number,
    parked: Int32Array | null,
    eventFd: number,
    first: number,
    count: number,
    burst: number,
    maxPauseUs: number,
  ) => number;
  /** Writes record i once acks[0] is i, after a spin of up to maxSpin rounds; ends early at acks[0] = -1. */
  readonly startReplies: (
    ring: Uint8Array,
    ringBytes: number,
    parked: Int32Array,
    eventFd: number,
    acks: Int32Array,
    count: number,
    maxSpin: number,
  ) => number;
  /** From here on start()'s thread waits for no reader of a lossless ring. */
  readonly stopWaiting: () => void;
  readonly running: () => number;
  readonly written: () => number;
  readonly measure: (
    ring: Uint8Array,
    ringBytes: number,
    parked: Int32Array | null,
    eventFd: number,
    count: number,
  ) => number;
  readonly pushEvent: (
    ring: Uint8Array,
    ringBytes: number,
    type: number,
    code: number,
    id: string,
    text: Uint8Array,
    critical: number,
  ) => number;
}

export function loadRingHammer(): RingHammer {
  const lib = koffi.load(builtNative('ring_hammer'));
  return {
    start: lib.func(
      'int hammer_start(void *ring, int bytes, void *parked, int fd, uint32_t first, uint32_t count, uint32_t burst, uint32_t maxPauseUs)',
    ),
    startReplies: lib.func(
      'int hammer_start_replies(void *ring, int bytes, void *parked, int fd, void *acks, uint32_t count, uint32_t maxSpin)',
    ),
    stopWaiting: lib.func('void hammer_stop_waiting()'),
    running: lib.func('int hammer_running()'),
    written: lib.func('uint32_t hammer_written()'),
    measure: lib.func('double hammer_measure(void *ring, int bytes, void *parked, int fd, uint32_t count)'),
    pushEvent: lib.func(
      'int event_push(void *ring, int bytes, int type, int code, const char *id, void *text, int critical)',
    ),
  };
}

/** The number of the record that the hammer wrote here, or undefined if its words do not belong together. */
export function hammeredRecord(record: TickRecord): number | undefined {
  const { i32 } = record;
  const n = (i32[2]! ^ (2 * 0x9e3779b9)) >>> 0;
  for (let i = 2; i < tickRecordBytes / 4; i++)
    if (i32[i] !== (n ^ Math.imul(i, 0x9e3779b9)) >> 0) return undefined;
  if (i32[intWord.slot] !== Math.imul(n, 2654435761)) return undefined;
  return n;
}
