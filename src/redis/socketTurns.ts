/** Work on a server's connection. */
interface Turn {
  readonly isAlone: boolean;
  readonly begin: () => void;
}

/**
 * Who has a connection: commands of the client may be under way together, while anyone who reads an answer off the socket has
 * it alone. In the order in which they ask, so that neither keeps the other waiting forever.
 */
export class SocketTurns {
  readonly #waiting: Turn[] = [];
  #running = 0;
  #isTaken = false;

  /** Nobody has it and nobody waits for it. */
  get isIdle(): boolean {
    return this.#running === 0 && this.#waiting.length === 0;
  }

  /** Runs `work` beside others of its kind; at once where nobody has the connection alone or waits for that. */
  together<Result>(work: () => Promise<Result>): Promise<Result> {
    return this.#take(false, work);
  }

  /** Runs `work` when everything before it has ended, and nothing else meanwhile. */
  alone<Result>(work: () => Promise<Result>): Promise<Result> {
    return this.#take(true, work);
  }

  #take<Result>(isAlone: boolean, work: () => Promise<Result>): Promise<Result> {
    // What it throws at once is an outcome like any other.
    const run = async (): Promise<Result> => work();
    return new Promise((resolve, reject) => {
      const begin = (): void => {
        this.#running++;
        this.#isTaken = isAlone;
        run()
          .finally(() => this.#end())
          .then(resolve, reject);
      };
      if (this.#waiting.length === 0 && this.#mayBegin(isAlone)) begin();
      else this.#waiting.push({ isAlone, begin });
    });
  }

  #mayBegin(isAlone: boolean): boolean {
    return !this.#isTaken && (!isAlone || this.#running === 0);
  }

  #end(): void {
    this.#running--;
    this.#isTaken = false;
    while (this.#waiting.length > 0 && this.#mayBegin(this.#waiting[0]!.isAlone))
      this.#waiting.shift()!.begin();
  }
}
