/**
 * What passes between the main thread and a connection worker. Ticks never do: they go through the rings.
 * Plain data only, so that every message survives structured clone.
 */

import type { DoorbellHandle } from '../../ring/doorbell.js';
import type { EventChannelHandle } from '../../ring/eventChannel.js';
import { type ThreadLine } from '../../base/logEvents.js';

export type { DoorbellHandle } from '../../ring/doorbell.js';

/** The public states of a connection; protocol.md's /health names. */
export type ConnectionState = 'disconnected' | 'connecting' | 'connected' | 'logged_in' | 'error';

/** Everything that a worker needs to open one session. */
export interface ConnectionSpec {
  /** Name from the configuration. */
  readonly id: string;
  /** Index of the connection in the process; written into every tick. */
  readonly connection: number;
  /** Absolute path of the vendor's library. */
  readonly library: string;
  /** The version whose interface it has; empty: as it says itself. */
  readonly libraryVersion: string;
  /** False: for the broker's evaluation back end. */
  readonly production: boolean;
  /** Front addresses such as tcp://host:port; the library takes the first that answers. */
  readonly fronts: readonly string[];
  readonly brokerId: string;
  readonly userId: string;
  readonly password: string;
  /** Memory of LoginPlaces, common to all connections with this user; undefined where there is no user. */
  readonly loginPlaces?: SharedArrayBuffer | undefined;
  /** Folder for the library's flow files. While an earlier session has it, the bridge takes NAME.2, NAME.3, … */
  readonly flowFolder: string;
  /** Shared memory of the session's tick ring. */
  readonly tickRing: SharedArrayBuffer;
  /** Doorbells of the tick ring's readers. */
  readonly tickDoorbells: readonly DoorbellHandle[];
}

/** Start data of a connection worker (its workerData). */
export interface WorkerStart {
  readonly channel: EventChannelHandle;
  /** WorkerDeadlines.releaseMs */
  readonly releaseMs: number;
}

export type WorkerCommand =
  | { readonly type: 'open'; readonly spec: ConnectionSpec }
  | {
      readonly type: 'subscribe';
      readonly connection: number;
      readonly ids: readonly string[];
      /** Tags (instrumentSlots.ts), which ticks come back with. */
      readonly slots: readonly number[];
    }
  | { readonly type: 'unsubscribe'; readonly connection: number; readonly ids: readonly string[] }
  /** Ends one session that is of no use any more and opens another in its place; its subscriptions stay. */
  | { readonly type: 'reopen'; readonly connection: number; readonly reason: string }
  /** A login that was refused is tried again. */
  | { readonly type: 'retry_login'; readonly connection: number }
  /** Ends one session: silence, release off the thread, then a `closed` event, after 15 s in any case. */
  | { readonly type: 'close'; readonly connection: number }
  /** To be answered at once: a worker that hangs in a vendor's library does not. */
  | { readonly type: 'ask' }
  /** Ends all sessions, then the worker itself. */
  | { readonly type: 'stop' };

/** `connection` is always ConnectionSpec.connection. */
export type WorkerEvent =
  | { readonly type: 'ready' }
  | { readonly type: 'answer' }
  | {
      readonly type: 'state';
      readonly connection: number;
      readonly state: ConnectionState;
      /** One line for /health and the log; empty when all is well. */
      readonly reason: string;
      /** True when the worker will not try again by itself. */
      readonly fatal: boolean;
    }
  /** The library's own version text, once per library and worker. */
  | {
      readonly type: 'library';
      readonly connection: number;
      readonly version: string;
      readonly warning: string;
    }
  /** The front was asked for these, by their tags: SubscribeMarketData took the batch. Also after each new login. */
  | { readonly type: 'requested'; readonly connection: number; readonly slots: readonly number[] }
  /** The front refused this id; code is the vendor's error id. */
  | {
      readonly type: 'refused';
      readonly connection: number;
      readonly id: string;
      readonly code: number;
      readonly text: string;
    }
  /** Nothing of the session writes into its ring any more, and the connection may be opened again. */
  | { readonly type: 'closed'; readonly connection: number }
  | (ThreadLine & { readonly connection?: number });
