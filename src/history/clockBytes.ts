import { shanghaiOffsetMs } from '../base/shanghaiTime.js';
import { putDigits } from '../base/jsonBytes.js';
import { dayMs } from '../base/shanghaiTime.js';

const quote = 0x22;
const hyphen = 0x2d;
const blank = 0x20;
const colon = 0x3a;
const point = 0x2e;
/** ms since the epoch; until then every year in Shanghai has four digits. */
const latestMs = Date.UTC(9999, 11, 31);

/** Times in Shanghai, written byte by byte; a Date is made once a day of ticks. */
export class ClockBytes {
  readonly #isBare: boolean;
  #day = NaN;
  #year = 0;
  #month = 0;
  #dayOfMonth = 0;

  /** @param isBare without quotes around */
  constructor(isBare: boolean) {
    this.#isBare = isBare;
  }

  /** `"2023-11-10 09:30:00.500"`, the end of it; `at` where `ms`, since the epoch, is no time. */
  putDateTime(into: Uint8Array, at: number, ms: number): number {
    if (!isTime(ms)) return at;
    const local = ms + shanghaiOffsetMs;
    const day = Math.floor(local / dayMs);
    if (day !== this.#day) this.#take(day);
    let next = this.#putQuote(into, at);
    next = putDigits(into, next, this.#year, 4);
    into[next++] = hyphen;
    next = putDigits(into, next, this.#month, 2);
    into[next++] = hyphen;
    next = putDigits(into, next, this.#dayOfMonth, 2);
    into[next++] = blank;
    const msOfDay = local - day * dayMs;
    next = putTime(into, next, msOfDay);
    into[next++] = point;
    next = putDigits(into, next, msOfDay % 1000, 3);
    return this.#putQuote(into, next);
  }

  /** `"09:30:00"`, in the same way. */
  putTimeOfDay(into: Uint8Array, at: number, ms: number): number {
    if (!isTime(ms)) return at;
    const next = putTime(into, this.#putQuote(into, at), (ms + shanghaiOffsetMs) % dayMs);
    return this.#putQuote(into, next);
  }

  #take(day: number): void {
    const date = new Date(day * dayMs);
    this.#day = day;
    this.#year = date.getUTCFullYear();
    this.#month = date.getUTCMonth() + 1;
    this.#dayOfMonth = date.getUTCDate();
  }

  #putQuote(into: Uint8Array, at: number): number {
    if (this.#isBare) return at;
    into[at] = quote;
    return at + 1;
  }
}

function isTime(ms: number): boolean {
  return ms >= 0 && ms < latestMs;
}

function putTime(into: Uint8Array, at: number, msOfDay: number): number {
  const seconds = (msOfDay / 1000) | 0;
  const minutes = (seconds / 60) | 0;
  let next = putDigits(into, at, (minutes / 60) | 0, 2);
  into[next++] = colon;
  next = putDigits(into, next, minutes % 60, 2);
  into[next++] = colon;
  return putDigits(into, next, seconds % 60, 2);
}
