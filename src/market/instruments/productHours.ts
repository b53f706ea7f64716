import type { Product } from './products.js';

type Period = readonly [string, string];

/** Sessions of a product as the instrument file states them; night times pass 24:00. */
export interface TradingTime {
  readonly day: readonly Period[];
  readonly night: readonly Period[];
}

/** Begin and end of a session, in minutes since midnight. An end is not part of its session. */
export type SessionMinutes = readonly [from: number, to: number];

/** Hours of continuous trading in Shanghai, as numbers. */
export interface SessionHours {
  /** In order. */
  readonly day: readonly SessionMinutes[];
  /** In the evening before; it may pass 24:00. Null where there is none. */
  readonly night: SessionMinutes | null;
}

/** How long orders are gathered before the first session of the day, and of the night (exchange rules). */
export const auctionMinutes = 5;

const commodityDay: readonly Period[] = [
  ['09:00', '10:15'],
  ['10:30', '11:30'],
  ['13:30', '15:00'],
];
const equityDay: readonly Period[] = [
  ['09:30', '11:30'],
  ['13:00', '15:00'],
];
const bondDay: readonly Period[] = [
  ['09:30', '11:30'],
  ['13:00', '15:15'],
];
/** Trading at settlement ends at noon and has no night (INE's rules for such contracts). */
const settlementTradingDay: readonly Period[] = [
  ['09:00', '10:15'],
  ['10:30', '11:30'],
];
const bonds = new Set(['TS', 'TF', 'T', 'TL']);
const noon = '12:00';
const nightOpen = '21:00';
const minutesPerHour = 60;

/** Continuous trading hours of a product as text (exchange rules; auctions are not in them). */
export function tradingTime(product: Product): TradingTime {
  const { nightClose } = product;
  return {
    day: dayOf(product).map(([from, to]) => [`${from}:00`, `${to}:00`]),
    night: nightClose === null ? [] : [[`${nightOpen}:00`, nightEnd(nightClose)]],
  };
}

/**
 * Whether a product's contracts keep other hours on their last trading day: bond futures end at noon then (CFFEX's contract
 * specifications).
 */
export function endsEarlyOnLastDay({ exchange, product }: Product): boolean {
  return exchange === 'CFFEX' && bonds.has(product);
}

/** A product's sessions as minutes; `onLastDay`: on the last trading day of a contract. */
export function sessionHours(product: Product, onLastDay = false): SessionHours {
  const usual = dayOf(product);
  const morning = usual.filter(([from]) => from < noon);
  const day = onLastDay && endsEarlyOnLastDay(product) && morning.length > 0 ? morning : usual;
  const { nightClose } = product;
  return {
    day: day.map(toMinutes),
    night: nightClose === null ? null : [minutesOf(nightOpen), afterEvening(minutesOf(nightClose))],
  };
}

/** Hours of a product's contracts for trading at settlement, such as sc2701TAS. */
export function settlementTradingHours(): SessionHours {
  return { day: settlementTradingDay.map(toMinutes), night: null };
}

function dayOf({ exchange, product, dayHours }: Product): readonly Period[] {
  if (dayHours !== undefined) return dayHours;
  if (exchange !== 'CFFEX') return commodityDay;
  return bonds.has(product) ? bondDay : equityDay;
}

function toMinutes([from, to]: Period): SessionMinutes {
  return [minutesOf(from), minutesOf(to)];
}

function minutesOf(time: string): number {
  return Number(time.slice(0, 2)) * minutesPerHour + Number(time.slice(3));
}

/** A night that ends in the small hours ends after 24:00. */
function afterEvening(minutes: number): number {
  return minutes < 12 * minutesPerHour ? minutes + 24 * minutesPerHour : minutes;
}

function nightEnd(close: string): string {
  const end = afterEvening(minutesOf(close));
  return `${String(Math.trunc(end / minutesPerHour)).padStart(2, '0')}${close.slice(2)}:00`;
}
