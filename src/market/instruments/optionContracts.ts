import { readFileSync } from 'node:fs';
import { packagePath } from '../../base/paths.js';
import { liveContracts, tradingDayAt, tradingDayOfMonthBefore, type Contract } from './contracts.js';
import type { Product, ProductTable } from './products.js';
import { WeekdayCalendar, type TradingCalendar } from '../calendar/tradingCalendar.js';

/** Strikes are this far apart, as a share of the underlying's price, rounded to 1, 2 or 5 times a power of ten. */
const strikeStepShare = 0.0125;
/** Strikes on either side of the money that can be listed. */
const strikesEachSide = 40;
/** Commodity options expire before their underlying's delivery month, on this trading day from its end. */
const expiryFromMonthEnd = -5;

/** A product with options: its own code at the commodity exchanges, another one at CFFEX. */
interface OptionProduct {
  readonly product: string;
  readonly underlying?: string;
}

function loadOptionProducts(): OptionProduct[] {
  return JSON.parse(readFileSync(packagePath('data', 'options.json'), 'utf8')) as OptionProduct[];
}

/** The nearest of 1, 2, 5 × 10^n, in price ticks so that every strike is a whole number of them. */
function strikeStep(product: Product): number {
  const wanted = product.referencePrice * strikeStepShare;
  const power = 10 ** Math.floor(Math.log10(wanted));
  const factor = [1, 2, 5, 10].reduce((best, one) =>
    Math.abs(one * power - wanted) < Math.abs(best * power - wanted) ? one : best,
  );
  return Math.max(factor * power, product.priceTick, 1);
}

function optionId(future: Contract, code: string, right: 'C' | 'P', strike: number): string {
  const month = future.id.slice(future.product.length);
  const hyphen =
    future.exchange === 'SHFE' || future.exchange === 'INE' || future.exchange === 'CZCE' ? '' : '-';
  return `${code}${month}${hyphen}${right}${hyphen}${strike}`;
}

interface OptionMonth {
  readonly contract: Contract;
  readonly code: string;
  readonly atTheMoney: number;
  readonly step: number;
}

/**
 * The first `count` instruments that are listed at an instant: futures first, then options, those nearest to the money
 * of every month first, calls and puts in turn. Fewer where no more are listed.
 *
 * Strikes and expiry days are plausible and not the exchanges' own: strikes lie around the product table's reference
 * price, and commodity options expire on the fifth last trading day of the month before delivery.
 */
export function listInstruments(
  products: ProductTable,
  now: Date,
  calendar: TradingCalendar = new WeekdayCalendar(),
  count = Infinity,
): Contract[] {
  const futures = liveContracts(products, now, calendar);
  if (count <= futures.length) return futures.slice(0, count);
  const today = tradingDayAt(now, calendar);
  const months = loadOptionProducts().flatMap(({ product: code, underlying = code }): OptionMonth[] => {
    const product = products.get(underlying);
    if (product === undefined) return [];
    const step = strikeStep(product);
    const atTheMoney = Math.round(product.referencePrice / step) * step;
    return futures
      .filter((future) => future.product === underlying)
      .map((future): OptionMonth => {
        const { deliveryYear, deliveryMonth } = future;
        const expireDate =
          future.exchange === 'CFFEX'
            ? future.expireDate
            : tradingDayOfMonthBefore(deliveryYear, deliveryMonth, expiryFromMonthEnd, calendar);
        return { contract: { ...future, expireDate }, code, atTheMoney, step };
      })
      .filter(({ contract }) => contract.expireDate >= today);
  });

  const listed = [...futures];
  for (let n = 0; n <= 2 * strikesEachSide; n++) {
    // 0, 1, -1, 2, -2 … strikes away from the money.
    const distance = n % 2 === 1 ? (n + 1) / 2 : -n / 2;
    for (const { contract, code, atTheMoney, step } of months) {
      const strike = atTheMoney + distance * step;
      if (strike <= 0) continue;
      for (const right of ['C', 'P'] as const) {
        if (listed.length === count) return listed;
        listed.push({ ...contract, id: optionId(contract, code, right, strike), product: code });
      }
    }
  }
  return listed;
}
