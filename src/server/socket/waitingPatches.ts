/**
 * Answers that wait for a client's next peek, each a JSON merge patch; of one subject, such as a chart, the newest alone.
 */
export class WaitingPatches {
  readonly #patches = new Map<string, string>();
  readonly #most: number;
  #chars = 0;

  /** @param most characters of all of them */
  constructor(most: number) {
    this.#most = most;
  }

  get isEmpty(): boolean {
    return this.#patches.size === 0;
  }

  /** Characters of all of them. */
  get chars(): number {
    return this.#chars;
  }

  /** False where it would be too much; the answer that waited before continues waiting then. */
  put(subject: string, patch: string): boolean {
    const replaced = this.#patches.get(subject);
    const freed = replaced === undefined ? 0 : subject.length + replaced.length;
    const chars = this.#chars - freed + subject.length + patch.length;
    if (chars > this.#most) return false;
    this.#chars = chars;
    this.#patches.delete(subject);
    this.#patches.set(subject, patch);
    return true;
  }

  /** All of them, in the order of their coming, each with a comma before; they wait no longer. */
  take(): string {
    let text = '';
    for (const patch of this.#patches.values()) text += `,${patch}`;
    this.#patches.clear();
    this.#chars = 0;
    return text;
  }
}
