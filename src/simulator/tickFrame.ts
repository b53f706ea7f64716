/** Where a tick's fields lie in its frame: the header, then struct Tick of libs/simulator/tick.h. */
import { headerBytes } from './wire.js';

const double = (index: number): number => headerBytes + 8 * index;

export const absent = Number.MAX_VALUE;
export const depthLevels = 5;
export const doubleCount = 28;
export const textBytes = 9;

export const tickField = {
  lastPrice: double(0),
  openPrice: double(4),
  highestPrice: double(5),
  lowestPrice: double(6),
  turnover: double(7),
  openInterest: double(8),
  upperLimitPrice: double(11),
  lowerLimitPrice: double(12),
  bidPrice: double(18),
  askPrice: double(23),
  volume: headerBytes + 224,
  bidVolume: headerBytes + 232,
  askVolume: headerBytes + 252,
  tradingDay: headerBytes + 272,
  actionDay: headerBytes + 281,
  updateTime: headerBytes + 290,
  exchangeId: headerBytes + 299,
  /** From here on the frame tells its own length: it must stay as it is. */
  idLength: headerBytes + 308,
} as const;

/** Writes a text field, NUL-padded. */
export function setText(frame: Buffer, at: number, text: string): void {
  frame.fill(0, at, at + textBytes);
  frame.write(text.slice(0, textBytes - 1), at, 'latin1');
}
