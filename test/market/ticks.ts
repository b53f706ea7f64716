import { doubleWord, intWord, TickRecord, tickRecordBytes } from '../../src/ring/tickRecord.js';

const DBL_MAX = Number.MAX_VALUE;

export interface TickFields {
  slot?: number;
  source?: number;
  /** ms since the epoch. */
  receivedAt?: number;
  tradingDay?: number;
  actionDay?: number;
  /** Seconds since midnight. */
  updateTime?: number;
  millisec?: number;
  volume?: number;
  lastPrice?: number;
  /** Any double field of the record, by its name in doubleWord. */
  doubles?: Partial<Record<keyof typeof doubleWord, number>>;
  /** Any integer field of the record, by its name in intWord. */
  integers?: Partial<Record<keyof typeof intWord, number>>;
}

/** 10:00:00 Shanghai on Thursday, 11 April 2024. */
export const testTimeMs = Date.UTC(2024, 3, 11, 2);

/** A record as the bridge writes it; what is not named is a plausible tick of that moment, doubles are DBL_MAX. */
export function makeTick(fields: TickFields = {}): TickRecord {
  const tick = new TickRecord();
  const { f64, i32 } = tick;
  f64.fill(DBL_MAX, doubleWord.lastPrice, doubleWord.askPrice1 + 5);
  f64[doubleWord.lastPrice] = fields.lastPrice ?? 3500;
  f64[doubleWord.bidPrice1] = 3499;
  f64[doubleWord.askPrice1] = 3501;
  f64[doubleWord.turnover] = 1e6;
  f64[doubleWord.openInterest] = 1000;
  f64[doubleWord.averagePrice] = 35000;
  i32[intWord.bidVolume1] = 5;
  i32[intWord.askVolume1] = 6;
  i32[intWord.slot] = fields.slot ?? 0;
  i32[intWord.connection] = fields.source ?? 0;
  i32[intWord.length] = tickRecordBytes;
  i32[intWord.volume] = fields.volume ?? 100;
  i32[intWord.tradingDay] = fields.tradingDay ?? 20240411;
  i32[intWord.actionDay] = fields.actionDay ?? 20240411;
  i32[intWord.updateTime] = fields.updateTime ?? 36_000;
  i32[intWord.updateMillisec] = fields.millisec ?? 0;
  const receiveNs = BigInt(Math.round(fields.receivedAt ?? testTimeMs)) * 1_000_000n;
  new BigInt64Array(f64.buffer, 8, 1)[0] = receiveNs;
  for (const [name, value] of Object.entries(fields.doubles ?? {}))
    f64[doubleWord[name as keyof typeof doubleWord]] = value;
  for (const [name, value] of Object.entries(fields.integers ?? {}))
    i32[intWord[name as keyof typeof intWord]] = value;
  return tick;
}
