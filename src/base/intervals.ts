/** What is done again and again. */
export interface Round {
  readonly everyMs: number;
  readonly run: () => void;
}

/** Rounds, each at its own interval, until they are stopped or others take their place. */
export class Rounds {
  #timers: NodeJS.Timeout[] = [];

  start(rounds: readonly Round[]): void {
    this.stop();
    this.#timers = rounds.map(({ everyMs, run }) => setInterval(run, everyMs));
  }

  stop(): void {
    for (const timer of this.#timers) clearInterval(timer);
    this.#timers = [];
  }
}
