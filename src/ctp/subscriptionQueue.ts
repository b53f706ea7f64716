/** Most ids in one call: a front closes sessions that ask for everything at once. */
const callIds = 500;
/** ms in which at most so many ids are requested, by one call or several: instruments that move here must not wait for later requests. */
const windowMs = 500;
/** Calls are at least this far apart, so that many small wishes become few requests. */
const minPauseMs = 50;
const retryDelayMs = 1_000;
/** A front has answered by then. An answer says which id it is about, but not which of two requests for it. */
const answerMs = 2_000;
const noSlot = -1;

export type SubscriptionCommand =
  | { readonly type: 'subscribe'; readonly ids: readonly string[]; readonly slots: readonly number[] }
  | { readonly type: 'unsubscribe'; readonly ids: readonly string[] };

/**
 * What a session should be subscribed to, what it has asked the front for since the last login, and the requests
 * that turn the one into the other at the permitted pace. Fronts do not confirm reliably, so what was asked for
 * counts as subscribed until it is refused.
 *
 *   wanted    id → slot      the coordinator's wish; survives reconnects
 *   asked     id → times, ms, slot   asked for since the last login, and when and with which slot for the last time
 *   doubtful  ids            asked for, but the answer may have been lost: wanted ones are asked for again
 *   dirty     ids            wanted and asked may differ, or doubtful
 *   resting   id → ms        unsubscribed before the answer was sure to have come; not asked for again before then,
 *                            so that a refusal of the first request is never taken for one of the second
 */
export class SubscriptionQueue {
  readonly #wanted = new Map<string, number>();
  readonly #asked = new Map<string, { times: number; at: number; slot: number }>();
  readonly #doubtful = new Set<string>();
  readonly #dirty = new Set<string>();
  readonly #resting = new Map<string, number>();
  /** Instruments that the last requests unsubscribed, with the slots that they have until the requests are made. */
  readonly #letGo = new Map<string, number>();
  #sendNotBefore = -Infinity;
  /** Calls of the last windowMs. */
  #calls: { readonly at: number; readonly ids: number }[] = [];

  /** When take() has something to give; Infinity when there is nothing to do. */
  get sendAt(): number {
    if (this.#dirty.size === 0) return Infinity;
    // A call waits until it may hold all there is, or as many as a call may hold.
    let lacking = Math.min(callIds, this.#dirty.size) - callIds;
    for (const { ids } of this.#calls) lacking += ids;
    let paced = this.#sendNotBefore;
    for (const { at, ids } of this.#calls) {
      if (lacking <= 0) break;
      lacking -= ids;
      paced = Math.max(paced, at + windowMs);
    }
    if (this.#resting.size === 0) return paced;
    let soonest = Infinity;
    for (const id of this.#dirty) soonest = Math.min(soonest, this.#resting.get(id) ?? -Infinity);
    return Math.max(soonest, paced);
  }

  wants(id: string): boolean {
    return this.#wanted.has(id);
  }

  /** Whether an answer of the front about this id is about the request that stands. */
  awaits(id: string): boolean {
    return this.#wanted.has(id) && this.#asked.has(id);
  }

  /** An instrument keeps its slot as long as it is wanted. */
  want(ids: readonly string[], slots: readonly number[]): void {
    ids.forEach((id, i) => {
      const slot = slots[i]!;
      this.#wanted.set(id, slot);
      const asked = this.#asked.get(id);
      // Its ticks would come with the slot that it has no more: it is asked for again.
      if (asked !== undefined && asked.slot !== slot) this.#doubtful.add(id);
      if (asked !== undefined && !this.#doubtful.has(id)) this.#dirty.delete(id);
      else this.#dirty.add(id);
    });
  }

  drop(ids: readonly string[]): void {
    for (const id of ids) {
      this.#wanted.delete(id);
      if (this.#asked.has(id)) this.#dirty.add(id);
      else this.#dirty.delete(id);
    }
  }

  /** The front does not know of these any more and shall not be asked again. */
  forget(ids: readonly string[]): void {
    for (const id of ids) {
      this.#wanted.delete(id);
      this.#asked.delete(id);
      this.#doubtful.delete(id);
      this.#dirty.delete(id);
    }
  }

  /** The connection or the login is gone, and all subscriptions with it. */
  forgetSent(): void {
    this.#asked.clear();
    this.#doubtful.clear();
    this.#dirty.clear();
    this.#resting.clear();
  }

  /** After a login: everything is asked for again. */
  sendAll(now: number): void {
    this.forgetSent();
    for (const id of this.#wanted.keys()) this.#dirty.add(id);
    this.#sendNotBefore = now;
    this.#calls = [];
  }

  /** Answers were lost: everything is asked for again, at the permitted pace; what the front has, it keeps. */
  askAgain(): void {
    for (const id of this.#wanted.keys()) {
      if (this.#asked.has(id)) this.#doubtful.add(id);
      this.#dirty.add(id);
    }
  }

  subscribeFailed(ids: readonly string[], now: number): void {
    for (const id of ids) {
      const { times, at, slot } = this.#asked.get(id) ?? { times: 1, at: now, slot: noSlot };
      if (times > 1) {
        this.#asked.set(id, { times: times - 1, at, slot });
        this.#doubtful.add(id);
      } else {
        this.#asked.delete(id);
      }
      if (this.#wanted.has(id) || times > 1) this.#dirty.add(id);
      else this.#dirty.delete(id);
    }
    this.#sendNotBefore = now + retryDelayMs;
  }

  unsubscribeFailed(ids: readonly string[], now: number): void {
    for (const id of ids) {
      this.#asked.set(id, { times: 1, at: now, slot: this.#letGo.get(id) ?? noSlot });
      this.#resting.delete(id);
      const wanted = this.#wanted.get(id);
      if (wanted !== undefined && wanted !== this.#letGo.get(id)) this.#doubtful.add(id);
      if (wanted !== undefined && !this.#doubtful.has(id)) this.#dirty.delete(id);
      else this.#dirty.add(id);
    }
    this.#sendNotBefore = now + retryDelayMs;
  }

  /** The requests to make now; they count as made. */
  take(now: number): SubscriptionCommand[] {
    if (now < this.sendAt) return [];
    for (const [id, until] of this.#resting) if (until <= now) this.#resting.delete(id);
    const subscribe: string[] = [];
    const slots: number[] = [];
    const unsubscribe: string[] = [];
    this.#letGo.clear();
    for (const id of this.#dirty) {
      if (subscribe.length + unsubscribe.length === callIds) break;
      if (this.#resting.has(id)) continue;
      this.#dirty.delete(id);
      const slot = this.#wanted.get(id);
      const asked = this.#asked.get(id);
      if (slot === undefined) {
        unsubscribe.push(id);
        if (asked !== undefined) this.#letGo.set(id, asked.slot);
        if (asked !== undefined && now < asked.at + answerMs) this.#resting.set(id, asked.at + answerMs);
        this.#asked.delete(id);
        this.#doubtful.delete(id);
      } else {
        subscribe.push(id);
        slots.push(slot);
        this.#asked.set(id, { times: (asked?.times ?? 0) + 1, at: now, slot });
        this.#doubtful.delete(id);
      }
    }
    this.#calls = this.#calls.filter(({ at }) => now - at < windowMs);
    this.#calls.push({ at: now, ids: subscribe.length + unsubscribe.length });
    this.#sendNotBefore = now + minPauseMs;
    const commands: SubscriptionCommand[] = [];
    if (unsubscribe.length > 0) commands.push({ type: 'unsubscribe', ids: unsubscribe });
    if (subscribe.length > 0) commands.push({ type: 'subscribe', ids: subscribe, slots });
    return commands;
  }
}
