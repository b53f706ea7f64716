import { Socket } from 'node:net';
import { divertOutput } from '../ring/native.js';

/** Longest line; a longer one is cut. */
const maxLineBytes = 2048;
const lineFeed = 0x0a;
const controls = /\p{Cc}+/gu;

/**
 * Vendor libraries print to standard output as they like, which is where the log goes. After divert() the log has
 * that stream for itself, under another descriptor, and what anything else in the process prints is read here line by
 * line. Standard error stays as it is: a process that dies says why there.
 */
export class StandardOutput {
  /** Descriptor of the stream that standard output was. */
  readonly fd: number;
  readonly #printed: Socket;
  #pending = Buffer.alloc(0);

  private constructor(fd: number, printed: Socket) {
    this.fd = fd;
    this.#printed = printed;
  }

  /**
   * To be called once, before any vendor library is loaded. Who prints never waits for this reader.
   *
   * @throws when the process has no descriptors left
   */
  static divert(): StandardOutput {
    const { original, printed } = divertOutput();
    return new StandardOutput(original, new Socket({ fd: printed, readable: true, writable: false }).unref());
  }

  /** Passes on what is printed from now on, one call per line. */
  onLine(print: (line: string) => void): void {
    this.#printed.on('data', (chunk: Buffer) => {
      this.#pending = Buffer.concat([this.#pending, chunk]);
      for (let end = this.#lineEnd(); end >= 0; end = this.#lineEnd()) {
        const line = decode(this.#pending.subarray(0, end)).replaceAll(controls, ' ').trim();
        this.#pending = this.#pending.subarray(this.#pending[end] === lineFeed ? end + 1 : end);
        if (line !== '') print(line);
      }
    });
  }

  #lineEnd(): number {
    const end = this.#pending.indexOf(lineFeed);
    if (end > maxLineBytes || (end < 0 && this.#pending.length > maxLineBytes)) return maxLineBytes;
    return end;
  }
}

/** Printed text is UTF-8 or the vendor's GB18030. */
function decode(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder('gb18030').decode(bytes);
  }
}
