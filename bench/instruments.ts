import { liveContracts } from '../src/market/contracts.js';
import { parseInstrumentId } from '../src/market/instrumentId.js';
import { loadProducts } from '../src/market/products.js';

const firstStrike = 100;
const strikeStep = 50;

/**
 * So many instrument ids: the listed futures and, where those are too few, options on them with one strike after the
 * other, as real exchanges list them by the ten thousand.
 *
 * @throws RangeError when there are not so many
 */
export function instruments(count: number): string[] {
  const products = loadProducts();
  const futures = liveContracts(products, new Date()).map((contract) => contract.id);
  const ids = futures.slice(0, count);
  const underlyings = futures.filter(
    (id) => parseInstrumentId(`${id}C${firstStrike}`, products) !== undefined,
  );
  for (let strike = firstStrike; ids.length < count; strike += strikeStep) {
    if (underlyings.length === 0) throw new RangeError(`there are no ${count} instruments`);
    const room = count - ids.length;
    ids.push(...underlyings.flatMap((id) => [`${id}C${strike}`, `${id}P${strike}`]).slice(0, room));
  }
  return ids;
}

/**
 * Spreads instruments over clients so that each client has `each` of them and every instrument about as many clients
 * as any other: client c takes every n-th from its own starting point on.
 */
export function spreadOverClients(ids: readonly string[], clients: number, each: number): string[][] {
  const share = Math.min(each, ids.length);
  const stride = Math.max(1, Math.floor(ids.length / share));
  return Array.from({ length: clients }, (_, client) =>
    Array.from({ length: share }, (_unused, place) => ids[(client + place * stride) % ids.length]!),
  );
}
