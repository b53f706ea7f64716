import { connect, type Socket } from 'node:net';

const handshake =
  'GET /?protocol=action HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
  'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';

export interface RawClientOptions {
  readonly port: number;
  /** Address of this machine that the connection comes from. */
  readonly from: string;
  /** False: reads nothing after the handshake. */
  readonly reads: boolean;
  /** Called when the server has taken the client in. */
  readonly onOpen: (client: RawClient) => void;
  /** Called when the connection has ended, however it did. */
  readonly onClosed: () => void;
}

/** A WebSocket client that sends prepared bytes as fast as the server takes them. It has no answers to give and wants none. */
export class RawClient {
  readonly socket: Socket;
  isOpen = false;

  constructor({ port, from, reads, onOpen, onClosed }: RawClientOptions) {
    this.socket = connect({ host: '127.0.0.1', port, localAddress: from });
    this.socket.on('error', () => undefined);
    this.socket.once('close', () => {
      this.isOpen = false;
      onClosed();
    });
    this.socket.once('data', (data: Buffer) => {
      if (!data.toString('latin1').startsWith('HTTP/1.1 101')) {
        this.socket.destroy();
        return;
      }
      this.isOpen = true;
      if (reads) this.socket.resume();
      else this.socket.pause();
      onOpen(this);
    });
    this.socket.write(handshake);
  }

  /** Sends bytes over and over, with a pause in ms in between, as long as the connection lasts. */
  repeat(bytes: Buffer, pauseMs: number): void {
    const send = (): void => {
      if (!this.isOpen) return;
      const flushed = this.socket.write(bytes);
      if (pauseMs > 0) setTimeout(send, pauseMs);
      else if (flushed) setImmediate(send);
      else this.socket.once('drain', send);
    };
    send();
  }
}

/** A text frame as clients send it; the mask is zero, so the payload stays as it is. */
export function textFrame(text: string): Buffer {
  const payload = Buffer.from(text);
  return Buffer.concat([frameHead(payload.length), payload]);
}

/** The head of a masked text frame. */
export function frameHead(length: number): Buffer {
  if (length < 126) return Buffer.from([0x81, 0x80 | length, 0, 0, 0, 0]);
  if (length < 65_536) return Buffer.from([0x81, 0xfe, length >> 8, length & 255, 0, 0, 0, 0]);
  const head = Buffer.alloc(14);
  head.writeUInt16BE(0x81ff);
  head.writeBigUInt64BE(BigInt(length), 2);
  return head;
}
