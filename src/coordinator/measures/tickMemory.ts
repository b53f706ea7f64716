import { grown } from '../../base/growable.js';

/** Ticks that are remembered of each instrument: four seconds at the exchanges' two a second. */
const keys = 8;
/** Lines of one instrument at once. */
const seats = 8;
const halfDayMs = 12 * 3_600_000;
const firstPlaces = 64;

/** A place is 576 bytes in a row, so that a tick touches few cache lines. */
const intsPerPlace = 144;
const floatsPerPlace = 144;
const doublesPerPlace = 72;
/** Int32 fields of an instrument's memory; the first three are rings over the keys, `connection` has the seats. */
const I = {
  volume: 0,
  time: keys,
  delivered: 2 * keys,
  connection: 3 * keys,
  oldest: 3 * keys + seats,
  count: 3 * keys + seats + 1,
  following: 3 * keys + seats + 2,
  astray: 3 * keys + seats + 3,
} as const;
/** Float64 fields of an instrument's memory, rings over the keys. */
const D = { base: 20, earliest: 20 + keys } as const;
/** Float32 field of an instrument's memory: one number for each key and seat. */
const arrival = 72;

/** Takes what the memory finds about a line. */
export interface RaceJudge {
  /** It delivered a tick so much later than the first line; 0 when it was the first itself. */
  delivered(connection: number, delayMs: number): void;
  /** It never delivered a tick that another line did. */
  missed(connection: number): void;
}

/**
 * The newest ticks of the instruments that several lines carry, one place for each instrument.
 *
 * A tick is known by its key, (volume, time of day). A place remembers its newest keys in order and, for each key, who
 * delivered it (a bit per seat) and when:
 *
 *   ints     [place · 144 + I.…]                   keys, seats, counters
 *   doubles  [place · 72 + D.…]                    receive time of the first record taken, and the earliest, epoch ms
 *   floats   [place · 144 + 72 + key · 8 + seat]   receive time less base, ms
 *
 * A line's first tick is the snapshot that follows a subscription, of any age: it gives the line its seat, and no more.
 * A key is judged when it leaves the memory, by receive times and not by the order in which the rings were read. It
 * is judged for the lines that followed the instrument then: that delivered an older key before, and this or a newer
 * one since. So neither a line that has just joined nor one that is being dropped is blamed; a line that lacks all the
 * keys of the memory has left, and joins again if it comes back. Only what two lines followed is a race.
 * An arrival that comes after one of a newer key was late by that much at least, even if nobody else had the tick.
 * Keys that step back, and continue to, are those of a new day: the memory start again.
 */
export class TickMemory {
  #ints = new Int32Array(firstPlaces * intsPerPlace);
  #floats = new Float32Array(this.#ints.buffer);
  #doubles = new Float64Array(this.#ints.buffer);
  #placesUsed = 0;
  readonly #judge: RaceJudge;

  constructor(judge: RaceJudge) {
    this.#judge = judge;
  }

  /** Empties the place; places are numbered from 0 on. */
  clear(place: number): void {
    this.#placesUsed = Math.max(this.#placesUsed, place + 1);
    this.#reserve(this.#placesUsed * intsPerPlace);
    const at = place * intsPerPlace;
    this.#ints.fill(0, at, at + intsPerPlace);
    this.#ints.fill(-1, at + I.connection, at + I.connection + seats);
  }

  /** Forgets at every place what the line delivered. */
  forget(connection: number): void {
    for (let place = 0; place < this.#placesUsed; place++) {
      const at = place * intsPerPlace;
      for (let seat = 0; seat < seats; seat++)
        if (this.#ints[at + I.connection + seat] === connection) this.#freeSeat(at, seat);
    }
  }

  /** Takes a tick in; on the tick path. */
  take(place: number, connection: number, volume: number, time: number, receiveMs: number): void {
    const ints = this.#ints;
    const at = place * intsPerPlace;
    const seat = this.#seatOf(at, connection);
    if (seat < 0) {
      this.#join(at, connection);
      return;
    }
    const count = ints[at + I.count]!;
    const oldest = ints[at + I.oldest]!;
    let position = count;
    while (position > 0) {
      const key = (oldest + position - 1) % keys;
      const newer = compare(volume, time, ints[at + I.volume + key]!, ints[at + I.time + key]!);
      if (newer === 0) {
        this.#deliver(place, key, seat, receiveMs);
        return;
      }
      if (newer > 0) break;
      position--;
    }
    this.#takeNew(place, position, seat, volume, time, receiveMs);
  }

  /** A key that is not remembered, and belongs before the one at `position`. */
  #takeNew(
    place: number,
    position: number,
    seat: number,
    volume: number,
    time: number,
    receiveMs: number,
  ): void {
    const ints = this.#ints;
    const at = place * intsPerPlace;
    if (position === ints[at + I.count]!) {
      ints[at + I.astray] = 0;
    } else if (++ints[at + I.astray]! >= keys) {
      ints[at + I.count] = ints[at + I.following] = ints[at + I.astray] = position = 0;
    }
    if (ints[at + I.count] === keys) {
      if (position === 0) {
        this.#countBehind(place, seat, receiveMs);
        return;
      }
      this.#judgeOldest(place, 1 << seat);
      ints[at + I.oldest] = (ints[at + I.oldest]! + 1) % keys;
      ints[at + I.count]!--;
      position--;
    }
    const oldest = ints[at + I.oldest]!;
    for (let each = ints[at + I.count]!; each > position; each--)
      this.#copyKey(place, (oldest + each - 1) % keys, (oldest + each) % keys);
    ints[at + I.count]!++;
    const key = (oldest + position) % keys;
    ints[at + I.volume + key] = volume;
    ints[at + I.time + key] = time;
    ints[at + I.delivered + key] = 0;
    this.#doubles[place * doublesPerPlace + D.base + key] = receiveMs;
    this.#doubles[place * doublesPerPlace + D.earliest + key] = receiveMs;
    this.#deliver(place, key, seat, receiveMs);
  }

  #deliver(place: number, key: number, seat: number, receiveMs: number): void {
    const delivered = place * intsPerPlace + I.delivered + key;
    const bit = 1 << seat;
    // Two ticks may bear the same volume and time; the first stands for both.
    if ((this.#ints[delivered]! & bit) !== 0) return;
    this.#ints[delivered]! |= bit;
    const at = place * doublesPerPlace + key;
    this.#floats[place * floatsPerPlace + arrival + key * seats + seat] =
      receiveMs - this.#doubles[at + D.base]!;
    if (receiveMs < this.#doubles[at + D.earliest]!) this.#doubles[at + D.earliest] = receiveMs;
  }

  /** The oldest key is about to leave the full memory, for one that the lines `incoming` delivered. */
  #judgeOldest(place: number, incoming: number): void {
    const ints = this.#ints;
    const at = place * intsPerPlace;
    const oldest = ints[at + I.oldest]!;
    const delivered = ints[at + I.delivered + oldest]!;
    let newer = incoming;
    for (let key = 0; key < keys; key++) if (key !== oldest) newer |= ints[at + I.delivered + key]!;
    const followed = ints[at + I.following]!;
    const following = followed & (delivered | newer);
    if ((following & (following - 1)) !== 0) this.#judgeKey(place, oldest, delivered, following);
    ints[at + I.following] = following | delivered;
    if (following === followed) return;
    for (let seat = 0; seat < seats; seat++)
      if ((followed & ~following & (1 << seat)) !== 0) this.#freeSeat(at, seat);
  }

  #judgeKey(place: number, key: number, delivered: number, following: number): void {
    const doubles = place * doublesPerPlace;
    let earliest = Infinity;
    for (let each = 0; each < keys; each++)
      earliest = Math.min(earliest, this.#doubles[doubles + D.earliest + each]!);
    const baseDelay = this.#doubles[doubles + D.base + key]! - earliest;
    for (let seat = 0; seat < seats; seat++) {
      const bit = 1 << seat;
      if ((following & bit) === 0) continue;
      const connection = this.#ints[place * intsPerPlace + I.connection + seat]!;
      if ((delivered & bit) === 0) this.#judge.missed(connection);
      else
        this.#judge.delivered(
          connection,
          baseDelay + this.#floats[place * floatsPerPlace + arrival + key * seats + seat]!,
        );
    }
  }

  /** A line that is behind all that is remembered: by how much at least is known. */
  #countBehind(place: number, seat: number, receiveMs: number): void {
    const at = place * intsPerPlace;
    const oldest = this.#ints[at + I.oldest]!;
    const delayMs = receiveMs - this.#doubles[place * doublesPerPlace + D.earliest + oldest]!;
    if (delayMs > 0) this.#judge.delivered(this.#ints[at + I.connection + seat]!, delayMs);
  }

  #copyKey(place: number, from: number, to: number): void {
    const at = place * intsPerPlace;
    for (const field of [I.volume, I.time, I.delivered])
      this.#ints[at + field + to] = this.#ints[at + field + from]!;
    const doubles = place * doublesPerPlace;
    for (const field of [D.base, D.earliest])
      this.#doubles[doubles + field + to] = this.#doubles[doubles + field + from]!;
    const arrivals = place * floatsPerPlace + arrival;
    for (let seat = 0; seat < seats; seat++)
      this.#floats[arrivals + to * seats + seat] = this.#floats[arrivals + from * seats + seat]!;
  }

  /** The line's seat; -1 when it has none. */
  #seatOf(at: number, connection: number): number {
    for (let seat = 0; seat < seats; seat++)
      if (this.#ints[at + I.connection + seat] === connection) return seat;
    return -1;
  }

  /** Gives the line a seat, if there is one that is free or whose line has none of the keys of a full memory. */
  #join(at: number, connection: number): void {
    const ints = this.#ints;
    let used = ints[at + I.count] === keys ? ints[at + I.following]! : -1;
    for (let key = 0; key < keys; key++) used |= ints[at + I.delivered + key]!;
    let given = -1;
    for (let seat = 0; seat < seats; seat++) {
      if (ints[at + I.connection + seat] === -1) given = seat;
      else if (given < 0 && (used & (1 << seat)) === 0) given = seat;
    }
    if (given < 0) return;
    this.#freeSeat(at, given);
    ints[at + I.connection + given] = connection;
  }

  #freeSeat(at: number, seat: number): void {
    const others = ~(1 << seat);
    this.#ints[at + I.connection + seat] = -1;
    this.#ints[at + I.following]! &= others;
    for (let key = 0; key < keys; key++) this.#ints[at + I.delivered + key]! &= others;
  }

  #reserve(length: number): void {
    if (length <= this.#ints.length) return;
    const ints = grown(this.#ints, length);
    this.#ints = ints;
    this.#floats = new Float32Array(ints.buffer);
    this.#doubles = new Float64Array(ints.buffer);
  }
}

/** Above 0 when the first key is the newer one. Of equal volumes the time tells, midnight or not. */
function compare(volume: number, time: number, otherVolume: number, otherTime: number): number {
  if (volume !== otherVolume) return volume - otherVolume;
  const passed = time - otherTime;
  return Math.abs(passed) <= halfDayMs ? passed : -passed;
}
