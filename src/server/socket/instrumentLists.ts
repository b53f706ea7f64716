import type { InstrumentFilter } from '../../market/instruments/instrumentSearch.js';
import { instrumentListFrame } from './frames.js';
import type { ServedDirectory } from '../shared/servedMarket.js';

/** Bytes of the answers that are kept. */
const keptBytes = 4_194_304;
/** Answers that are kept. */
const keptAnswers = 256;

/** Answers to list_instruments, each made once for all clients until the list changes. */
export class InstrumentLists {
  readonly #directory: ServedDirectory;
  readonly #frames = new Map<string, Buffer>();
  #listed: unknown;
  #bytes = 0;

  constructor(directory: ServedDirectory) {
    this.#directory = directory;
  }

  /** The frame that answers a filter. */
  frame(filter: InstrumentFilter): Buffer {
    const listed = this.#directory.listed();
    if (listed !== this.#listed) this.#forget(listed);
    const { search, exchange, product, kind, limit } = filter;
    const key = JSON.stringify([search, exchange, product, kind, limit]);
    const known = this.#frames.get(key);
    if (known !== undefined) return known;
    const { instruments, total } = this.#directory.search(filter);
    const frame = Buffer.from(instrumentListFrame(instruments, limit === undefined ? undefined : total));
    if (this.#bytes + frame.length > keptBytes || this.#frames.size >= keptAnswers) this.#forget(listed);
    if (frame.length <= keptBytes) {
      this.#frames.set(key, frame);
      this.#bytes += frame.length;
    }
    return frame;
  }

  #forget(listed: unknown): void {
    this.#listed = listed;
    this.#frames.clear();
    this.#bytes = 0;
  }
}
