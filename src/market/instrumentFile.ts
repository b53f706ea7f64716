import type { Contract } from './contracts.js';
import type { ParsedInstrumentId } from './instrumentId.js';
import type { Product, ProductTable } from './products.js';
import { dayToUtcMs } from './tradingCalendar.js';
import { tradingTime } from './tradingHours.js';

/** Contracts stop trading at 15:00 Shanghai on their last day. */
const expiryHourUtcMs = 7 * 3_600_000;

/** The index that tqsdk-python looks up while it starts, and dies without. */
const referenceIndex = {
  class: 'INDEX',
  instrument_id: 'CSI.000300',
  ins_id: '000300',
  ins_name: '沪深300',
  exchange_id: 'CSI',
  product_id: '',
  py: 'hs300',
  price_tick: 0.01,
  price_decs: 2,
  volume_multiple: 1,
  expired: false,
  trading_time: {
    day: [
      ['09:30:00', '11:30:00'],
      ['13:00:00', '15:00:00'],
    ],
    night: [],
  },
};

/** Decimals that a price of this step needs: 0.005 → 3, 5 → 0. */
export function decimalsOf(priceTick: number): number {
  let decimals = 0;
  while (decimals < 9 && Math.abs(priceTick * 10 ** decimals - Math.round(priceTick * 10 ** decimals)) > 1e-9)
    decimals++;
  return decimals;
}

/** Seconds since the epoch, as TqSdk counts expire_datetime. */
function expireSeconds(expireDate: number): number {
  return (dayToUtcMs(expireDate) + expiryHourUtcMs) / 1000;
}

/**
 * What a first snapshot says of the instrument itself, as JSON members without braces. Empty where the product is
 * unknown. An option shares its product's multiplier, but not its price step.
 */
export function staticFields(
  parsed: ParsedInstrumentId,
  contract: Contract | undefined,
  today: number,
): string {
  const { product } = parsed;
  if (product === undefined) return '';
  const members: Record<string, unknown> = {
    volume_multiple: product.multiplier,
    ins_class: parsed.class,
    ins_name: `${product.name}${parsed.delivery}`,
    trading_time: tradingTime(product),
  };
  if (parsed.class === 'FUTURE') {
    members['price_tick'] = product.priceTick;
    members['price_decs'] = decimalsOf(product.priceTick);
  }
  if (contract !== undefined) {
    members['expired'] = contract.expireDate < today;
    members['expire_datetime'] = expireSeconds(contract.expireDate);
  }
  return JSON.stringify(members).slice(1, -1);
}

/** The instrument file that TqSdk's clients read, as UTF-8 JSON keyed `EXCHANGE.id`. */
export function buildSymbolsFile(
  contracts: readonly Contract[],
  products: ProductTable,
  today: number,
): Buffer {
  const file: Record<string, unknown> = { 'CSI.000300': referenceIndex };
  for (const contract of contracts) {
    const product = products.get(contract.product);
    if (product !== undefined) file[`${contract.exchange}.${contract.id}`] = symbol(contract, product, today);
  }
  return Buffer.from(JSON.stringify(file));
}

function symbol(contract: Contract, product: Product, today: number): Record<string, unknown> {
  const delivery = /\d+/.exec(contract.id)?.[0] ?? '';
  return {
    class: 'FUTURE',
    instrument_id: `${contract.exchange}.${contract.id}`,
    ins_id: contract.id,
    ins_name: `${product.name}${delivery}`,
    exchange_id: contract.exchange,
    product_id: product.product,
    py: product.pinyin,
    price_tick: product.priceTick,
    price_decs: decimalsOf(product.priceTick),
    volume_multiple: product.multiplier,
    expired: contract.expireDate < today,
    expire_datetime: expireSeconds(contract.expireDate),
    delivery_year: contract.deliveryYear,
    delivery_month: contract.deliveryMonth,
    trading_time: tradingTime(product),
    // Margins and fees are set by brokers and not known here.
    margin: null,
    commission: null,
  };
}
