import { listInstruments } from '../src/market/instruments/optionContracts.js';
import { loadProducts } from '../src/market/instruments/products.js';

/**
 * The first so many instruments that simulated fronts list: futures, then options.
 *
 * @throws RangeError when fewer are listed
 */
export function instruments(count: number): string[] {
  const ids = listInstruments(loadProducts(), new Date(), undefined, count).map(({ id }) => id);
  if (ids.length < count) throw new RangeError(`only ${ids.length} of ${count} instruments are listed`);
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
