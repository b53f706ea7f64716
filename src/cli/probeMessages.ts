import type { LibraryFacts } from '../ctp/bridge.js';

/** Task of a probe; its only argument, as JSON. */
export interface ProbeOrder {
  readonly library: string;
  /** As ctp_version; empty: as the library says. */
  readonly libraryVersion: string;
  readonly production: boolean;
  /** A folder that the probe may fill. */
  readonly folder: string;
  readonly fronts: readonly string[];
  /** 0: only tells what the library is. */
  readonly sessions: number;
  /** Logs in and subscribes these instruments; undefined: does not log in. */
  readonly login: ProbeLogin | undefined;
}

export interface ProbeLogin {
  readonly brokerId: string;
  readonly userId: string;
  readonly instruments: readonly string[];
}

/** The password comes by this variable: a command line is everybody's to read. */
export const passwordVariable = 'QACTPMD_PROBE_PASSWORD';

/** State of a probe's sessions so far. */
export interface ProbeState {
  /** Sessions that exist. */
  readonly opened: number;
  /** Sessions whose front was reported as connected at least once. */
  readonly everConnected: number;
  /** Reports of OnFrontConnected and OnFrontDisconnected. */
  readonly connected: number;
  readonly disconnected: number;
  /** Reasons of disconnects, each once. */
  readonly reasons: readonly number[];
  /** Answer to the login: the error id and its text, or what the front calls itself. */
  readonly login: { readonly code: number; readonly text: string; readonly tradingDay: number } | undefined;
  readonly ticks: number;
  /** Sessions that the library has let go of. */
  readonly released: number;
}

/** One line of JSON each, on descriptor 3. */
export type ProbeMessage =
  | { readonly type: 'facts'; readonly facts: LibraryFacts }
  | { readonly type: 'state'; readonly state: ProbeState }
  /** The library cannot be used, in one line. */
  | { readonly type: 'failed'; readonly text: string };

/** Lines that a probe reads from its standard input. */
export type ProbeCommand = 'release' | 'end';

export const reportDescriptor = 3;
