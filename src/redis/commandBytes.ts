import { longestNumber, writeNumber } from '../tickText/numberBytes.js';

const firstBytes = 64 * 1024;
/** A length and its two line ends. */
const headBytes = 16;
const star = 42;
const dollar = 36;
const carriageReturn = 13;
const lineFeed = 10;

/** Text as the bytes of one argument. */
export function argumentBytes(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from('\r\n')]);
}

/**
 * Commands as they go over the wire (RESP): `*<arguments>`, then for each argument `$<bytes>` and the bytes themselves, all
 * with CR LF after them. Made in one piece of memory that is used again, since ticks make a hundred thousand arguments a
 * second.
 */
export class CommandBytes {
  /** Commands, and so answers to be expected. */
  count = 0;
  #bytes = Buffer.allocUnsafeSlow(firstBytes);
  #length = 0;
  readonly #scratch = new Uint8Array(2 * longestNumber + 64);

  /** All of it; to be used before the next change. */
  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Starts again; not before all of it has been sent. */
  clear(): void {
    this.count = 0;
    this.#length = 0;
  }

  /** A command with so many arguments, its name among them; they follow. */
  command(size: number): void {
    this.count++;
    this.#head(star, size);
  }

  /** Arguments as argumentBytes makes them. */
  ready(bytes: Uint8Array): void {
    this.#copy(bytes, 0, bytes.length);
  }

  /** An argument of a part of `bytes`. */
  slice(bytes: Uint8Array, from: number, to: number): void {
    this.#head(dollar, to - from);
    this.#copy(bytes, from, to);
    this.#lineEnd();
  }

  /** An argument that is a number; nothing for NaN. */
  number(value: number): void {
    this.slice(this.#scratch, 0, writeNumber(value, this.#scratch, 0));
  }

  /** An argument of two numbers with a character between them. */
  pair(first: number, separator: number, second: number): void {
    const scratch = this.#scratch;
    let at = writeNumber(first, scratch, 0);
    scratch[at++] = separator;
    at = writeNumber(second, scratch, at);
    this.slice(scratch, 0, at);
  }

  /** An argument of some bytes, at most 64, and a number after them. */
  numbered(prefix: Uint8Array, value: number): void {
    const scratch = this.#scratch;
    for (let i = 0; i < prefix.length; i++) scratch[i] = prefix[i]!;
    this.slice(scratch, 0, writeNumber(value, scratch, prefix.length));
  }

  #head(kind: number, size: number): void {
    this.#reserve(headBytes);
    this.#bytes[this.#length++] = kind;
    this.#length = writeNumber(size, this.#bytes, this.#length);
    this.#lineEnd();
  }

  #lineEnd(): void {
    this.#reserve(2);
    this.#bytes[this.#length++] = carriageReturn;
    this.#bytes[this.#length++] = lineFeed;
  }

  #copy(from: Uint8Array, begin: number, end: number): void {
    this.#reserve(end - begin);
    const into = this.#bytes;
    let at = this.#length;
    for (let i = begin; i < end; i++) into[at++] = from[i]!;
    this.#length = at;
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(2 * (this.#length + bytes));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}
