import { requestType } from '../../src/simulator/wire.js';

/** A packet as the simulated library sends it to a front; `length` is what its header says of the body. */
export function request(type: number, body: Buffer, length = body.length): Buffer {
  const header = Buffer.from([0x51, 0x53, 1, type, 0, 0, 0, 0]);
  header.writeUInt32LE(length, 4);
  return Buffer.concat([header, body]);
}

/** @param type subscribe, or another request that names instruments */
export function subscribeRequest(wanted: readonly string[], type: number = requestType.subscribe): Buffer {
  const count = Buffer.alloc(4);
  count.writeUInt32LE(wanted.length);
  const names = wanted.flatMap((id) => [Buffer.from([id.length]), Buffer.from(id)]);
  return request(type, Buffer.concat([count, ...names]));
}

export const loginRequest = request(requestType.login, Buffer.alloc(72));
