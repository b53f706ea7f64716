import { liveContracts } from '../../src/market/instruments/contracts.js';
import { loadProducts } from '../../src/market/instruments/products.js';
import type { TickFeed } from '../../src/simulator/tickFeed.js';

const headerBytes = 8;
// Offsets in the vendor's struct, in the order of the wire format.
const prices = [80, 88, 96, 104, 112, 120, 128, 144, 152, 160, 168, 176, 184, 192, 200, 384, 568, 576];
const levels = [0, 32, 64, 96, 128];
const doubles = [...prices, ...levels.map((at) => 224 + at), ...levels.map((at) => 240 + at)];
const ints = [136, 220, ...levels.map((at) => 232 + at), ...levels.map((at) => 248 + at)];
const texts = [0, 392, 208, 40];

export type TickFields = Readonly<Record<string, number | string>>;

/** A tick frame's fields by their offset in the vendor's struct, reserved fields included. */
export function fieldsOf(frame: Buffer): TickFields {
  const fields: Record<string, number | string> = { 9: '', 49: '', 482: '' };
  let at = headerBytes;
  for (const offset of doubles) {
    fields[offset] = frame.readDoubleLE(at);
    at += 8;
  }
  for (const offset of ints) {
    fields[offset] = frame.readInt32LE(at);
    at += 4;
  }
  for (const offset of texts) {
    fields[offset] = frame.toString('latin1', at, at + 9).replace(/\0.*/s, '');
    at += 9;
  }
  return fields;
}

/** Steps at which an instrument ticks from `from` to `to`, in order. */
export function stepsBetween(feed: TickFeed, index: number, from: number, to: number): number[] {
  const steps: number[] = [];
  for (let step = feed.newestStep(index, to); step >= from; step = feed.newestStep(index, step - 1)) {
    steps.unshift(step);
  }
  return steps;
}

/** A listed contract of a product: the one after the nearest, which does not expire under a test. */
export function listedId(product: string): string {
  const products = loadProducts();
  const found = liveContracts(products, new Date()).filter((contract) => contract.product === product);
  return found[1]!.id;
}
