import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ExchangeClock } from '../../src/market/quotes/exchangeClock.js';
import { InstrumentDirectory } from '../../src/market/instruments/instrumentDirectory.js';
import { loadProducts } from '../../src/market/instruments/products.js';
import { QuoteBook } from '../../src/market/quotes/quoteBook.js';
import { WeekdayCalendar } from '../../src/market/calendar/tradingCalendar.js';
import { makeTick, testTimeMs } from './ticks.js';

function bookOfOne(): QuoteBook {
  const directory = new InstrumentDirectory({
    products: loadProducts(),
    maxInstruments: 10,
    now: () => testTimeMs,
  });
  directory.resolve('SR405');
  return new QuoteBook(directory, new ExchangeClock(new WeekdayCalendar()));
}

/** One state of the exchange: CZCE gives whole seconds, so several states share a key. */
interface State {
  readonly second: number;
  readonly volume: number;
  /** Different for each state at one key. */
  readonly price: number;
}

function tickOf({ second, volume, price }: State, source: number) {
  return makeTick({
    source,
    volume,
    updateTime: 36_000 + second,
    receivedAt: testTimeMs + second * 1000,
    lastPrice: price,
  });
}

const stream: fc.Arbitrary<State[]> = fc
  .array(fc.record({ seconds: fc.constantFrom(0, 0, 1), lots: fc.constantFrom(0, 0, 3) }), {
    minLength: 1,
    maxLength: 40,
  })
  .map((steps) => {
    let second = 0;
    let volume = 100;
    return steps.map(({ seconds, lots }, i) => {
      second += seconds;
      volume += lots;
      return { second, volume, price: 5000 + i };
    });
  });

interface Delivery {
  readonly source: number;
  /** Index in the stream. */
  readonly state: number;
}

/** The order in which lines deliver: each state of each line, in the line's order, some of them lost. */
function deliveries(states: readonly State[], lines: number, losses: boolean): fc.Arbitrary<Delivery[]> {
  const misses = fc.array(fc.array(fc.nat(9), { minLength: states.length, maxLength: states.length }), {
    minLength: lines,
    maxLength: lines,
  });
  const turns = fc.array(fc.nat(lines - 1), {
    minLength: states.length * lines,
    maxLength: states.length * lines,
  });
  return fc.tuple(misses, turns).map(([lost, order]) => {
    const next = new Array<number>(lines).fill(0);
    const sent: Delivery[] = [];
    const send = (source: number): void => {
      const state = next[source]!++;
      if (state < states.length && (!losses || lost[source]![state] !== 0)) sent.push({ source, state });
    };
    for (const source of order) send(source);
    for (let source = 0; source < lines; source++) while (next[source]! < states.length) send(source);
    return sent;
  });
}

describe('QuoteBook with several lines of an instrument', () => {
  const runs = (losses: boolean) =>
    fc
      .integer({ min: 1, max: 4 })
      .chain((lines) =>
        stream.chain((states) => fc.tuple(fc.constant(states), deliveries(states, lines, losses))),
      );

  function taken(states: readonly State[], sent: readonly Delivery[]): number[] {
    const book = bookOfOne();
    return sent
      .filter(({ source, state }) => book.apply(tickOf(states[state]!, source)))
      .map(({ state }) => state);
  }

  it('takes every state once and in its order, whatever the delays of the lines', () => {
    fc.assert(
      fc.property(runs(false), ([states, sent]) => {
        expect(taken(states, sent)).toEqual(states.map((_, i) => i));
      }),
      { numRuns: 1000 },
    );
  });

  it('takes none twice and never steps back, whatever the lines lose', () => {
    fc.assert(
      fc.property(runs(true), ([states, sent]) => {
        const order = taken(states, sent);
        expect(order).toEqual([...new Set(order)].sort((a, b) => a - b));
      }),
      { numRuns: 1000 },
    );
  });

  it('goes by the other lines when the one that was in step is gone', () => {
    const book = bookOfOne();
    const at = (price: number): State => ({ second: 0, volume: 100, price });
    expect(book.apply(tickOf(at(1), 0))).toBe(true);
    expect(book.apply(tickOf(at(3), 1)), 'may be late').toBe(false);
    book.lineGone(0, 0);
    expect(book.apply(tickOf(at(3), 1))).toBe(true);
  });

  it('takes no turns between lines that tell the same state in different ways', () => {
    const book = bookOfOne();
    const deep = (lots: number, source: number) =>
      makeTick({ source, volume: lots, doubles: { bidPrice1: 3499 }, integers: { bidVolume1: source + 1 } });
    const accepted = [1, 2, 3].flatMap((lots) => [book.apply(deep(lots, 0)), book.apply(deep(lots, 1))]);
    expect(accepted).toEqual([true, false, true, false, true, false]);
  });

  it('loses nothing while one line has everything in time', () => {
    const runs = stream.chain((states) =>
      fc.tuple(fc.constant(states), deliveries(states, 1, true), fc.nat(5)),
    );
    fc.assert(
      fc.property(runs, ([states, broken, lag]) => {
        const book = bookOfOne();
        const taken: number[] = [];
        states.forEach((state, i) => {
          if (book.apply(tickOf(state, 0))) taken.push(i);
          for (const late of broken.filter(({ state: which }) => which === i - lag))
            expect(book.apply(tickOf(states[late.state]!, 1)), 'a late copy').toBe(false);
        });
        expect(taken).toEqual(states.map((_, i) => i));
      }),
    );
  });

  it('takes a return to an earlier state from the line that leads', () => {
    const book = bookOfOne();
    const states = [5000, 5001, 5000].map((price) => ({ second: 0, volume: 100, price }));
    expect(states.map((state) => book.apply(tickOf(state, 0)))).toEqual([true, true, true]);
    expect(states.map((state) => book.apply(tickOf(state, 1)))).toEqual([false, false, false]);
    expect(book.counters).toMatchObject({ accepted: 3, duplicate: 3 });
  });

  it('takes zero for zero, whatever its sign', () => {
    const book = bookOfOne();
    const tick = (lastPrice: number, turnover: number, source: number) =>
      makeTick({ source, lastPrice, doubles: { turnover } });
    expect(book.apply(tick(0, 1, 0))).toBe(true);
    expect(book.apply(tick(-0, 2, 0))).toBe(true);
    expect(book.apply(tick(0, 2, 1))).toBe(false);
    expect(book.apply(tick(-0, 1, 1))).toBe(false);
  });
});
