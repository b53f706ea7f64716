import { once } from 'node:events';
import WebSocket from 'ws';

const deadlineMs = 10_000;

/** A market_data frame as the gateway sends it, for baselines that are to send the same bytes. */
export async function sampleFrame(port: number, instrument: string): Promise<string> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/?protocol=action`);
  const signal = AbortSignal.timeout(deadlineMs);
  try {
    await once(socket, 'open', { signal });
    socket.send(JSON.stringify({ action: 'subscribe', instruments: [instrument] }));
    for (;;) {
      const [data] = (await once(socket, 'message', { signal })) as [Buffer];
      const text = data.toString('utf8');
      if (text.startsWith('{"action":"market_data"')) return text;
    }
  } finally {
    socket.terminate();
  }
}
