import { shanghaiOffsetMs } from './shanghaiTime.js';

const memoSize = 1024;

/**
 * JSON strings of Shanghai times. Ticks of one second share its text, so a Date is made about once a second; those of one
 * moment, as exchanges send them in half-second steps, share all.
 */
export class ClockText {
  /** Second since the epoch → `2023-11-10 09:30:00`. */
  readonly #seconds = new Map<number, string>();
  #lastSecond = NaN;
  #lastText = '';
  #lastMs = NaN;
  #lastDateTime = '';
  #lastMicroDateTime = '';
  #lastTimeOfDay = '';

  /** `"2023-11-10 09:30:00.500"`, with the quotes, of a time in ms since the epoch. */
  dateTime(epochMs: number): string {
    if (epochMs !== this.#lastMs) this.#render(epochMs);
    return this.#lastDateTime;
  }

  /** `"2023-11-10 09:30:00.500000"`, with the quotes: six decimals, as servers of the DIFF protocol send them. */
  microDateTime(epochMs: number): string {
    if (epochMs !== this.#lastMs) this.#render(epochMs);
    return this.#lastMicroDateTime;
  }

  /** `"09:30:00"`, with the quotes. */
  timeOfDay(epochMs: number): string {
    if (epochMs !== this.#lastMs) this.#render(epochMs);
    return this.#lastTimeOfDay;
  }

  #render(epochMs: number): void {
    const second = this.#second(Math.floor(epochMs / 1000));
    this.#lastMs = epochMs;
    const millisecond = String(epochMs % 1000).padStart(3, '0');
    this.#lastDateTime = `"${second}.${millisecond}"`;
    this.#lastMicroDateTime = `"${second}.${millisecond}000"`;
    this.#lastTimeOfDay = `"${second.slice(11)}"`;
  }

  #second(second: number): string {
    if (second === this.#lastSecond) return this.#lastText;
    let text = this.#seconds.get(second);
    if (text === undefined) {
      if (this.#seconds.size >= memoSize) this.#seconds.clear();
      text = new Date(second * 1000 + shanghaiOffsetMs).toISOString().slice(0, 19).replace('T', ' ');
      this.#seconds.set(second, text);
    }
    this.#lastSecond = second;
    this.#lastText = text;
    return text;
  }
}
