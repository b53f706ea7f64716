import type { StreamSink } from './tickStream.js';

/** What a baseline is built from. */
export interface BaselineInput {
  readonly instruments: readonly string[];
  /** A market_data frame of the gateway, whose bytes the baseline's are like. */
  readonly sample: string;
  /** Place of an instrument in the list. */
  readonly numberOf: (instrument: string) => number;
}

/** A server to compare the gateway with: action clients subscribe and get every tick. */
export interface Baseline extends StreamSink {
  /** Starts to listen on loopback; the port. */
  listen(): Promise<number>;
}

export const baselineKinds = ['plain', 'tuned', 'bare'] as const;
export type BaselineKind = (typeof baselineKinds)[number];
