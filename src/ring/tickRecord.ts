/**
 * One market-data record as the bridge writes it into a tick ring (libs/bridge/tick_record.h).
 *
 *   byte 0    u32   sequence        low 32 bits of the record's number in its ring
 *        4    i32   slot            the tag of the instrument's slot, given with the subscription; past the main
 *                                   thread's first look at it, the slot itself
 *        8    i64   receive time    ns since the epoch, when the vendor's callback began
 *       16    i32   connection      index of the connection
 *       20    i32   length          bytes of the record
 *       24    f64 × 28              prices and amounts, raw: an absent value is DBL_MAX
 *      248    i32 × 15              volumes, times, days
 *      308    i32   form            0 as the vendor has it; 1 made from a quote, whose values are final (RecordForm)
 *      312    c[8]  exchange id     NUL-padded, mostly empty
 *
 * Days are yyyymmdd, 0 where the vendor's field is empty, -1 where it is malformed. The update time is
 * seconds since midnight, -1 where the field is empty, -2 where it is malformed.
 */
export const tickRecordBytes = 320;

/** Indices into the Int32Array over a record. */
export const intWord = {
  sequence: 0,
  slot: 1,
  receiveTimeLow: 2,
  receiveTimeHigh: 3,
  connection: 4,
  length: 5,
  volume: 62,
  updateMillisec: 63,
  bidVolume1: 64,
  askVolume1: 69,
  tradingDay: 74,
  actionDay: 75,
  updateTime: 76,
  form: 77,
  exchangeId: 78,
} as const;

/** Indices into the Float64Array over a record. Levels 2 to 5 follow level 1. */
export const doubleWord = {
  lastPrice: 3,
  preSettlementPrice: 4,
  preClosePrice: 5,
  preOpenInterest: 6,
  openPrice: 7,
  highestPrice: 8,
  lowestPrice: 9,
  turnover: 10,
  openInterest: 11,
  closePrice: 12,
  settlementPrice: 13,
  upperLimitPrice: 14,
  lowerLimitPrice: 15,
  preDelta: 16,
  currDelta: 17,
  averagePrice: 18,
  bandingUpperPrice: 19,
  bandingLowerPrice: 20,
  bidPrice1: 21,
  askPrice1: 26,
} as const;

/** Meaning of a record's values: the vendor's, which are read by its rules, or those of a quote. */
export const RecordForm = { vendor: 0, quote: 1 } as const;

/** A reader's private copy of one record. */
export class TickRecord {
  readonly f64: Float64Array;
  readonly i32: Int32Array;

  constructor(buffer: ArrayBufferLike = new ArrayBuffer(tickRecordBytes), byteOffset = 0) {
    this.f64 = new Float64Array(buffer, byteOffset, tickRecordBytes / 8);
    this.i32 = new Int32Array(buffer, byteOffset, tickRecordBytes / 4);
  }

  get slot(): number {
    return this.i32[intWord.slot]!;
  }

  get connection(): number {
    return this.i32[intWord.connection]!;
  }

  /** When the vendor's callback began, in ms since the epoch with a resolution of about 0.3 µs. */
  get receiveTimeMs(): number {
    return (
      (this.i32[intWord.receiveTimeHigh]! * 4294967296 + (this.i32[intWord.receiveTimeLow]! >>> 0)) / 1e6
    );
  }
}
