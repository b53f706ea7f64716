import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { RequestParser } from '../../src/simulator/wire.js';

const magic = [0x51, 0x53, 1];
const responseTypes = { login: 65, instrument: 67, tick: 72, error: 73 } as const;
const resultBytes = 81;

/** "CTP:不合法的登录" in GB18030. */
export const refusalText = Buffer.from('4354503ab2bbbacfb7a8b5c4b5c7c2bc', 'hex');

/** Doubles of a scripted tick in the order of the wire, each with a value of its own. */
export const scriptedDoubles = [
  ...['LastPrice', 'PreSettlementPrice', 'PreClosePrice', 'PreOpenInterest', 'OpenPrice', 'HighestPrice'],
  ...['LowestPrice', 'Turnover', 'OpenInterest', 'ClosePrice', 'SettlementPrice', 'UpperLimitPrice'],
  ...['LowerLimitPrice', 'PreDelta', 'CurrDelta', 'AveragePrice', 'BandingUpperPrice', 'BandingLowerPrice'],
  ...[1, 2, 3, 4, 5].map((level) => `BidPrice${level}`),
  ...[1, 2, 3, 4, 5].map((level) => `AskPrice${level}`),
];
export const scriptedInts = [
  'Volume',
  'UpdateMillisec',
  ...[1, 2, 3, 4, 5].map((level) => `BidVolume${level}`),
  ...[1, 2, 3, 4, 5].map((level) => `AskVolume${level}`),
];
export const scriptedTexts = {
  TradingDay: '20270104',
  ActionDay: '20261231',
  UpdateTime: '21:00:01',
  ExchangeID: 'SHFE-XYZ',
};
export const scriptedDouble = (index: number): number => 1000.125 + index;
export const scriptedInt = (index: number): number => 100 + index;

const text = (value: string | Buffer, width: number): Buffer => {
  const field = Buffer.alloc(width);
  Buffer.from(value).copy(field, 0, 0, width - 1);
  return field;
};
const i32 = (value: number): Buffer => {
  const field = Buffer.alloc(4);
  field.writeInt32LE(value);
  return field;
};

function frame(type: number, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const header = Buffer.from([...magic, type, 0, 0, 0, 0]);
  header.writeUInt32LE(body.length, 4);
  return Buffer.concat([header, body]);
}

function scriptedTick(id: string): Buffer {
  const doubles = Buffer.alloc(8 * scriptedDoubles.length);
  scriptedDoubles.forEach((_, i) => doubles.writeDoubleLE(scriptedDouble(i), 8 * i));
  const ints = scriptedInts.map((_, i) => i32(scriptedInt(i)));
  const texts = Object.values(scriptedTexts).map((value) => text(value, 9));
  const end = Buffer.from([id.length, 0, 0, 0]);
  return frame(responseTypes.tick, doubles, ...ints, ...texts, end, Buffer.from(id));
}

/** A front whose every answer is known in advance: distinct values in every field that it can send. */
export class ScriptedFront {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  constructor() {
    this.#server = createServer((socket) => {
      this.#sockets.add(socket);
      const parser = new RequestParser();
      socket.on('data', (chunk) => {
        for (const request of parser.push(chunk)) {
          if (request.kind === 'login') {
            const userId = text(request.userId, 16);
            socket.write(
              Buffer.concat([
                frame(
                  responseTypes.login,
                  ...[i32(request.requestId), i32(3), text(refusalText, resultBytes)],
                  ...[text('20270104', 9), text('20:59:58', 9), text(request.brokerId, 11), userId],
                  ...[text('scripted', 41), i32(77), i32(88)],
                ),
                frame(responseTypes.error, i32(request.requestId), i32(6000), text(refusalText, resultBytes)),
              ]),
            );
          } else if (request.kind === 'subscribe') {
            for (const id of request.ids) socket.write(scriptedTick(id));
          }
        }
      });
      // The client goes when its test ends.
      socket.on('error', () => socket.destroy());
    });
  }

  async address(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `tcp://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }
}
