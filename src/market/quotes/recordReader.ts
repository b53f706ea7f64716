import { doubleWord, intWord, RecordForm, type TickRecord } from '../../ring/tickRecord.js';
import type { TickTime } from './exchangeClock.js';
import type { Instrument } from '../instruments/instrumentDirectory.js';
import { Field, fieldCount } from './quoteFields.js';
import { absentBeyond, Content } from './tickContent.js';
import { dayMs, shanghaiOffsetMs } from '../../base/shanghaiTime.js';
import { grown } from '../../base/growable.js';

const levelCount = 5;
/** Times of day in Shanghai between which CZCE's settlement price may be today's: the close, and the next day's evening. */
const closeMs = 15 * 3_600_000;
const eveningMs = 20 * 3_600_000;
/** All settlement prices of a day are there by then. */
const settledMs = 18 * 3_600_000;
/** How far a turnover may be from what volume and average make it; multipliers are 2 or more. */
const ratioSlack = 0.25;
/** Ids of combinations and of contracts for trading at settlement, whose prices are differences. */
const differenceId = /[ &]|TAS$/;

/** How the front of a line computes CZCE's turnover. */
const TurnoverUnit = { unknown: 0, yuan: 1, withoutMultiplier: 2 } as const;

/**
 * Turns a vendor record into a row of values in the units of a quote, NaN where there is none:
 *
 * - DBL_MAX, FLT_MAX and what is no number are absent, and so is 0 as the price of a future or an option, which cascaded
 *   fronts send in place of DBL_MAX. Prices that are differences may be 0 or less.
 * - A side of the book is told empty by its volume, whatever its price.
 * - The average is the price of a unit. The vendor gives turnover per lot for all exchanges but CZCE; a value that
 *   cannot be meant so, since it lies outside of the day's prices, is taken the other way.
 * - CZCE sends no turnover: the front's average times volume is in yuan from back end 6.7.1 on, and lacks the multiplier
 *   before it and on cascaded fronts. Which one it is follows from the tick.
 * - Of a packet that lacks its volume every 0 outside the book is absent, that of the volume too.
 * - CZCE's settlement price is the day before's until the day's own comes after the close.
 */
export class RecordReader {
  /** The row of the tick that was read last. */
  readonly row = new Float64Array(fieldCount);
  /** TurnoverUnit by connection, as its ticks have shown last. */
  #turnoverUnits = new Uint8Array(64);
  /** By slot: 1 where prices are above 0, 2 where they may be anything, 0 unless it was looked at. */
  #priceKinds = new Uint8Array(1024);

  /** The slot goes to another instrument. */
  forget(slot: number): void {
    if (slot < this.#priceKinds.length) this.#priceKinds[slot] = 0;
  }

  /** Fills `row`; `time` says when the tick is from, and `content` how much it tells. */
  read(tick: TickRecord, time: TickTime, instrument: Instrument, content: Content): void {
    const { f64, i32 } = tick;
    const { row } = this;
    // The values of a quote are in its units.
    const isFinal = i32[intWord.form] === RecordForm.quote;
    const multiplier = isFinal ? 1 : instrument.multiplier;
    const isCzce = !isFinal && instrument.exchange === 'CZCE';
    const lacksVolume = content >= Content.partial;
    // What 0 is as a price of the book, whose sides are told empty by their volumes, and as any other.
    const zeroQuote = this.#isDifference(tick.slot, instrument) ? 0 : NaN;
    const zero = lacksVolume ? NaN : zeroQuote;
    const volume = i32[intWord.volume]!;

    row[Field.tradingDay] = time.tradingDay;
    row[Field.timestamp] = time.epochMs;
    row[Field.volume] = lacksVolume ? NaN : volume;
    row[Field.lastPrice] = price(f64[doubleWord.lastPrice]!, zero);
    row[Field.openPrice] = price(f64[doubleWord.openPrice]!, zero);
    row[Field.highestPrice] = price(f64[doubleWord.highestPrice]!, zero);
    row[Field.lowestPrice] = price(f64[doubleWord.lowestPrice]!, zero);
    row[Field.closePrice] = price(f64[doubleWord.closePrice]!, zero);
    row[Field.upperLimitPrice] = price(f64[doubleWord.upperLimitPrice]!, zero);
    row[Field.lowerLimitPrice] = price(f64[doubleWord.lowerLimitPrice]!, zero);
    row[Field.preSettlement] = price(f64[doubleWord.preSettlementPrice]!, zero);
    row[Field.preClose] = price(f64[doubleWord.preClosePrice]!, zero);
    const settlement = price(f64[doubleWord.settlementPrice]!, zero);
    row[Field.settlement] =
      isCzce && !isOwnSettlement(settlement, row[Field.preSettlement]!, time, tick.receiveTimeMs)
        ? NaN
        : settlement;
    // Of nothing traded there is no average, whatever is in the field.
    const average = volume === 0 && !lacksVolume ? NaN : price(f64[doubleWord.averagePrice]!, zero);
    row[Field.average] = multiplier === 1 ? average : this.#perUnit(average, isCzce, multiplier);
    const turnover = amount(f64[doubleWord.turnover]!);
    row[Field.turnover] =
      isCzce && multiplier !== 1 ? this.#inYuan(turnover, multiplier, tick.connection) : turnover;
    row[Field.openInterest] = Math.round(amount(f64[doubleWord.openInterest]!));
    row[Field.preOpenInterest] = Math.round(amount(f64[doubleWord.preOpenInterest]!));
    if (lacksVolume) {
      if (turnover === 0) row[Field.turnover] = NaN;
      if (row[Field.openInterest] === 0) row[Field.openInterest] = NaN;
      if (row[Field.preOpenInterest] === 0) row[Field.preOpenInterest] = NaN;
    }
    for (let level = 0; level < levelCount; level++) {
      const bidVolume = Math.max(0, i32[intWord.bidVolume1 + level]!);
      const askVolume = Math.max(0, i32[intWord.askVolume1 + level]!);
      row[Field.bidVolume1 + level] = bidVolume;
      row[Field.askVolume1 + level] = askVolume;
      row[Field.bidPrice1 + level] =
        bidVolume === 0 ? NaN : price(f64[doubleWord.bidPrice1 + level]!, zeroQuote);
      row[Field.askPrice1 + level] =
        askVolume === 0 ? NaN : price(f64[doubleWord.askPrice1 + level]!, zeroQuote);
    }
  }

  /** The average as the price of a unit, by the exchange's rule unless only the other reading lies within the day. */
  #perUnit(average: number, isCzce: boolean, multiplier: number): number {
    const byRule = isCzce ? average : average / multiplier;
    const otherwise = isCzce ? average / multiplier : average;
    return !this.#isOfDay(byRule) && this.#isOfDay(otherwise) ? otherwise : byRule;
  }

  /** Whether a price lies between the lowest and the highest of the day, but for rounding. */
  #isOfDay(price: number): boolean {
    const { row } = this;
    const last = row[Field.lastPrice]!;
    const lowest = Number.isNaN(row[Field.lowestPrice]!) ? last : row[Field.lowestPrice]!;
    const highest = Number.isNaN(row[Field.highestPrice]!) ? last : row[Field.highestPrice]!;
    const slack = ratioSlack * Math.abs(highest);
    return price >= lowest - slack && price <= highest + slack;
  }

  #inYuan(turnover: number, multiplier: number, connection: number): number {
    this.#turnoverUnits = grown(this.#turnoverUnits, connection + 1);
    const shown = this.#unitOf(turnover, multiplier);
    if (shown !== TurnoverUnit.unknown) this.#turnoverUnits[connection] = shown;
    return this.#turnoverUnits[connection] === TurnoverUnit.withoutMultiplier
      ? turnover * multiplier
      : turnover;
  }

  /** Evidence of this tick about its front: turnover is the average times volume, or that times the multiplier. */
  #unitOf(turnover: number, multiplier: number): number {
    const { row } = this;
    const ofAverage = turnover / (row[Field.volume]! * row[Field.average]!);
    if (isNear(ofAverage, 1)) return TurnoverUnit.withoutMultiplier;
    if (isNear(ofAverage, multiplier)) return TurnoverUnit.yuan;
    if (!Number.isNaN(row[Field.average]!)) return TurnoverUnit.unknown;
    // Some feeds have no average; the last price is near it but for options.
    const ofLast = turnover / (row[Field.volume]! * row[Field.lastPrice]!);
    if (isNear(ofLast, 1)) return TurnoverUnit.withoutMultiplier;
    return isNear(ofLast, multiplier) ? TurnoverUnit.yuan : TurnoverUnit.unknown;
  }

  #isDifference(slot: number, { id }: Instrument): boolean {
    this.#priceKinds = grown(this.#priceKinds, slot + 1);
    if (this.#priceKinds[slot] === 0) this.#priceKinds[slot] = differenceId.test(id) ? 2 : 1;
    return this.#priceKinds[slot] === 2;
  }
}

/** The day's own: after the close, and either another one than the day before's or from when all are there. */
function isOwnSettlement(settlement: number, before: number, time: TickTime, receiveMs: number): boolean {
  const timeOfDay = (time.epochMs + shanghaiOffsetMs) % dayMs;
  if (!(timeOfDay >= closeMs && timeOfDay < eveningMs)) return false;
  return settlement !== before || receiveMs >= time.epochMs - timeOfDay + settledMs;
}

function isNear(value: number, target: number): boolean {
  return value > target * (1 - ratioSlack) && value < target * (1 + ratioSlack);
}

/** The vendor's number, or NaN where it stands for "no value"; never -0, so that equal states have equal bits. */
function amount(raw: number): number {
  return Math.abs(raw) < absentBeyond ? raw + 0 : NaN;
}

/** A price, NaN where the raw value means none; `zero` is what 0 means. */
function price(raw: number, zero: number): number {
  return raw === 0 ? zero : Math.abs(raw) < absentBeyond ? raw : NaN;
}
