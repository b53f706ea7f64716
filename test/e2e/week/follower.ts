import { once } from 'node:events';
import WebSocket from 'ws';
import { until } from '../../helpers/until.js';
import type { SeenTick } from './checker.js';

interface Frame {
  readonly action: string;
  /** With its exchange, where it was subscribed so. */
  readonly instrument_id?: string;
  readonly instruments?: readonly string[];
  /** What has joined and left each pattern. */
  readonly patterns?: Readonly<Record<string, { readonly added: readonly string[] }>>;
  readonly data?: {
    readonly timestamp: number;
    readonly datetime: string;
    readonly trading_day: string;
    readonly volume: number;
  };
}

/** A client that hands every tick on and keeps all other frames. */
export class Follower {
  readonly answers: Frame[] = [];
  readonly #socket: WebSocket;

  private constructor(socket: WebSocket, take: (tick: SeenTick) => void) {
    this.#socket = socket;
    socket.on('message', (text: Buffer) => {
      const frame = JSON.parse(text.toString('utf8')) as Frame;
      const { data, instrument_id: key } = frame;
      if (data === undefined || key === undefined) {
        this.answers.push(frame);
        return;
      }
      take({
        instrument: key.slice(key.indexOf('.') + 1),
        timestamp: data.timestamp,
        datetime: data.datetime,
        tradingDay: data.trading_day,
        volume: data.volume,
      });
    });
  }

  static async connect(url: string, take: (tick: SeenTick) => void): Promise<Follower> {
    const socket = new WebSocket(`${url}?protocol=action`);
    const follower = new Follower(socket, take);
    await once(socket, 'open');
    return follower;
  }

  /** Subscribes to names and patterns, with the fields that are looked at. */
  subscribe(instruments: readonly string[]): void {
    const fields = ['timestamp', 'datetime', 'trading_day', 'volume'];
    this.#socket.send(JSON.stringify({ action: 'subscribe', instruments, fields }));
  }

  listInstruments(): void {
    this.#socket.send(JSON.stringify({ action: 'list_instruments' }));
  }

  /** Waits until all has come that the gateway has sent by now. */
  async catchUp(): Promise<void> {
    this.#socket.send(JSON.stringify({ action: 'ping' }));
    await until('the client to have read everything', () => this.take('pong'));
  }

  /** The first answer of an action that has not been taken yet. */
  take(action: string): Frame | undefined {
    const index = this.answers.findIndex((frame) => frame.action === action);
    return index < 0 ? undefined : this.answers.splice(index, 1)[0];
  }

  async close(): Promise<void> {
    const closed = once(this.#socket, 'close');
    this.#socket.close();
    await closed;
  }
}
