import { intWord, tickRecordBytes, type TickRecord } from '../ring/tickRecord.js';
import { textBytes, tickField } from './tickFrame.js';
import { headerBytes, longestIdBytes, tickFrameHeader } from './wire.js';

/** From the last price to the last volume a record and a frame agree (libs/bridge/tick_record.h, libs/simulator/tick.h). */
const sameFromWord = 6;
const sameToWord = intWord.tradingDay;
const digitZero = 0x30;

/** Makes frames of the wire protocol from records. Its text fields are as the vendor's were, but for malformed ones. */
export class RecordFrame {
  /** The last frame that was made. */
  readonly bytes: Buffer;
  readonly #words: Int32Array;
  readonly #exchangeWords = new Int32Array(2);
  readonly #exchangeText = Buffer.from(this.#exchangeWords.buffer);

  constructor() {
    const memory = new ArrayBuffer(tickRecordBytes + headerBytes + longestIdBytes);
    this.bytes = Buffer.from(memory);
    this.#words = new Int32Array(memory);
  }

  /** Makes the frame of a record; gives its length. `id` is a bare id in latin1. */
  make({ i32 }: TickRecord, id: Buffer): number {
    const { bytes } = this;
    const shift = headerBytes / 4 - sameFromWord;
    for (let word = sameFromWord; word < sameToWord; word++) this.#words[word + shift] = i32[word]!;
    bytes.fill(0, tickField.tradingDay, tickField.idLength + 4);
    this.#day(tickField.tradingDay, i32[intWord.tradingDay]!);
    this.#day(tickField.actionDay, i32[intWord.actionDay]!);
    this.#time(tickField.updateTime, i32[intWord.updateTime]!);
    this.#exchangeWords[0] = i32[intWord.exchangeId]!;
    this.#exchangeWords[1] = i32[intWord.exchangeId + 1]!;
    this.#exchangeText.copy(bytes, tickField.exchangeId, 0, textBytes - 1);
    bytes[tickField.idLength] = id.length;
    const length = tickField.idLength + 4 + id.length;
    id.copy(bytes, tickField.idLength + 4);
    tickFrameHeader(bytes, length - headerBytes);
    return length;
  }

  /** yyyymmdd; 0 stays empty, and so does what was malformed. */
  #day(at: number, day: number): void {
    if (day <= 0) return;
    let rest = day;
    for (let digit = 7; digit >= 0; digit--) {
      this.bytes[at + digit] = digitZero + (rest % 10);
      rest = Math.trunc(rest / 10);
    }
  }

  /** Seconds since midnight; negative stays empty. */
  #time(at: number, seconds: number): void {
    if (seconds < 0 || seconds >= 86_400) return;
    this.#twoDigits(at, Math.trunc(seconds / 3600));
    this.bytes[at + 2] = 0x3a;
    this.#twoDigits(at + 3, Math.trunc(seconds / 60) % 60);
    this.bytes[at + 5] = 0x3a;
    this.#twoDigits(at + 6, seconds % 60);
  }

  #twoDigits(at: number, value: number): void {
    this.bytes[at] = digitZero + Math.trunc(value / 10);
    this.bytes[at + 1] = digitZero + (value % 10);
  }
}
