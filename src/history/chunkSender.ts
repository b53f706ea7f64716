import type { MessagePort } from 'node:worker_threads';
import type { HistoryErrorCode } from './historySource.js';

/** Message of a query's thread to the main thread. */
export type HistoryMessage =
  | {
      readonly type: 'chunk';
      readonly memory: ArrayBuffer;
      readonly length: number;
      /** Ticks that were written until its end. */
      readonly ticks: number;
      readonly isLast: boolean;
      /** With the first chunk. */
      readonly head?: HistoryHead;
    }
  | { readonly type: 'failed'; readonly code: HistoryFailure; readonly message: string };

/** Why a query has no answer, or one that breaks off. */
export type HistoryFailure = HistoryErrorCode | 'internal_error';

/** Facts that are known before the first tick. */
export interface HistoryHead {
  readonly source: string;
  readonly completeFromMs: number | null;
}

/** Bytes of a chunk; writing one to a socket holds the main thread up by some 20 µs. */
export const chunkBytes = 128 * 1024;
/** Chunks that one query has, wherever they are. */
export const chunksPerQuery = 4;

/** The main thread has closed the port: nobody waits for the answer any more. */
export class Cancelled extends Error {}

/**
 * The writing end of a query's answer. Its chunks are a fixed number of buffers that go to the main thread and come back
 * when they are written to the socket: a slow client stops the query, and no more memory than this is ever in use.
 */
export class ChunkSender {
  readonly #port: MessagePort;
  readonly #free: ArrayBuffer[] = [];
  #made = 0;
  #memory: ArrayBuffer;
  #bytes: Uint8Array;
  #length = 0;
  #head: HistoryHead | undefined;
  #cancelled = false;
  #wake: () => void = () => undefined;

  constructor(port: MessagePort) {
    this.#port = port;
    this.#memory = this.#make();
    this.#bytes = new Uint8Array(this.#memory);
    port.on('message', (memory: ArrayBuffer) => {
      this.#free.push(memory);
      this.#wake();
    });
    port.on('close', () => {
      this.#cancelled = true;
      this.#wake();
    });
  }

  get cancelled(): boolean {
    return this.#cancelled;
  }

  /** To be sent with the first chunk. */
  begin(head: HistoryHead): void {
    this.#head = head;
  }

  /** Whether so many bytes can be written without waiting. */
  hasRoom(bytes: number): boolean {
    return chunkBytes - this.#length >= bytes;
  }

  /** Lets `put` write into the chunk; it gives the end of what it has written. */
  write(put: (into: Uint8Array, at: number) => number): void {
    this.#length = put(this.#bytes, this.#length);
  }

  /** Sends the chunk and waits for another. @throws Cancelled */
  async flush(ticks: number): Promise<void> {
    this.#send(ticks, false);
    while (!this.#cancelled && this.#free.length === 0 && this.#made === chunksPerQuery)
      await new Promise<void>((resolve) => (this.#wake = resolve));
    if (this.#cancelled) throw new Cancelled();
    this.#memory = this.#free.pop() ?? this.#make();
    this.#bytes = new Uint8Array(this.#memory);
    this.#length = 0;
  }

  /** Sends what is left; nothing can be written after it. */
  end(ticks: number): void {
    this.#send(ticks, true);
  }

  #make(): ArrayBuffer {
    this.#made++;
    return new ArrayBuffer(chunkBytes);
  }

  #send(ticks: number, isLast: boolean): void {
    const message: HistoryMessage = {
      type: 'chunk',
      memory: this.#memory,
      length: this.#length,
      ticks,
      isLast,
      ...(this.#head === undefined ? {} : { head: this.#head }),
    };
    this.#head = undefined;
    this.#port.postMessage(message, [this.#memory]);
  }
}
