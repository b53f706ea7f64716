/**
 * How much a client may leave unread. What the kernel holds for it does not count, only what this process buffers.
 *
 * A push client's buffer is looked at after each write of what had gathered for it, so it is never longer than `lagBytes`
 * and one such write; uWebSockets' own limit, at which it leaves frames out, is never reached.
 */
export interface BackpressureLimits {
  /** Above it a push client lags: it gets no more pushes, and later the newest state. */
  readonly lagBytes: number;
  /** In place of lagBytes while all clients together have more than totalBytes buffered. */
  readonly scarceLagBytes: number;
  readonly totalBytes: number;
  /** Above it snapshots and answers to peeks wait, also those that catch a lagging client up. */
  readonly holdBytes: number;
  /** At or below it a client is not looked at any more. */
  readonly resumeBytes: number;
  /** A client that asks for more while more than this is unread is cut off: it does not read the answers. */
  readonly cutBytes: number;
  /** Above it, of all clients together, those with the most unread are cut off. */
  readonly totalCutBytes: number;
  /** ms without reading a byte, after which a client that is waited for is cut off. */
  readonly stallMs: number;
  /** ms between two looks at those that are waited for. */
  readonly stallCheckMs: number;
}

const kib = 1024;
const mib = 1024 * kib;

export const defaultBackpressure: BackpressureLimits = {
  lagBytes: 8 * mib,
  scarceLagBytes: 512 * kib,
  totalBytes: 256 * mib,
  holdBytes: 256 * kib,
  resumeBytes: 64 * kib,
  cutBytes: 16 * mib,
  totalCutBytes: 1024 * mib,
  stallMs: 30_000,
  stallCheckMs: 1_000,
};

/** uWebSockets' own limit, above everything that the rules here let happen. */
export const dropBytes = 256 * mib;
