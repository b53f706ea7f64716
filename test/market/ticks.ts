import { F64, I32, TickRecord, tickRecordBytes } from '../../src/ring/tickRecord.js';

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
  /** Any double field of the record, by its name in F64. */
  doubles?: Partial<Record<keyof typeof F64, number>>;
  /** Any integer field of the record, by its name in I32. */
  integers?: Partial<Record<keyof typeof I32, number>>;
}

/** 10:00:00 Shanghai on Thursday, 11 April 2024. */
export const testTimeMs = Date.UTC(2024, 3, 11, 2);

/** A record as the bridge writes it; what is not named is a plausible tick of that moment, doubles are DBL_MAX. */
export function makeTick(fields: TickFields = {}): TickRecord {
  const tick = new TickRecord();
  const { f64, i32 } = tick;
  f64.fill(DBL_MAX, F64.lastPrice, F64.askPrice1 + 5);
  f64[F64.lastPrice] = fields.lastPrice ?? 3500;
  f64[F64.bidPrice1] = 3499;
  f64[F64.askPrice1] = 3501;
  f64[F64.turnover] = 1e6;
  f64[F64.openInterest] = 1000;
  f64[F64.averagePrice] = 35000;
  i32[I32.bidVolume1] = 5;
  i32[I32.askVolume1] = 6;
  i32[I32.slot] = fields.slot ?? 0;
  i32[I32.source] = fields.source ?? 0;
  i32[I32.length] = tickRecordBytes;
  i32[I32.volume] = fields.volume ?? 100;
  i32[I32.tradingDay] = fields.tradingDay ?? 20240411;
  i32[I32.actionDay] = fields.actionDay ?? 20240411;
  i32[I32.updateTime] = fields.updateTime ?? 36_000;
  i32[I32.updateMillisec] = fields.millisec ?? 0;
  const receiveNs = BigInt(Math.round(fields.receivedAt ?? testTimeMs)) * 1_000_000n;
  new BigInt64Array(f64.buffer, 8, 1)[0] = receiveNs;
  for (const [name, value] of Object.entries(fields.doubles ?? {}))
    f64[F64[name as keyof typeof F64]] = value;
  for (const [name, value] of Object.entries(fields.integers ?? {}))
    i32[I32[name as keyof typeof I32]] = value;
  return tick;
}
