/** How long workers and the vendor's libraries in them are waited for, in ms. */
export interface WorkerDeadlines {
  /** A worker that does not answer for so long hangs in a library: it is given up, and replaced. */
  readonly answerMs: number;
  /** A library that has not let go of a session by then is not waited for: another session is opened beside it. */
  readonly releaseMs: number;
  /** The process releases one session after the other, and begins the next when one takes longer than this. */
  readonly nextReleaseMs: number;
}

export const workerDeadlines: WorkerDeadlines = {
  answerMs: 10_000,
  releaseMs: 15_000,
  nextReleaseMs: 10_000,
};
