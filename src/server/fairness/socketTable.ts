import { readdirSync } from 'node:fs';
import koffi, { type KoffiFunc } from 'koffi';
import type { ReceivedBytes } from './unfinishedMessages.js';

// Of <netinet/tcp.h> and <sys/socket.h> on Linux.
const ipprotoTcp = 6;
const tcpInfo = 11;
const shutRdwr = 2;
const solSocket = 1;
const soReceiveBuffer = 8;
const soAcceptsConnections = 30;
/** Offset of tcpi_bytes_received in struct tcp_info, from Linux 4.1 on; the struct only ever grows at its end. */
const bytesReceivedAt = 128;
const infoBytes = 256;
/** Of struct sockaddr_in and sockaddr_in6: where family and port are, the port in the network's byte order. */
const familyAt = 0;
const portAt = 2;
const addressBytes = 28;
const ipv4Family = 2;
const ipv6Family = 10;

/** A client's connection as the kernel knows it. */
export interface ClientConnection extends ReceivedBytes {
  /** Address of the client as text; IPv6 in full, eight groups. */
  readonly address: string;
  /** Port of the client. */
  readonly peerPort: number;
}

type GetSocketOption = KoffiFunc<
  (descriptor: number, level: number, option: number, value: Buffer, length: number[]) => number
>;
type SetSocketOption = KoffiFunc<
  (descriptor: number, level: number, option: number, value: Int32Array, length: number) => number
>;
type GetSocketName = KoffiFunc<(descriptor: number, address: Buffer, length: number[]) => number>;
type GetPeerName = GetSocketName;
type Shutdown = KoffiFunc<(descriptor: number, how: number) => number>;

/** Asks the kernel of the connections of this process, bounds what they receive, and cuts them off. */
export class SocketTable {
  readonly #getsockopt: GetSocketOption;
  readonly #setsockopt: SetSocketOption;
  readonly #getsockname: GetSocketName;
  readonly #getpeername: GetPeerName;
  readonly #shutdown: Shutdown;
  readonly #info = Buffer.alloc(infoBytes);
  readonly #address = Buffer.alloc(addressBytes);

  constructor() {
    const libc = koffi.load('libc.so.6');
    this.#getsockopt = libc.func(
      'int getsockopt(int, int, int, _Out_ uint8_t *, _Inout_ uint32_t *)',
    ) as GetSocketOption;
    this.#setsockopt = libc.func('int setsockopt(int, int, int, const int *, uint32_t)') as SetSocketOption;
    this.#getsockname = libc.func(
      'int getsockname(int, _Out_ uint8_t *, _Inout_ uint32_t *)',
    ) as GetSocketName;
    this.#getpeername = libc.func('int getpeername(int, _Out_ uint8_t *, _Inout_ uint32_t *)') as GetPeerName;
    this.#shutdown = libc.func('int shutdown(int, int)') as Shutdown;
  }

  /** All descriptors of the process. Throws where none is left to look. */
  descriptors(): number[] {
    return readdirSync('/proc/self/fd').map(Number);
  }

  /** The client's connection to a port of this machine that a descriptor stands for; undefined for everything else. */
  connectionOf(descriptor: number, port: number): ClientConnection | undefined {
    if (this.#localPort(descriptor) !== port) return undefined;
    if (this.#getpeername(descriptor, this.#address, [addressBytes]) !== 0) return undefined;
    const address = addressText(this.#address);
    if (address === undefined) return undefined;
    const peerPort = this.#address.readUInt16BE(portAt);
    return { descriptor, address, peerPort, received: this.#received(descriptor) };
  }

  /** The connections to a port of this machine that have received more than so many bytes. */
  connectionsTo(port: number, moreThan: number): ReceivedBytes[] {
    const found: ReceivedBytes[] = [];
    for (const descriptor of this.descriptors()) {
      const received = this.#received(descriptor);
      if (received > moreThan && this.#localPort(descriptor) === port) found.push({ descriptor, received });
    }
    return found;
  }

  /**
   * Bounds what the kernel keeps for connections that will come to a port before they are read, in bytes; it takes twice
   * as much for its own needs. Throws an Error when nobody listens there, or no descriptor is left to look.
   */
  boundReceiving(port: number, bytes: number): void {
    const descriptor = this.descriptors().find(
      (each) => this.#isListening(each) && this.#localPort(each) === port,
    );
    if (descriptor === undefined) throw new Error(`nobody listens on port ${port}`);
    const code = this.#setsockopt(descriptor, solSocket, soReceiveBuffer, Int32Array.of(bytes), 4);
    if (code !== 0) throw new Error(`the receive buffers of port ${port} cannot be bounded`);
  }

  /** Ends a connection in both directions; anyone who owns the descriptor learns of it as of any end. */
  cut(descriptor: number): void {
    this.#shutdown(descriptor, shutRdwr);
  }

  /** 0 for what is no TCP socket. */
  #received(descriptor: number): number {
    const length = [infoBytes];
    if (this.#getsockopt(descriptor, ipprotoTcp, tcpInfo, this.#info, length) !== 0) return 0;
    return length[0]! < bytesReceivedAt + 8 ? 0 : Number(this.#info.readBigUInt64LE(bytesReceivedAt));
  }

  #isListening(descriptor: number): boolean {
    const value = Buffer.alloc(4);
    const code = this.#getsockopt(descriptor, solSocket, soAcceptsConnections, value, [value.length]);
    return code === 0 && value.readInt32LE(0) === 1;
  }

  #localPort(descriptor: number): number | undefined {
    if (this.#getsockname(descriptor, this.#address, [addressBytes]) !== 0) return undefined;
    return this.#address.readUInt16BE(portAt);
  }
}

/** The address in a struct sockaddr_in or sockaddr_in6; undefined for other families. */
function addressText(address: Buffer): string | undefined {
  const family = address.readUInt16LE(familyAt);
  if (family === ipv4Family) return address.subarray(4, 8).join('.');
  if (family !== ipv6Family) return undefined;
  return Array.from({ length: 8 }, (_, group) => address.readUInt16BE(8 + 2 * group).toString(16)).join(':');
}
