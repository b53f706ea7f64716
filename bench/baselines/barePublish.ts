import { loadUws } from '../../src/server/uws/uws.js';
import { FrameTemplate } from './frameTemplate.js';
import type { Baseline, BaselineInput } from './server.js';

const maxPayloadBytes = 1024 * 1024;
const maxBackpressureBytes = 1024 ** 3;

/** uWebSockets.js with nothing around it: one publish per tick of bytes that are already there. */
export function barePublish({ instruments, sample, numberOf }: BaselineInput): Baseline {
  const uws = loadUws();
  const templates = instruments.map((id) => new FrameTemplate(sample, id));
  const topics = instruments.map((id) => Buffer.from(id));
  const app = uws.App();
  app.ws<object>('/', {
    maxPayloadLength: maxPayloadBytes,
    idleTimeout: 0,
    sendPingsAutomatically: false,
    maxBackpressure: maxBackpressureBytes,
    compression: uws.DISABLED,
    upgrade: (res, req, context) =>
      res.upgrade(
        {},
        req.getHeader('sec-websocket-key'),
        req.getHeader('sec-websocket-protocol'),
        req.getHeader('sec-websocket-extensions'),
        context,
      ),
    open: () => undefined,
    message: (ws, message) => {
      const { instruments: wanted } = JSON.parse(Buffer.from(message).toString()) as {
        instruments: string[];
      };
      for (const id of wanted) ws.subscribe(topics[numberOf(id)]!);
      ws.send('{"action":"subscribe","status":"ok"}');
    },
    drain: () => undefined,
    close: () => undefined,
  });
  return {
    listen: () => {
      let port = 0;
      app.listen('127.0.0.1', 0, uws.LIBUS_LISTEN_EXCLUSIVE_PORT, (socket) => {
        port = uws.us_socket_local_port(socket);
      });
      return Promise.resolve(port);
    },
    onTick: (instrument, sequence, intendedUs) => {
      const template = templates[instrument]!;
      template.stamp(sequence, intendedUs);
      app.publish(topics[instrument]!, template.bytes, false, false);
    },
    onTurnEnd: () => undefined,
  };
}
