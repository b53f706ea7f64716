import WebSocket from 'ws';

const deadlineMs = 10_000;

/** A market_data frame as the gateway sends it, for baselines that are to send the same bytes. */
export function sampleFrame(port: number, instrument: string): Promise<string> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/?protocol=action`);
  return new Promise<string>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no frame of ${instrument} came`)), deadlineMs);
    socket.on('open', () => socket.send(JSON.stringify({ action: 'subscribe', instruments: [instrument] })));
    socket.on('error', reject);
    socket.on('message', (data: Buffer) => {
      const text = data.toString('utf8');
      if (text.startsWith('{"action":"market_data"')) resolve(text);
    });
    socket.on('close', () => clearTimeout(timer));
  }).finally(() => socket.terminate());
}
