import { grown } from '../../base/growable.js';

const firstClients = 64;
const firstFrames = 256;
const firstEntries = 1024;
/** Frames that follow each other share a page; it is used again when the last of them is gone. */
const pageBytes = 65_536;
/** Free pages that are kept. */
const keptPages = 64;
const none = -1;

/** Memory that frames are written into. */
interface Page {
  readonly bytes: Buffer;
  /** Frames in it that are still to be delivered. */
  live: number;
}

/**
 * Frames on their way to clients: one frame, many queues. The queues are lists in flat arrays, so that to queue a frame
 * for a client touches neither the client's objects nor the heap.
 *
 *   client   #first ──► entry ──► entry ──► entry ◄── #last
 *   entry    #next, and #frameOf ──► frame
 *   frame    its bytes in a page, and how many queues it is #left in
 *
 * Clients, entries and frames have numbers, which are used again.
 */
export class Deliveries {
  #first = new Int32Array(firstClients).fill(none);
  #last = new Int32Array(firstClients).fill(none);
  readonly #freeClients: number[] = [];
  #clients = 0;

  #next = new Int32Array(firstEntries);
  #frameOf = new Int32Array(firstEntries);
  /** Free entries are a list, too. */
  #freeEntry = none;
  #entries = 0;

  readonly #frames: (Uint8Array | undefined)[] = [];
  readonly #pageOf: (Page | undefined)[] = [];
  #left = new Int32Array(firstFrames);
  readonly #freeFrames: number[] = [];

  #page = newPage();
  #used = 0;
  readonly #freePages: Page[] = [];
  #length = 0;

  /** Entries of all queues. */
  get length(): number {
    return this.#length;
  }

  /** Makes room for a frame of at most so many bytes, to be written into `memory` from `position` on. */
  reserve(bytes: number): void {
    if (this.#used + bytes <= pageBytes) return;
    if (this.#page.live > 0) this.#page = this.#freePages.pop() ?? newPage();
    this.#used = 0;
  }

  get memory(): Uint8Array {
    return this.#page.bytes;
  }

  get position(): number {
    return this.#used;
  }

  /** Takes the frame from `position` to `end`, which is to be queued for exactly so many clients; its number. */
  addFrame(end: number, clients: number): number {
    const frame = this.#freeFrames.pop() ?? this.#frames.length;
    if (frame >= this.#left.length) this.#left = grown(this.#left, this.#left.length + 1, 0);
    const page = this.#page;
    page.live++;
    this.#frames[frame] = page.bytes.subarray(this.#used, end);
    this.#pageOf[frame] = page;
    this.#left[frame] = clients;
    this.#used = end;
    return frame;
  }

  addClient(): number {
    const client = this.#freeClients.pop() ?? this.#clients++;
    if (client >= this.#first.length) {
      this.#first = grown(this.#first, this.#first.length + 1, none);
      this.#last = grown(this.#last, this.#last.length + 1, none);
    }
    return client;
  }

  /** Drops what is queued for the client; its number goes to another. */
  removeClient(client: number): void {
    while (this.take(client) !== undefined);
    this.#freeClients.push(client);
  }

  isEmpty(client: number): boolean {
    return this.#first[client] === none;
  }

  /** Queues a frame for a client. */
  queue(frame: number, client: number): void {
    let entry = this.#freeEntry;
    if (entry === none) {
      entry = this.#entries++;
      if (entry === this.#next.length) {
        this.#next = grown(this.#next, this.#next.length + 1, none);
        this.#frameOf = grown(this.#frameOf, this.#frameOf.length + 1, none);
      }
    } else {
      this.#freeEntry = this.#next[entry]!;
    }
    this.#frameOf[entry] = frame;
    this.#next[entry] = none;
    const last = this.#last[client]!;
    if (this.#first[client] === none) this.#first[client] = entry;
    else this.#next[last] = entry;
    this.#last[client] = entry;
    this.#length++;
  }

  /** Takes the client's oldest frame, whose bytes stay until the next `reserve`; undefined when there is none. */
  take(client: number): Uint8Array | undefined {
    const entry = this.#first[client]!;
    if (entry === none) return undefined;
    this.#first[client] = this.#next[entry]!;
    this.#next[entry] = this.#freeEntry;
    this.#freeEntry = entry;
    this.#length--;
    const frame = this.#frameOf[entry]!;
    const bytes = this.#frames[frame]!;
    const left = this.#left[frame]! - 1;
    this.#left[frame] = left;
    if (left === 0) this.#release(frame);
    return bytes;
  }

  #release(frame: number): void {
    const page = this.#pageOf[frame]!;
    this.#frames[frame] = undefined;
    this.#pageOf[frame] = undefined;
    this.#freeFrames.push(frame);
    if (--page.live === 0 && page !== this.#page && this.#freePages.length < keptPages)
      this.#freePages.push(page);
  }
}

function newPage(): Page {
  return { bytes: Buffer.allocUnsafeSlow(pageBytes), live: 0 };
}
