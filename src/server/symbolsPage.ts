import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

const gzipAsync = promisify(gzip);

/** A body in both codings. */
export interface SymbolsPage {
  readonly plain: Buffer;
  readonly gzipped: Buffer;
  /** Weak, since it stands for both codings. */
  readonly etag: string;
}

/** The instrument file as it is served: compressed once, off the thread, each time that it changes. */
export class SymbolsPages {
  readonly #file: () => Buffer;
  #source: Buffer | undefined;
  #page: Promise<SymbolsPage> | undefined;

  constructor(file: () => Buffer) {
    this.#file = file;
  }

  current(): Promise<SymbolsPage> {
    const plain = this.#file();
    if (this.#page === undefined || this.#source !== plain) {
      this.#source = plain;
      this.#page = makePage(plain);
    }
    return this.#page;
  }
}

async function makePage(plain: Buffer): Promise<SymbolsPage> {
  const gzipped = await gzipAsync(plain);
  const digest = createHash('sha256').update(gzipped).digest('base64url').slice(0, 22);
  return { plain, gzipped, etag: `W/"${digest}"` };
}
