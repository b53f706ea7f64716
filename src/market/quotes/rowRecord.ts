import { Field } from './quoteFields.js';
import { dayToUtcMs, utcMsToDay } from '../calendar/tradingCalendar.js';
import { doubleWord, intWord, tickRecordBytes, type TickRecord } from '../../ring/tickRecord.js';
import { shanghaiOffsetMs } from '../../base/shanghaiTime.js';

const absent = Number.MAX_VALUE;
const levels = 5;
const nsPerMs = 1e6;

/** Doubles of a record that the book keeps as they are. */
const sameDoubles = [
  [doubleWord.lastPrice, Field.lastPrice],
  [doubleWord.preSettlementPrice, Field.preSettlement],
  [doubleWord.preClosePrice, Field.preClose],
  [doubleWord.preOpenInterest, Field.preOpenInterest],
  [doubleWord.openPrice, Field.openPrice],
  [doubleWord.highestPrice, Field.highestPrice],
  [doubleWord.lowestPrice, Field.lowestPrice],
  [doubleWord.turnover, Field.turnover],
  [doubleWord.openInterest, Field.openInterest],
  [doubleWord.closePrice, Field.closePrice],
  [doubleWord.settlementPrice, Field.settlement],
  [doubleWord.upperLimitPrice, Field.upperLimitPrice],
  [doubleWord.lowerLimitPrice, Field.lowerLimitPrice],
] as const;

/**
 * The vendor's record that a stored row came from, as far as the row tells: dates are those of a front that stamps both
 * days rightly; the deltas, price bands and ExchangeID are absent, for they are not stored.
 *
 * @param multiplier the vendor's AveragePrice over the row's average: the product's, 1 at CZCE
 * @param into is written over; its connection becomes 0
 */
export function recordOf(row: Float64Array, receivedMs: number, multiplier: number, into: TickRecord): void {
  const { f64, i32 } = into;
  i32.fill(0);
  f64.fill(absent, doubleWord.lastPrice, doubleWord.askPrice1 + levels);
  const orAbsent = (value: number): number => (Number.isNaN(value) ? absent : value);
  const orZero = (value: number): number => (Number.isNaN(value) ? 0 : value);
  for (const [to, from] of sameDoubles) f64[to] = orAbsent(row[from]!);
  f64[doubleWord.averagePrice] = orAbsent(row[Field.average]! * multiplier);
  for (let level = 0; level < levels; level++) {
    f64[doubleWord.bidPrice1 + level] = orAbsent(row[Field.bidPrice1 + level]!);
    f64[doubleWord.askPrice1 + level] = orAbsent(row[Field.askPrice1 + level]!);
    i32[intWord.bidVolume1 + level] = orZero(row[Field.bidVolume1 + level]!);
    i32[intWord.askVolume1 + level] = orZero(row[Field.askVolume1 + level]!);
  }
  i32[intWord.length] = tickRecordBytes;
  i32[intWord.volume] = orZero(row[Field.volume]!);
  i32[intWord.tradingDay] = orZero(row[Field.tradingDay]!);
  const shanghaiMs = row[Field.timestamp]! + shanghaiOffsetMs;
  const day = utcMsToDay(shanghaiMs);
  const ofDayMs = shanghaiMs - dayToUtcMs(day);
  i32[intWord.actionDay] = day;
  i32[intWord.updateTime] = Math.trunc(ofDayMs / 1000);
  i32[intWord.updateMillisec] = ofDayMs % 1000;
  setReceiveTime(i32, receivedMs);
}

/** Whole ms and the rest apart: together in ns they are more than a double holds. */
function setReceiveTime(i32: Int32Array, receivedMs: number): void {
  const whole = Math.floor(receivedMs);
  const ns = BigInt(whole) * BigInt(nsPerMs) + BigInt(Math.round((receivedMs - whole) * nsPerMs));
  i32[intWord.receiveTimeLow] = Number(BigInt.asIntN(32, ns));
  i32[intWord.receiveTimeHigh] = Number(ns >> 32n);
}
