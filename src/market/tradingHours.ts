import type { Product } from './products.js';

type Period = readonly [string, string];

/** Sessions of a product as the instrument file states them; night times pass 24:00. */
export interface TradingTime {
  readonly day: readonly Period[];
  readonly night: readonly Period[];
}

const commodityDay: readonly Period[] = [
  ['09:00:00', '10:15:00'],
  ['10:30:00', '11:30:00'],
  ['13:30:00', '15:00:00'],
];
const equityDay: readonly Period[] = [
  ['09:30:00', '11:30:00'],
  ['13:00:00', '15:00:00'],
];
const bondDay: readonly Period[] = [
  ['09:30:00', '11:30:00'],
  ['13:00:00', '15:15:00'],
];
const bonds = new Set(['TS', 'TF', 'T', 'TL']);

/** Continuous trading hours of a product (exchange rules; auctions are not in them). */
export function tradingTime(product: Product): TradingTime {
  const day =
    product.dayHours?.map(([from, to]): Period => [`${from}:00`, `${to}:00`]) ?? exchangeDay(product);
  return { day, night: product.nightClose === null ? [] : [['21:00:00', nightEnd(product.nightClose)]] };
}

function exchangeDay({ exchange, product }: Product): readonly Period[] {
  if (exchange !== 'CFFEX') return commodityDay;
  return bonds.has(product) ? bondDay : equityDay;
}

function nightEnd(close: string): string {
  const hour = Number(close.slice(0, 2));
  return `${hour < 12 ? hour + 24 : hour}${close.slice(2)}:00`;
}
