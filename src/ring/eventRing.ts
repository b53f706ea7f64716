import { allocateRing, capacityWord, ringHeader, ringHeaderBytes, type RingKind } from './ringMemory.js';

/**
 * Control events from the bridge to a connection worker (libs/bridge/event_ring.h): a bounded queue in shared
 * memory. Several vendor threads write, one worker reads. A full ring drops new events and counts them; its
 * last `reserve` places are kept for critical events (connection, login, release), so that a flood of refused
 * subscriptions cannot hide a lost front.
 *
 *   byte 0    i32 magic, capacity, event bytes, header bytes (ringMemory.ts), reserve
 *        64   u32 head, tail, ordinary events lost, critical events lost
 *        128  capacity events of 256 bytes
 */
const eventBytes = 256;
const kind: RingKind = {
  name: 'an event ring',
  magic: 0x746e7665,
  minCapacity: 2,
  maxCapacity: 1 << 20,
};

const Header = {
  capacity: capacityWord,
  reserve: 4,
  head: 16,
  tail: 17,
  ordinaryLost: 18,
  criticalLost: 19,
} as const;

const EventWord = {
  type: 0,
  connection: 1,
  session: 2,
  code: 3,
  requestId: 4,
  tradingDay: 5,
  frontId: 6,
  sessionId: 7,
} as const;
const EventText = {
  instrumentId: { at: 32, bytes: 88 },
  text: { at: 120, bytes: 88 },
  systemName: { at: 208, bytes: 48 },
} as const;

const typeNames = [
  undefined,
  'front_connected',
  'front_disconnected',
  'heartbeat_warning',
  'login_response',
  'logout_response',
  'error',
  'subscribe_refused',
  'unsubscribe_refused',
  'released',
] as const;

export type BridgeEventType = Exclude<(typeof typeNames)[number], undefined>;

export interface BridgeEvent {
  readonly type: BridgeEventType;
  /** Index of the connection. */
  readonly connection: number;
  /** The session's handle: events of an earlier session of the same connection bear another one. */
  readonly session: number;
  /** Disconnect reason, error id, or seconds of silence. */
  readonly code: number;
  readonly requestId: number;
  /** yyyymmdd of a login response; 0 empty, -1 malformed. */
  readonly tradingDay: number;
  readonly frontId: number;
  readonly sessionId: number;
  readonly instrumentId: string;
  readonly text: string;
  readonly systemName: string;
}

/**
 * @param capacity events, a power of two
 * @param reserve places kept for critical events
 */
export function allocateEventRing(capacity: number, reserve: number, firstSequence = 0): SharedArrayBuffer {
  const { memory, header } = allocateRing(kind, capacity, eventBytes);
  if (!Number.isInteger(reserve) || reserve < 0 || reserve >= capacity)
    throw new RangeError(`an event ring's reserve is less than its capacity, not ${reserve}`);
  header[Header.reserve] = reserve;
  header[Header.head] = firstSequence | 0;
  header[Header.tail] = firstSequence | 0;
  return memory;
}

export class EventReader {
  readonly #header: Int32Array;
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;
  readonly #mask: number;
  readonly #decoder = new TextDecoder('gb18030');

  /** @throws if the memory is no event ring */
  constructor(ring: SharedArrayBuffer) {
    this.#header = ringHeader(ring, kind, () => eventBytes);
    this.#words = new Int32Array(ring, ringHeaderBytes);
    this.#bytes = new Uint8Array(ring, ringHeaderBytes);
    this.#mask = this.#header[Header.capacity]! - 1;
  }

  /** The oldest event that was not taken yet. */
  next(): BridgeEvent | undefined {
    const tail = this.#header[Header.tail]!;
    if (Atomics.load(this.#header, Header.head) === tail) return undefined;
    const event = this.#decode(tail & this.#mask);
    // Only now may the place be written again.
    Atomics.store(this.#header, Header.tail, (tail + 1) | 0);
    return event;
  }

  /** Events that were not taken yet. */
  get pending(): number {
    return (Atomics.load(this.#header, Header.head) - this.#header[Header.tail]!) >>> 0;
  }

  get empty(): boolean {
    return Atomics.load(this.#header, Header.head) === this.#header[Header.tail]!;
  }

  /** Events that found no place: refusals and warnings. */
  get ordinaryLost(): number {
    return Atomics.load(this.#header, Header.ordinaryLost) >>> 0;
  }

  /** Connections, logins and releases that found no place: what is known about the sessions may be wrong. */
  get criticalLost(): number {
    return Atomics.load(this.#header, Header.criticalLost) >>> 0;
  }

  #decode(place: number): BridgeEvent {
    const word = (index: number): number => this.#words[(place * eventBytes) / 4 + index]!;
    const text = (field: { readonly at: number; readonly bytes: number }): string => {
      const start = place * eventBytes + field.at;
      // slice, not subarray: TextDecoder refuses shared memory.
      const bytes = this.#bytes.slice(start, start + field.bytes);
      const end = bytes.indexOf(0);
      return this.#decoder.decode(end < 0 ? bytes : bytes.subarray(0, end));
    };
    const type = typeNames[word(EventWord.type)];
    if (type === undefined) throw new TypeError(`event type ${word(EventWord.type)} is unknown`);
    return {
      type,
      connection: word(EventWord.connection),
      session: word(EventWord.session),
      code: word(EventWord.code),
      requestId: word(EventWord.requestId),
      tradingDay: word(EventWord.tradingDay),
      frontId: word(EventWord.frontId),
      sessionId: word(EventWord.sessionId),
      instrumentId: text(EventText.instrumentId),
      text: text(EventText.text),
      systemName: text(EventText.systemName),
    };
  }
}
