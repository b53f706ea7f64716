import type { Socket } from 'node:net';
import { WebSocketServer } from 'ws';
import { parsePush } from './frameTemplate.js';
import type { Baseline, BaselineInput } from './server.js';
import { listenWith } from './wsListen.js';

const finalText = 0x81;
const twoByteLength = 126;
const headBytes = 4;
const longestPayload = 65_535;

/** A whole text frame of the WebSocket protocol, for a payload of 126 to 65,535 bytes. */
function framed(text: string): Buffer {
  const length = Buffer.byteLength(text);
  if (length < twoByteLength || length > longestPayload)
    throw new RangeError(`a payload of ${length} bytes is not framed here`);
  const frame = Buffer.allocUnsafe(headBytes + length);
  frame[0] = finalText;
  frame[1] = twoByteLength;
  frame.writeUInt16BE(length, 2);
  frame.write(text, headBytes);
  return frame;
}

/** `ws` at its best: each tick is encoded and framed once, and a socket is written to once per turn. */
export function tunedWs({ instruments, sample, numberOf }: BaselineInput): Baseline {
  const push = parsePush(sample);
  const subscribers = instruments.map(() => new Set<Socket>());
  const corked = new Set<Socket>();
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  server.on('connection', (client, { socket }) => {
    client.on('message', (message: Buffer) => {
      const { instruments: wanted } = JSON.parse(message.toString()) as { instruments: string[] };
      for (const id of wanted) subscribers[numberOf(id)]!.add(socket);
      client.send('{"action":"subscribe","status":"ok"}');
    });
    client.on('close', () => {
      for (const each of subscribers) each.delete(socket);
      corked.delete(socket);
    });
  });
  return {
    listen: () => listenWith(server),
    onTick: (instrument, sequence, intendedUs) => {
      const id = instruments[instrument]!;
      const data = { ...push.data, instrument_id: id, volume: sequence, open_interest: intendedUs };
      const frame = framed(JSON.stringify({ ...push, instrument_id: id, data }));
      for (const socket of subscribers[instrument]!) {
        if (!corked.has(socket)) {
          corked.add(socket);
          socket.cork();
        }
        socket.write(frame);
      }
    },
    onTurnEnd: () => {
      for (const socket of corked) socket.uncork();
      corked.clear();
    },
  };
}
