import * as hdr from 'hdr-histogram-js';
import type { TickTraceReport } from '../../src/profile/tickTrace.js';
import type { Probe } from '../processes/load.js';

/** Where a tick's time goes, in the order of its way. */
export const hopNames = ['front', 'ring', 'book', 'encode', 'write', 'client'] as const;
export type HopName = (typeof hopNames)[number];

/** What each hop is, for tables. */
export const hopMeanings: Readonly<Record<HopName, string>> = {
  front: 'intended send → bridge',
  ring: 'bridge → its batch begins',
  book: 'batch: the book’s share',
  encode: 'batch: encode and publish, their share',
  write: 'batch complete → the turn’s writes made',
  client: 'from there → its socket’s turn, and read',
};

export interface HopFigures {
  readonly p50_ms: number;
  readonly p99_ms: number;
  readonly mean_ms: number;
  readonly samples: number;
}

export type Hops = Readonly<Record<HopName, HopFigures>>;

const significantDigits = 3;
const largestUs = 60_000_000;
const usPerMs = 1000;

class Hop {
  readonly #histogram = hdr.build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: largestUs,
    numberOfSignificantValueDigits: significantDigits,
  });

  add(ms: number): void {
    this.#histogram.recordValue(Math.min(largestUs, Math.max(0, Math.round(ms * usPerMs))));
  }

  figures(): HopFigures {
    const h = this.#histogram;
    const at = (percent: number): number => h.getValueAtPercentile(percent) / usPerMs;
    return { p50_ms: at(50), p99_ms: at(99), mean_ms: h.mean / usPerMs, samples: h.totalCount };
  }
}

const mean = (values: readonly number[]): number =>
  values.length === 0 ? 0 : values.reduce((sum, each) => sum + each, 0) / values.length;

/**
 * Divides the time of sampled ticks among the hops. Intended times come from the ticks themselves (open interest, µs
 * since `startUs`), receipts from the clients that wrote theirs down.
 *
 * The ticks of a batch wait for each other, so a batch's time is divided by what its parts cost per tick: otherwise a
 * slow book would show wherever its ticks wait.
 */
export function hopsOf(trace: TickTraceReport, startUs: number, probes: readonly Probe[]): Hops {
  const column = (name: string): number => {
    const at = trace.columns.indexOf(name);
    if (at < 0) throw new Error(`the trace has no column ${name}`);
    return at;
  };
  const [volume, openInterest] = [column('volume'), column('open_interest')];
  const [received, begun, taken] = [column('received'), column('begun'), column('taken')];
  const [applied, published, ended] = [column('applied'), column('published'), column('ended')];
  const written = column('written');

  const firstReceipt = new Map<string, number>();
  for (const { instrument, sequence, receivedMs } of probes) {
    const key = `${instrument} ${sequence}`;
    if (!firstReceipt.has(key)) firstReceipt.set(key, receivedMs);
  }
  const at = (sample: TickTraceReport['samples'][number], place: number): number => sample[place] as number;
  const bookCost = mean(trace.samples.map((each) => at(each, applied) - at(each, taken)));
  const encodeCost = mean(trace.samples.map((each) => at(each, published) - at(each, applied)));
  const bookShare = bookCost / Math.max(Number.MIN_VALUE, bookCost + encodeCost);

  const hops = Object.fromEntries(hopNames.map((name) => [name, new Hop()])) as Record<HopName, Hop>;
  for (const sample of trace.samples) {
    const inBatch = Math.max(0, at(sample, ended) - Math.max(at(sample, begun), at(sample, received)));
    hops.front.add(at(sample, received) - (startUs + at(sample, openInterest)) / usPerMs);
    hops.ring.add(at(sample, begun) - at(sample, received));
    hops.book.add(inBatch * bookShare);
    hops.encode.add(inBatch * (1 - bookShare));
    hops.write.add(at(sample, written) - at(sample, ended));
    const receipt = firstReceipt.get(`${sample[0]} ${at(sample, volume)}`);
    if (receipt !== undefined) hops.client.add(receipt - at(sample, written));
  }
  return Object.fromEntries(hopNames.map((name) => [name, hops[name].figures()])) as Hops;
}

/** The hop whose mean has grown most from one run to another: where a regression is. */
export function slowerHop(before: Hops, after: Hops): { readonly hop: HopName; readonly byMs: number } {
  const growth = hopNames.map((hop) => ({ hop, byMs: after[hop].mean_ms - before[hop].mean_ms }));
  return growth.reduce((most, each) => (each.byMs > most.byMs ? each : most));
}
