/**
 * The front's side of the protocol with the simulated library; libs/simulator/wire.h states it in full.
 * Texts are NUL-padded fields; error texts are GB18030, as the vendor's are.
 */
export const headerBytes = 8;
export const maxBodyBytes = 1 << 20;
const magic0 = 0x51;
const magic1 = 0x53;
const version = 1;

export const requestType = {
  login: 1,
  logout: 2,
  subscribe: 3,
  unsubscribe: 4,
  subscribeForQuote: 5,
  unsubscribeForQuote: 6,
  heartbeat: 7,
} as const;

export const responseType = {
  login: 65,
  logout: 66,
  subscribe: 67,
  unsubscribe: 68,
  subscribeForQuote: 69,
  unsubscribeForQuote: 70,
  heartbeat: 71,
  tick: 72,
  error: 73,
  order: 74,
} as const;

/** Orders of a front to the library, for faults of the library itself. */
export const orders = {
  /** End the connection and report the reason. */
  disconnect: 1,
  /** Answer the next requests with a return code: code, number of calls. */
  returnCode: 2,
  /** Throw at the next creations of an instance in the process. */
  throwAtCreate: 3,
} as const;

/** Requests of a client. */
export type FrontRequest =
  | {
      readonly kind: 'login';
      readonly requestId: number;
      readonly brokerId: string;
      readonly userId: string;
      readonly password: string;
    }
  | {
      readonly kind: 'logout';
      readonly requestId: number;
      readonly brokerId: string;
      readonly userId: string;
    }
  | {
      readonly kind: 'subscribe' | 'unsubscribe' | 'subscribeForQuote' | 'unsubscribeForQuote';
      readonly ids: readonly string[];
    }
  | { readonly kind: 'heartbeat' };

/** A byte sequence that is not the protocol. */
export class BadPacket extends Error {}

/** Appends fields to one frame. */
class FrameBuilder {
  readonly #frame: Buffer;
  #at = headerBytes;

  constructor(type: number, bodyBytes: number) {
    this.#frame = Buffer.alloc(headerBytes + bodyBytes);
    this.#frame.set([magic0, magic1, version, type]);
    this.#frame.writeUInt32LE(bodyBytes, 4);
  }

  i32(value: number): this {
    this.#at = this.#frame.writeInt32LE(value, this.#at);
    return this;
  }

  u8(value: number): this {
    this.#at = this.#frame.writeUInt8(value, this.#at);
    return this;
  }

  /** A field of `width` bytes whose last byte stays NUL. */
  text(value: string | Buffer, width: number): this {
    const bytes = typeof value === 'string' ? Buffer.from(value, 'latin1') : value;
    bytes.copy(this.#frame, this.#at, 0, Math.min(bytes.length, width - 1));
    this.#at += width;
    return this;
  }

  bytes(value: Buffer): this {
    this.#at += value.copy(this.#frame, this.#at);
    return this;
  }

  end(): Buffer {
    return this.#frame;
  }
}

/** An error id with its text in GB18030. */
export interface ErrorInfo {
  readonly id: number;
  readonly text: Buffer;
}

export interface LoginAnswer {
  readonly requestId: number;
  readonly error: ErrorInfo;
  readonly tradingDay: string;
  readonly loginTime: string;
  readonly brokerId: string;
  readonly userId: string;
  readonly frontId: number;
  readonly sessionId: number;
}

export function loginResponse(answer: LoginAnswer): Buffer {
  return new FrameBuilder(responseType.login, 183)
    .i32(answer.requestId)
    .i32(answer.error.id)
    .text(answer.error.text, 81)
    .text(answer.tradingDay, 9)
    .text(answer.loginTime, 9)
    .text(answer.brokerId, 11)
    .text(answer.userId, 16)
    .text('simulated exchange', 41)
    .i32(answer.frontId)
    .i32(answer.sessionId)
    .end();
}

export function logoutResponse(
  requestId: number,
  error: ErrorInfo,
  brokerId: string,
  userId: string,
): Buffer {
  return new FrameBuilder(responseType.logout, 116)
    .i32(requestId)
    .i32(error.id)
    .text(error.text, 81)
    .text(brokerId, 11)
    .text(userId, 16)
    .end();
}

/** The answer to one id of a subscribe or unsubscribe request. */
export function instrumentResponse(type: number, id: string, error: ErrorInfo, last: boolean): Buffer {
  const name = Buffer.from(id, 'latin1');
  return new FrameBuilder(type, 87 + name.length)
    .i32(error.id)
    .text(error.text, 81)
    .u8(last ? 1 : 0)
    .u8(name.length)
    .bytes(name)
    .end();
}

/** An order to the library, one of `orders`. */
export function orderFrame(what: number, first: number, second: number): Buffer {
  return new FrameBuilder(responseType.order, 9).u8(what).i32(first).i32(second).end();
}

/** Longest instrument id of a tick. */
export const longestIdBytes = 80;

/** Writes a tick's frame header over the first bytes of `frame`. */
export function tickFrameHeader(frame: Buffer, bodyBytes: number): void {
  frame[0] = magic0;
  frame[1] = magic1;
  frame[2] = version;
  frame[3] = responseType.tick;
  frame.writeUInt32LE(bodyBytes, 4);
}

export function heartbeat(): Buffer {
  return new FrameBuilder(responseType.heartbeat, 0).end();
}

function text(body: Buffer, from: number, width: number): string {
  const end = body.indexOf(0, from);
  return body.toString('latin1', from, end < 0 || end > from + width ? from + width : end);
}

function parseIds(body: Buffer): string[] {
  if (body.length < 4) throw new BadPacket('a list of ids without its count');
  const count = body.readUInt32LE(0);
  const ids: string[] = [];
  let at = 4;
  while (ids.length < count) {
    const end = at < body.length ? at + 1 + body[at]! : Infinity;
    if (end > body.length) throw new BadPacket('a list of ids that ends early');
    ids.push(body.toString('latin1', at + 1, end));
    at = end;
  }
  if (at !== body.length) throw new BadPacket('bytes after a list of ids');
  return ids;
}

function parseBody(type: number, body: Buffer): FrontRequest {
  const expect = (bytes: number): void => {
    if (body.length !== bytes) throw new BadPacket(`a body of ${body.length} bytes, expected ${bytes}`);
  };
  switch (type) {
    case requestType.login:
      expect(72);
      return {
        kind: 'login',
        requestId: body.readInt32LE(0),
        brokerId: text(body, 4, 11),
        userId: text(body, 15, 16),
        password: text(body, 31, 41),
      };
    case requestType.logout:
      expect(31);
      return {
        kind: 'logout',
        requestId: body.readInt32LE(0),
        brokerId: text(body, 4, 11),
        userId: text(body, 15, 16),
      };
    case requestType.subscribe:
      return { kind: 'subscribe', ids: parseIds(body) };
    case requestType.unsubscribe:
      return { kind: 'unsubscribe', ids: parseIds(body) };
    case requestType.subscribeForQuote:
      return { kind: 'subscribeForQuote', ids: parseIds(body) };
    case requestType.unsubscribeForQuote:
      return { kind: 'unsubscribeForQuote', ids: parseIds(body) };
    case requestType.heartbeat:
      expect(0);
      return { kind: 'heartbeat' };
    default:
      throw new BadPacket(`type ${type}`);
  }
}

/** Cuts a byte stream into requests. */
export class RequestParser {
  #rest: Buffer = Buffer.alloc(0);

  /** The requests that `chunk` completes. Throws BadPacket as soon as the stream cannot be the protocol. */
  push(chunk: Buffer): FrontRequest[] {
    let data = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const requests: FrontRequest[] = [];
    for (;;) {
      const header = [magic0, magic1, version];
      if (header.some((byte, i) => i < data.length && data[i] !== byte)) throw new BadPacket('no frame');
      if (data.length < headerBytes) break;
      const bodyBytes = data.readUInt32LE(4);
      if (bodyBytes > maxBodyBytes) throw new BadPacket(`a frame of ${bodyBytes} bytes`);
      const end = headerBytes + bodyBytes;
      if (data.length < end) break;
      requests.push(parseBody(data[3]!, data.subarray(headerBytes, end)));
      data = data.subarray(end);
    }
    this.#rest = data;
    return requests;
  }
}
