/** So many connections that end without a login within this time are a front that accepts and closes. */
const mostCloses = 5;
const withinMs = 1_000;

/**
 * Notices a front that accepts connections and closes them at once. The vendor's library dials again at once after an
 * accepted connection, hundreds of times a second, and its pace cannot be set: only the end of its session stops it.
 */
export class QuickCloses {
  /** Moments of the last closes, at most mostCloses. */
  readonly #closes: number[] = [];
  #count = 0;
  #isFound = false;

  /** The connection ended before a login. True when it is time to give the session up. */
  closed(now: number): boolean {
    this.#count++;
    this.#closes.push(now);
    if (this.#closes.length < mostCloses) return false;
    const first = this.#closes.shift()!;
    if (now - first >= withinMs) return false;
    this.#closes.length = 0;
    this.#isFound = true;
    return true;
  }

  /** Forgets all that was: the front takes us. */
  loggedIn(): void {
    this.#closes.length = 0;
    this.#count = 0;
    this.#isFound = false;
  }

  /** One line once the front was found to do so, until the next login; empty otherwise. */
  reason(fronts: readonly string[]): string {
    if (!this.#isFound) return '';
    return `${fronts.join(', ')} accepts and closes, ${this.#count} times since the last login`;
  }
}
