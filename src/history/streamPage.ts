import { asciiBytes } from '../base/jsonBytes.js';
import type { AnswerReader } from '../redis/rawReplies.js';

const star = 0x2a;
const dollar = 0x24;
const minus = 0x2d;
const digit0 = 0x30;
const carriageReturn = 0x0d;
const lineEndBytes = 2;

const tickName = asciiBytes('tick');
/** The answer's next part is not there yet. */
const missing = -1;
const firstBytes = 64 * 1024;
/** Of what makes no sense, in an error. */
const quotedBytes = 20;

/**
 * The answer to an XRANGE, read where it lies: entries of an id and some names and values, of which the `tick` is looked
 * for. No object is made of any of it. The same page takes one answer after another.
 *
 *   *<entries>  { *2  $<bytes> id  *<names and values>  { $<bytes> text } }
 *
 * each with CR LF after its number or text (https://redis.io/docs/latest/develop/reference/protocol-spec/).
 */
export class StreamPage implements AnswerReader {
  /** Entries, once the answer has ended. */
  count = 0;
  /** Error with which Redis has refused the command. */
  refusal: Error | undefined;
  #bytes = Buffer.allocUnsafeSlow(firstBytes);
  #length = 0;
  /** Where the next part is expected. */
  #at = 0;
  /** Entries to come; `missing` before their number is known. */
  #left = missing;
  /** Of each entry: where its id begins and ends, and its tick; both 0 where it has none. */
  readonly #places: Int32Array;

  /** @param entries no answer has more */
  constructor(entries: number) {
    this.#places = new Int32Array(entries * 4);
  }

  /** Memory that the places refer to; valid until the next answer. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }

  idOf(entry: number): string {
    return this.#bytes.toString('latin1', this.#places[entry * 4], this.#places[entry * 4 + 1]);
  }

  tickBegin(entry: number): number {
    return this.#places[entry * 4 + 2]!;
  }

  /** 0 where the entry has no tick. */
  tickEnd(entry: number): number {
    return this.#places[entry * 4 + 3]!;
  }

  /** Forgets the answer, for another one. */
  clear(): void {
    this.count = 0;
    this.refusal = undefined;
    this.#length = 0;
    this.#at = 0;
    this.#left = missing;
  }

  take(bytes: Uint8Array): boolean {
    this.#append(bytes);
    if (this.#left === missing && !this.#takeHead()) return this.refusal !== undefined;
    while (this.#left > 0) {
      // An entry that is not whole is looked at once more when there is more of it.
      const begin = this.#at;
      if (!this.#takeEntry()) {
        this.#at = begin;
        return false;
      }
      this.count++;
      this.#left--;
    }
    if (this.#at !== this.#length) throw this.#unexpected(this.#at);
    return true;
  }

  #append(bytes: Uint8Array): void {
    const length = this.#length + bytes.length;
    if (length > this.#bytes.length) {
      const larger = Buffer.allocUnsafeSlow(2 * length);
      this.#bytes.copy(larger, 0, 0, this.#length);
      this.#bytes = larger;
    }
    this.#bytes.set(bytes, this.#length);
    this.#length = length;
  }

  /** The number of entries, or why there are none. */
  #takeHead(): boolean {
    if (this.#bytes[0] === minus) {
      const end = this.#bytes.subarray(0, this.#length).indexOf('\r\n');
      if (end >= 0) this.refusal = new Error(this.#bytes.toString('utf8', 1, end));
      return false;
    }
    const entries = this.#size(star);
    if (entries === missing) return false;
    if (entries * 4 > this.#places.length) throw new Error(`${entries} entries are more than were asked for`);
    this.#left = entries;
    return true;
  }

  #takeEntry(): boolean {
    const place = this.count * 4;
    const places = this.#places;
    if (this.#size(star) === missing) return false;
    const idLength = this.#text();
    if (idLength === missing) return false;
    places[place + 1] = this.#at - lineEndBytes;
    places[place] = this.#at - lineEndBytes - idLength;
    places[place + 2] = places[place + 3] = 0;
    const texts = this.#size(star);
    if (texts === missing) return false;
    for (let index = 0; index < texts; index += 2) {
      const nameLength = this.#text();
      if (nameLength === missing) return false;
      const isTick = this.#isTick(this.#at - lineEndBytes - nameLength, nameLength);
      const length = this.#text();
      if (length === missing) return false;
      if (!isTick) continue;
      places[place + 3] = this.#at - lineEndBytes;
      places[place + 2] = this.#at - lineEndBytes - length;
    }
    return true;
  }

  #isTick(at: number, length: number): boolean {
    if (length !== tickName.length) return false;
    for (let i = 0; i < length; i++) if (this.#bytes[at + i] !== tickName[i]) return false;
    return true;
  }

  /** Goes past a text; its length. */
  #text(): number {
    const length = this.#size(dollar);
    if (length === missing || this.#at + length + lineEndBytes > this.#length) return missing;
    this.#at += length + lineEndBytes;
    return length;
  }

  /** Goes past a line of a kind and a number; the number. */
  #size(kind: number): number {
    const bytes = this.#bytes;
    let at = this.#at;
    if (at >= this.#length) return missing;
    if (bytes[at] !== kind) throw this.#unexpected(at);
    let size = 0;
    for (at++; ; at++) {
      if (at + 1 >= this.#length) return missing;
      const byte = bytes[at]!;
      if (byte === carriageReturn) break;
      const digit = byte - digit0;
      if (digit < 0 || digit > 9) throw this.#unexpected(at);
      size = size * 10 + digit;
    }
    this.#at = at + lineEndBytes;
    return size;
  }

  #unexpected(at: number): Error {
    const text = this.#bytes.toString('latin1', at, Math.min(at + quotedBytes, this.#length));
    return new Error(`it answers XRANGE with ${JSON.stringify(text)}`);
  }
}
