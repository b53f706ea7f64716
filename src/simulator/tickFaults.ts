import { randomFillSync } from 'node:crypto';
import { addDays, dayToUtcMs, utcMsToDay } from '../market/calendar/tradingCalendar.js';
import type { FaultSet } from './faultSet.js';
import { absent, depthLevels, doubleCount, setText, tickField } from './tickFrame.js';
import { headerBytes } from './wire.js';
import { shanghaiOffsetMs } from '../base/shanghaiTime.js';

const turnoverFall = 0.01;

/** Facts about a tick that faults need in addition to its bytes. */
export interface TickOrigin {
  readonly id: string;
  readonly exchange: string;
  /** The last Saturday, yyyymmdd. */
  readonly saturday: string;
  /** The tick that was the newest this long ago, as a frame; undefined when there was none. */
  earlier(ageMs: number): Buffer | undefined;
}

/** The last Saturday in Shanghai at a time in ms since the epoch, yyyymmdd. */
export function lastSaturday(epochMs: number): string {
  const today = utcMsToDay(epochMs + shanghaiOffsetMs);
  return String(addDays(today, -((new Date(dayToUtcMs(today)).getUTCDay() + 1) % 7)));
}

interface Confined {
  readonly every?: number;
  readonly instruments?: ReadonlySet<string> | undefined;
}

/** Applies a front's tick faults to one session's ticks. */
export class TickFaults {
  readonly #faults: FaultSet;
  /** Ticks seen by fault and instrument, for faults that strike every n-th one. */
  readonly #seen = new Map<string, number>();

  constructor(faults: FaultSet) {
    this.#faults = faults;
  }

  /** The frames to send in place of one tick. `frame` is changed. */
  apply(frame: Buffer, origin: TickOrigin): Buffer[] {
    const faults = this.#faults;
    if (this.#strikes('missing_ticks', faults.get('missing_ticks'), origin.id)) return [];
    this.#change(frame, origin);
    const frames = [frame];
    if (this.#strikes('duplicate_ticks', faults.get('duplicate_ticks'), origin.id)) frames.push(frame);
    const regressing = faults.get('regressing_ticks');
    if (regressing !== undefined && this.#strikes('regressing_ticks', regressing, origin.id)) {
      const earlier = origin.earlier(regressing.by_ms);
      if (earlier !== undefined) frames.push(earlier);
    }
    return frames;
  }

  #strikes(name: string, fault: Confined | undefined, id: string): boolean {
    if (fault === undefined || fault.instruments?.has(id) === false) return false;
    const key = `${name} ${id}`;
    const seen = (this.#seen.get(key) ?? 0) + 1;
    this.#seen.set(key, seen);
    return seen % (fault.every ?? 1) === 0;
  }

  #change(frame: Buffer, origin: TickOrigin): void {
    const faults = this.#faults;
    const strikes = (name: Parameters<FaultSet['get']>[0]): boolean =>
      this.#strikes(name, faults.get(name), origin.id);
    if (strikes('limit_up')) lockAtLimit(frame, true);
    if (strikes('limit_down')) lockAtLimit(frame, false);
    if (origin.exchange === 'CZCE' && strikes('falling_turnover')) this.#lowerTurnover(frame, origin.id);
    if (strikes('saturday_ticks')) {
      setText(frame, tickField.tradingDay, origin.saturday);
      setText(frame, tickField.actionDay, origin.saturday);
    }
    if (strikes('empty_update_time')) setText(frame, tickField.updateTime, '');
    if (strikes('empty_action_day')) setText(frame, tickField.actionDay, '');
    if (strikes('exchange_id')) setText(frame, tickField.exchangeId, origin.exchange);
    if (strikes('zero_for_absent')) zeroAbsent(frame);
    if (strikes('quotes_alone')) zeroAllButQuotes(frame);
    if (strikes('garbage_ticks')) randomFillSync(frame, headerBytes, tickField.idLength - headerBytes);
  }

  /** Every other tick's turnover is lower than the one before, as a turnover from a rounded average can be. */
  #lowerTurnover(frame: Buffer, id: string): void {
    if ((this.#seen.get(`falling_turnover ${id}`) ?? 0) % 2 !== 0) return;
    const turnover = frame.readDoubleLE(tickField.turnover);
    frame.writeDoubleLE(turnover * (1 - turnoverFall), tickField.turnover);
  }
}

/** The market stands at its limit: one side of the book is empty, by DBL_MAX and a volume of zero. */
function lockAtLimit(frame: Buffer, up: boolean): void {
  const limit = frame.readDoubleLE(up ? tickField.upperLimitPrice : tickField.lowerLimitPrice);
  frame.writeDoubleLE(limit, tickField.lastPrice);
  frame.writeDoubleLE(limit, up ? tickField.highestPrice : tickField.lowestPrice);
  const [full, empty] = up ? (['bid', 'ask'] as const) : (['ask', 'bid'] as const);
  for (let level = depthLevels - 1; level >= 0; level--) {
    const price = level === 0 ? limit : frame.readDoubleLE(tickField[`${full}Price`] + 8 * (level - 1));
    frame.writeDoubleLE(price, tickField[`${full}Price`] + 8 * level);
    frame.writeDoubleLE(absent, tickField[`${empty}Price`] + 8 * level);
    frame.writeInt32LE(0, tickField[`${empty}Volume`] + 4 * level);
  }
}

/** As fronts with an old API send it: 0 and an empty trading day in place of all that is not the book or its time. */
function zeroAllButQuotes(frame: Buffer): void {
  frame.fill(0, headerBytes, tickField.bidPrice);
  frame.fill(0, tickField.askPrice + 8 * depthLevels, headerBytes + 8 * doubleCount);
  frame.writeInt32LE(0, tickField.volume);
  setText(frame, tickField.tradingDay, '');
}

function zeroAbsent(frame: Buffer): void {
  for (let at = headerBytes; at < headerBytes + 8 * doubleCount; at += 8) {
    if (frame.readDoubleLE(at) === absent) frame.writeDoubleLE(0, at);
  }
}
