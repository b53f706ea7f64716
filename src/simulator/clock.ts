/** Where the simulated exchange stands in time: the machine's clock, or a scripted one that starts and runs as told. */
export class SimulationClock {
  #originMs = 0;
  #originReal = 0;
  #speed: number;
  #scripted = false;

  /** `startMs` is ms since the epoch; without it and at speed 1 this is the machine's clock. */
  constructor(startMs?: number, speed = 1) {
    this.#speed = speed;
    if (startMs !== undefined || speed !== 1) this.set(startMs ?? Date.now(), speed);
  }

  /** Simulated ms per real ms. */
  get speed(): number {
    return this.#speed;
  }

  /** True when the clock has been taken off the machine's. */
  get scripted(): boolean {
    return this.#scripted;
  }

  /** ms since the epoch, a whole number. */
  now(): number {
    if (!this.#scripted) return Date.now();
    return Math.floor(this.#originMs + (performance.now() - this.#originReal) * this.#speed);
  }

  /** Real ms until a simulated instant; negative when it has passed. */
  realMsUntil(instant: number): number {
    return (instant - this.now()) / this.#speed;
  }

  /** Sets the clock to an instant and a speed, from which it continues. */
  set(nowMs: number, speed = this.#speed): void {
    this.#originMs = nowMs;
    this.#originReal = performance.now();
    this.#speed = speed;
    this.#scripted = true;
  }
}
