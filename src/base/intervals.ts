/** Work that is repeated. */
export interface Interval {
  readonly everyMs: number;
  readonly run: () => void;
}

/** Rounds, each at its own interval, until they are stopped or others take their place. */
export class Intervals {
  #timers: NodeJS.Timeout[] = [];

  start(rounds: readonly Interval[]): void {
    this.stop();
    this.#timers = rounds.map(({ everyMs, run }) => setInterval(run, everyMs));
  }

  stop(): void {
    for (const timer of this.#timers) clearInterval(timer);
    this.#timers = [];
  }
}
