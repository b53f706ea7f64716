import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import type { ContentCoding } from './contentCoding.js';
import type { ServedFile } from '../shared/servedMarket.js';

const gzipAsync = promisify(gzip);
const brotliAsync = promisify(brotliCompress);

/** As fast as gzip at its default, and the file is a third smaller, with tens of thousands of options less than half. */
const brotliQuality = 5;

/** A body in every coding. */
export interface SymbolsPage {
  readonly bodies: Readonly<Record<ContentCoding, Buffer>>;
  /** Weak, since it stands for all codings. */
  readonly etag: string;
}

/**
 * The instrument file as it is served: made and compressed once for each object that it comes from, the making with pauses
 * in which ticks continue, the compressing off the thread.
 */
export class SymbolsPages {
  readonly #file: () => ServedFile;
  #source: ServedFile | undefined;
  #page: Promise<SymbolsPage> | undefined;

  constructor(file: () => ServedFile) {
    this.#file = file;
  }

  current(): Promise<SymbolsPage> {
    const source = this.#file();
    if (this.#page === undefined || this.#source !== source) {
      const page = makePage(source);
      this.#source = source;
      this.#page = page;
      page.catch(() => {
        if (this.#page === page) this.#page = undefined;
      });
    }
    return this.#page;
  }
}

async function makePage(source: ServedFile): Promise<SymbolsPage> {
  const parts: Buffer[] = [];
  for (const part of source.parts()) {
    parts.push(part);
    await setImmediate();
  }
  const identity = Buffer.concat(parts);
  const [br, gzipped] = await Promise.all([
    brotliAsync(identity, {
      params: {
        [constants.BROTLI_PARAM_QUALITY]: brotliQuality,
        [constants.BROTLI_PARAM_SIZE_HINT]: identity.length,
      },
    }),
    gzipAsync(identity),
  ]);
  const digest = createHash('sha256').update(gzipped).digest('base64url').slice(0, 22);
  return { bodies: { br, gzip: gzipped, identity }, etag: `W/"${digest}"` };
}
