import { once } from 'node:events';
import WebSocket from 'ws';
import { actionFieldNames } from '../../src/server/socket/quoteEncoder.js';

export type Quote = Record<string, unknown>;

/** Keeps the text of every market_data frame, by instrument: of each tick there is one. */
export class PushRecorder {
  readonly frames = new Map<string, string[]>();
  readonly #socket: WebSocket;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    // A gateway that is killed may reset the connection.
    socket.on('error', () => undefined);
    socket.on('message', (data: Buffer) => {
      const text = data.toString('utf8');
      const key = /^\{"action":"market_data","instrument_id":"([^"]+)"/.exec(text)?.[1];
      if (key === undefined) return;
      const frames = this.frames.get(key);
      if (frames === undefined) this.frames.set(key, [text]);
      else frames.push(text);
    });
  }

  /** @param request the members of the subscribe beside its action */
  static async start(url: string, request: object): Promise<PushRecorder> {
    const socket = new WebSocket(`${url}?protocol=action`);
    const recorder = new PushRecorder(socket);
    await once(socket, 'open');
    socket.send(JSON.stringify({ action: 'subscribe', ...request }));
    return recorder;
  }

  /** One that is sent all fields, and of each tick what it changed. */
  static ofChanges(url: string, instruments: readonly string[]): Promise<PushRecorder> {
    return PushRecorder.start(url, { instruments, diff: true, fields: actionFieldNames });
  }

  /** The frames from the first one on whose quote is of a time (ms since the epoch) or later. */
  since(key: string, time: number): string[] {
    const frames = this.frames.get(key) ?? [];
    const first = frames.findIndex((text) => Number(/"timestamp":(\d+)/.exec(text)?.[1] ?? 0) >= time);
    return first < 0 ? [] : frames.slice(first);
  }

  /** What a client that is sent changes holds after each frame. */
  states(key: string): string[] {
    let held: Quote = {};
    return (this.frames.get(key) ?? []).map((text) => {
      held = { ...held, ...(JSON.parse(text) as { data: Quote }).data };
      return stateOf(held);
    });
  }

  stop(): void {
    this.#socket.terminate();
  }
}

/** As the action side writes it. */
const shortDateTime = '2026-12-01 09:00:00.500'.length;

/**
 * The members of a quote that both protocols have, as text; absent ones as the aid side marks them, and the datetime with the
 * three decimals that both have.
 */
export function stateOf(quote: Quote): string {
  return JSON.stringify(
    actionFieldNames.flatMap((name) => {
      if (name === 'instrument_id') return [];
      const value = quote[name] ?? '-';
      return [[name, name === 'datetime' ? (value as string).slice(0, shortDateTime) : value]];
    }),
  );
}
