import type { HopName } from '../figures/hops.js';

/** What the command line may set of any scenario; what it skips is the scenario's own. */
export interface Settings {
  readonly seconds?: number | undefined;
  readonly warmup?: number | undefined;
  readonly runs?: number | undefined;
  readonly clients?: number | undefined;
  /** Instruments of each client. */
  readonly each?: number | undefined;
  readonly instruments?: number | undefined;
  /** Ticks per second over all instruments. */
  readonly rate?: number | undefined;
  readonly connections?: number | undefined;
  /** Longer windows. */
  readonly full: boolean;
  /** As many runs as a figure needs that is kept, at the cost of minutes. */
  readonly thorough: boolean;
  readonly slow?: HopName | undefined;
  /** File for a CPU profile of the gateway's main thread. */
  readonly profile?: string | undefined;
}

/** The conditions of a scenario after the command line has had its say. */
export interface Conditions {
  readonly seconds: number;
  readonly warmup: number;
  readonly runs: number;
  readonly clients: number;
  readonly each: number;
  readonly instruments: number;
  readonly rate: number;
  readonly connections: number;
}

const fullSeconds = 10;
const thoroughRuns = 5;

export function conditionsOf(preset: Conditions, settings: Settings): Conditions {
  const { seconds, warmup, runs, clients, each, instruments, rate, connections, full, thorough } = settings;
  return {
    seconds: seconds ?? (full ? fullSeconds : preset.seconds),
    warmup: warmup ?? preset.warmup,
    runs: runs ?? (thorough ? Math.max(thoroughRuns, preset.runs) : preset.runs),
    clients: clients ?? preset.clients,
    each: each ?? preset.each,
    instruments: instruments ?? preset.instruments,
    rate: rate ?? preset.rate,
    connections: connections ?? preset.connections,
  };
}
