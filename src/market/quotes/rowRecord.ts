import { F } from './quoteFields.js';
import { dayToUtcMs, utcMsToDay } from '../calendar/tradingCalendar.js';
import { F64, I32, tickRecordBytes, type TickRecord } from '../../ring/tickRecord.js';
import { shanghaiOffsetMs } from '../../base/shanghaiTime.js';

const absent = Number.MAX_VALUE;
const levels = 5;
const nsPerMs = 1e6;

/** Doubles of a record that the book keeps as they are. */
const sameDoubles = [
  [F64.lastPrice, F.lastPrice],
  [F64.preSettlementPrice, F.preSettlement],
  [F64.preClosePrice, F.preClose],
  [F64.preOpenInterest, F.preOpenInterest],
  [F64.openPrice, F.openPrice],
  [F64.highestPrice, F.highestPrice],
  [F64.lowestPrice, F.lowestPrice],
  [F64.turnover, F.turnover],
  [F64.openInterest, F.openInterest],
  [F64.closePrice, F.closePrice],
  [F64.settlementPrice, F.settlement],
  [F64.upperLimitPrice, F.upperLimitPrice],
  [F64.lowerLimitPrice, F.lowerLimitPrice],
] as const;

/**
 * The vendor's record that a stored row came from, as far as the row tells: dates are those of a front that stamps both
 * days rightly; the deltas, price bands and ExchangeID are absent, for they are not stored.
 *
 * @param multiplier the vendor's AveragePrice over the row's average: the product's, 1 at CZCE
 * @param into is written over; its source becomes 0
 */
export function recordOf(row: Float64Array, receivedMs: number, multiplier: number, into: TickRecord): void {
  const { f64, i32 } = into;
  i32.fill(0);
  f64.fill(absent, F64.lastPrice, F64.askPrice1 + levels);
  const orAbsent = (value: number): number => (Number.isNaN(value) ? absent : value);
  const orZero = (value: number): number => (Number.isNaN(value) ? 0 : value);
  for (const [to, from] of sameDoubles) f64[to] = orAbsent(row[from]!);
  f64[F64.averagePrice] = orAbsent(row[F.average]! * multiplier);
  for (let level = 0; level < levels; level++) {
    f64[F64.bidPrice1 + level] = orAbsent(row[F.bidPrice1 + level]!);
    f64[F64.askPrice1 + level] = orAbsent(row[F.askPrice1 + level]!);
    i32[I32.bidVolume1 + level] = orZero(row[F.bidVolume1 + level]!);
    i32[I32.askVolume1 + level] = orZero(row[F.askVolume1 + level]!);
  }
  i32[I32.length] = tickRecordBytes;
  i32[I32.volume] = orZero(row[F.volume]!);
  i32[I32.tradingDay] = orZero(row[F.tradingDay]!);
  const shanghaiMs = row[F.timestamp]! + shanghaiOffsetMs;
  const day = utcMsToDay(shanghaiMs);
  const ofDayMs = shanghaiMs - dayToUtcMs(day);
  i32[I32.actionDay] = day;
  i32[I32.updateTime] = Math.trunc(ofDayMs / 1000);
  i32[I32.updateMillisec] = ofDayMs % 1000;
  setReceiveTime(i32, receivedMs);
}

/** Whole ms and the rest apart: together in ns they are more than a double holds. */
function setReceiveTime(i32: Int32Array, receivedMs: number): void {
  const whole = Math.floor(receivedMs);
  const ns = BigInt(whole) * BigInt(nsPerMs) + BigInt(Math.round((receivedMs - whole) * nsPerMs));
  i32[I32.receiveTimeLow] = Number(BigInt.asIntN(32, ns));
  i32[I32.receiveTimeHigh] = Number(ns >> 32n);
}
