import type { ConnectionState } from '../coordinator/workers/workerMessages.js';

/** Input of a session. */
export type SessionInput =
  | { readonly type: 'open' }
  /** The library is not ready to be opened yet. */
  | { readonly type: 'opening' }
  /** The library could not be opened (`lasting`: not this file on this machine) or made no session. */
  | { readonly type: 'open_failed'; readonly text: string; readonly lasting: boolean }
  /** The session was made but did not start. */
  | { readonly type: 'start_failed'; readonly text: string }
  | { readonly type: 'front_connected' }
  | { readonly type: 'front_disconnected'; readonly text: string }
  | { readonly type: 'login_response'; readonly code: number; readonly text: string }
  /** The request could not be sent; a ReturnCode. */
  | { readonly type: 'login_failed'; readonly code: number }
  | { readonly type: 'error'; readonly code: number; readonly text: string; readonly requestId: number }
  | { readonly type: 'subscribe'; readonly ids: readonly string[]; readonly slots: readonly number[] }
  | { readonly type: 'unsubscribe'; readonly ids: readonly string[] }
  | { readonly type: 'subscribe_failed'; readonly ids: readonly string[]; readonly code: number }
  | { readonly type: 'unsubscribe_failed'; readonly ids: readonly string[]; readonly code: number }
  | { readonly type: 'refused'; readonly id: string; readonly code: number; readonly text: string }
  /** The front refused more ids than could be told. */
  | { readonly type: 'refusals_lost'; readonly count: number }
  /** Something may be due: wakeAt has come. */
  | { readonly type: 'time' }
  /** The session is of no use any more: let go of it and begin again. */
  | { readonly type: 'reopen'; readonly reason: string }
  /** The cause of a refused login may have been corrected. */
  | { readonly type: 'retry_login' }
  | { readonly type: 'close' }
  | { readonly type: 'released' };

/** Commands that a session gives. */
export type SessionCommand =
  | { readonly type: 'open' }
  | { readonly type: 'login'; readonly requestId: number }
  | { readonly type: 'subscribe'; readonly ids: readonly string[]; readonly slots: readonly number[] }
  | { readonly type: 'unsubscribe'; readonly ids: readonly string[] }
  /** Silence the session and let go of it; `released` follows. */
  | { readonly type: 'release' }
  /** The session is not waited for any more: another is opened beside it. */
  | { readonly type: 'abandon' }
  | {
      readonly type: 'state';
      readonly state: ConnectionState;
      readonly reason: string;
      readonly fatal: boolean;
    }
  | { readonly type: 'refused'; readonly id: string; readonly code: number; readonly text: string }
  | { readonly type: 'warn'; readonly text: string }
  | { readonly type: 'closed' };
