import type { RaceFigures } from '../../src/coordinator/measures/lineRace.js';

/** What LineRace promises, told with lists and sets, and without end of memory. */

const remembered = 8;
const halfWindowMs = 30_000;
const longestDelayMs = 60_000;
const dayMs = 24 * 3_600_000;

interface Key {
  readonly volume: number;
  readonly time: number;
  /** When each line delivered it. */
  readonly arrivals: Map<number, number>;
  /** Of the lines, forgotten ones too. */
  earliest: number;
}

interface Slot {
  keys: Key[];
  /** The lines that delivered a key that has left, and have not left themselves. */
  following: Set<number>;
  readonly joined: Set<number>;
  steppedBack: number;
}

interface Finding {
  readonly source: number;
  readonly half: number;
  /** NaN for a tick that was missed. */
  readonly delayMs: number;
}

export class SlowRace {
  #slots = new Map<number, Slot>();
  #findings: Finding[] = [];
  #half = 0;
  #turnAt = -Infinity;

  follow(slot: number, lines: number): void {
    if (lines < 2) this.#slots.delete(slot);
    else if (!this.#slots.has(slot))
      this.#slots.set(slot, { keys: [], following: new Set(), joined: new Set(), steppedBack: 0 });
  }

  tick(source: number, slotNumber: number, volume: number, time: number, receiveMs: number): void {
    const slot = this.#slots.get(slotNumber);
    if (slot === undefined || time < 0) return;
    if (receiveMs >= this.#turnAt || receiveMs < this.#turnAt - 2 * halfWindowMs) {
      const isNext = receiveMs >= this.#turnAt && receiveMs < this.#turnAt + halfWindowMs;
      this.#half += isNext ? 1 : 2;
      this.#turnAt = receiveMs + halfWindowMs;
    }
    if (!slot.joined.has(source)) {
      slot.joined.add(source);
      return;
    }

    const order = (key: Key): number => {
      if (key.volume !== volume) return key.volume - volume;
      const passed = (((key.time - time) % dayMs) + dayMs) % dayMs;
      return passed > dayMs / 2 ? passed - dayMs : passed;
    };
    const same = slot.keys.find((key) => order(key) === 0);
    if (same !== undefined) {
      if (same.arrivals.has(source)) return;
      same.arrivals.set(source, receiveMs);
      same.earliest = Math.min(same.earliest, receiveMs);
      return;
    }
    const isNewest = slot.keys.every((key) => order(key) < 0);
    slot.steppedBack = isNewest ? 0 : slot.steppedBack + 1;
    if (slot.steppedBack === remembered) {
      slot.keys = [];
      slot.following.clear();
      slot.steppedBack = 0;
    }
    const isOldest = slot.keys.length === remembered && slot.keys.every((key) => order(key) > 0);
    if (isOldest) {
      const delayMs = receiveMs - slot.keys[0]!.earliest;
      if (delayMs > 0) this.#find(source, delayMs);
      return;
    }
    if (slot.keys.length === remembered) this.#judge(slot, source);
    const key = { volume, time, arrivals: new Map([[source, receiveMs]]), earliest: receiveMs };
    slot.keys = [
      ...slot.keys.filter((each) => order(each) < 0),
      key,
      ...slot.keys.filter((each) => order(each) > 0),
    ];
  }

  forget(source: number): void {
    this.#findings = this.#findings.filter((each) => each.source !== source);
    for (const slot of this.#slots.values()) {
      slot.following.delete(source);
      slot.joined.delete(source);
      for (const key of slot.keys) key.arrivals.delete(source);
    }
  }

  take(source: number): RaceFigures {
    const own = this.#findings.filter((each) => each.source === source && each.half >= this.#half - 1);
    const delays = own.map((each) => each.delayMs).filter((delayMs) => !Number.isNaN(delayMs));
    delays.sort((a, b) => a - b);
    return {
      delayP50Ms: delays[Math.ceil(0.5 * delays.length) - 1] ?? NaN,
      delayP99Ms: delays[Math.ceil(0.99 * delays.length) - 1] ?? NaN,
      firstShare: delays.filter((delayMs) => delayMs === 0).length / delays.length,
      gapShare: (own.length - delays.length) / own.length,
      samples: delays.length,
    };
  }

  /** The oldest key leaves, as `incoming` delivers a newer one than it. */
  #judge(slot: Slot, incoming: number): void {
    const [oldest, ...rest] = slot.keys;
    slot.keys = rest;
    const since = new Set([incoming, ...rest.flatMap((key) => [...key.arrivals.keys()])]);
    const judged = [...slot.following].filter((line) => oldest!.arrivals.has(line) || since.has(line));
    const first = Math.min(...[oldest!, ...rest].map((key) => key.earliest));
    if (judged.length >= 2)
      for (const line of judged) this.#find(line, (oldest!.arrivals.get(line) ?? NaN) - first);
    for (const line of slot.following) if (!judged.includes(line)) slot.joined.delete(line);
    slot.following = new Set([...judged, ...oldest!.arrivals.keys()]);
  }

  #find(source: number, delayMs: number): void {
    if (!(delayMs > longestDelayMs)) this.#findings.push({ source, half: this.#half, delayMs });
  }
}
