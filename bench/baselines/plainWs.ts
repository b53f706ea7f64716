import { WebSocketServer, type WebSocket } from 'ws';
import { parsePush } from './frameTemplate.js';
import type { Baseline, BaselineInput } from './server.js';
import { listenWith } from './wsListen.js';

/** A gateway as most people would write it: `ws`, an object per tick, JSON.stringify, and a send per subscriber. */
export function plainWs({ instruments, sample, numberOf }: BaselineInput): Baseline {
  const push = parsePush(sample);
  const subscribers = instruments.map(() => new Set<WebSocket>());
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  server.on('connection', (socket) => {
    socket.on('message', (message: Buffer) => {
      const { instruments: wanted } = JSON.parse(message.toString()) as { instruments: string[] };
      for (const id of wanted) subscribers[numberOf(id)]!.add(socket);
      socket.send('{"action":"subscribe","status":"ok"}');
    });
    socket.on('close', () => {
      for (const each of subscribers) each.delete(socket);
    });
  });
  return {
    listen: () => listenWith(server),
    onTick: (instrument, sequence, intendedUs) => {
      const id = instruments[instrument]!;
      const data = { ...push.data, instrument_id: id, volume: sequence, open_interest: intendedUs };
      const text = JSON.stringify({ ...push, instrument_id: id, data });
      for (const socket of subscribers[instrument]!) socket.send(text);
    },
    onTurnEnd: () => undefined,
  };
}
