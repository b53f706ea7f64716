/**
 * The part of uWebSockets.js that the server and the bench use, all of it in 20.30 as well as in 20.56. The types are written here
 * because the builds that may be loaded bring different declarations, and one of them none.
 */

/** Bytes are cheaper to hand over than strings. */
export type UwsText = string | Uint8Array;

/** Valid between open and close; every call after close throws. */
export interface UwsSocket<UserData> {
  /** 1 sent, 0 buffered, 2 dropped because more than maxBackpressure was buffered before. */
  send(message: UwsText, isBinary?: boolean, compress?: boolean): number;
  getBufferedAmount(): number;
  /** Sends a close frame, then closes. The close handler runs before it returns. */
  end(code?: number, reason?: string): void;
  /** Cuts the connection. The close handler runs before it returns. */
  close(): void;
  subscribe(topic: UwsText): boolean;
  cork(work: () => void): unknown;
  getUserData(): UserData;
}

/** Valid until it is ended or aborted. */
export interface UwsResponse {
  writeStatus(status: string): UwsResponse;
  writeHeader(key: string, value: string): UwsResponse;
  end(body?: UwsText, closeConnection?: boolean): UwsResponse;
  /** A piece of a body in chunked coding; `end` writes the last one. False when it has to wait for the reader. */
  write(chunk: UwsText): boolean;
  /** Cuts the connection. The abort handler runs before it returns. */
  close(): UwsResponse;
  endWithoutBody(): UwsResponse;
  /** [whether all was taken, whether the response is complete] */
  tryEnd(chunk: UwsText, totalBytes: number): [boolean, boolean];
  getWriteOffset(): number;
  onWritable(handler: (offset: number) => boolean): UwsResponse;
  onAborted(handler: () => void): UwsResponse;
  cork(work: () => void): unknown;
  getRemoteAddressAsText(): ArrayBuffer;
  upgrade(
    userData: unknown,
    webSocketKey: string,
    webSocketProtocol: string,
    webSocketExtensions: string,
    context: unknown,
  ): void;
}

/** Valid only while the handler that it is given to runs. */
export interface UwsRequest {
  /** The first header of the name; '' where there is none. */
  getHeader(lowerCaseName: string): string;
  /** Names in lower case. */
  forEach(visit: (name: string, value: string) => void): void;
  getUrl(): string;
  /** In lower case. */
  getMethod(): string;
  getQuery(): string;
}

export interface UwsBehavior<UserData> {
  maxPayloadLength: number;
  /** s; at most 960, or the process ends. */
  idleTimeout: number;
  sendPingsAutomatically: boolean;
  maxBackpressure: number;
  compression: number;
  upgrade: (res: UwsResponse, req: UwsRequest, context: unknown) => void;
  open: (ws: UwsSocket<UserData>) => void;
  message: (ws: UwsSocket<UserData>, message: ArrayBuffer, isBinary: boolean) => void;
  ping?: (ws: UwsSocket<UserData>, message: ArrayBuffer) => void;
  pong?: (ws: UwsSocket<UserData>, message: ArrayBuffer) => void;
  drain: (ws: UwsSocket<UserData>) => void;
  close: (ws: UwsSocket<UserData>, code: number, message: ArrayBuffer) => void;
}

export interface UwsApp {
  ws<UserData>(pattern: string, behavior: UwsBehavior<UserData>): UwsApp;
  any(pattern: string, handler: (res: UwsResponse, req: UwsRequest) => void): UwsApp;
  /** The callback runs before listen returns. */
  listen(host: string, port: number, options: number, done: (listenSocket: unknown) => void): UwsApp;
  publish(topic: UwsText, message: UwsText, isBinary?: boolean, compress?: boolean): boolean;
  /** Cuts every connection. */
  close(): UwsApp;
}

export interface Uws {
  App(): UwsApp;
  us_listen_socket_close(listenSocket: unknown): void;
  us_socket_local_port(listenSocket: unknown): number;
  readonly LIBUS_LISTEN_EXCLUSIVE_PORT: number;
  readonly DISABLED: number;
}
