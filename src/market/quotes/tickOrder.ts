import type { TickTime } from './exchangeClock.js';
import { StateBasis, type HeldStates } from './heldStates.js';
import type { LineOrder } from './lineOrder.js';
import { Field, fieldCount } from './quoteFields.js';
import { Content } from './tickContent.js';

/** So many ticks in a row that are later than the held state but contradict it prove that the state is the wrong one. */
const contradictionsToReset = 20;
/** "Later" means by this much: a second line of the instrument may lag, but is not ahead. */
const contradictionAheadMs = 10_000;

/** Whether a tick follows the held state of its instrument, by trading day, volume and time. */
export class TickOrder {
  readonly #states: HeldStates;
  readonly #order: LineOrder;
  readonly #time: TickTime;

  /** @param time of the tick that is asked for, filled again for each */
  constructor(states: HeldStates, order: LineOrder, time: TickTime) {
    this.#states = states;
    this.#order = order;
    this.#time = time;
  }

  /** Whether another line, whose packets lack the volume, has brought a book that is not older than the tick. */
  isBehindBook(slot: number, connection: number): boolean {
    const { values, bookAhead } = this.#states;
    const at = slot * fieldCount;
    return (
      bookAhead[slot] === 1 &&
      this.#time.epochMs <= values[at + Field.timestamp]! &&
      !this.#order.isInStep(slot, connection)
    );
  }

  /** Why the tick is not newer than the held state. Of one without a volume only its time tells. */
  whyOlder(
    slot: number,
    connection: number,
    volume: number,
    hasVolume: boolean,
  ): 'regressed' | 'falling_volume' | undefined {
    const { values } = this.#states;
    const at = slot * fieldCount;
    const { tradingDay, epochMs } = this.#time;
    const heldDay = values[at + Field.tradingDay]!;
    if (tradingDay !== heldDay) return tradingDay < heldDay ? 'regressed' : undefined;
    const heldVolume = values[at + Field.volume]!;
    const heldTime = values[at + Field.timestamp]!;
    if (!hasVolume) return epochMs < heldTime ? 'regressed' : undefined;
    if (Number.isNaN(heldVolume)) return undefined;
    // A trade comes with a later time; some seconds are left for clocks that are put right.
    if (volume > heldVolume) return epochMs < heldTime - contradictionAheadMs ? 'regressed' : undefined;
    if (volume === heldVolume) return epochMs < heldTime ? 'regressed' : undefined;
    // What a slower line brings late is older in both.
    const isLate = epochMs < heldTime || (epochMs === heldTime && !this.#order.isInStep(slot, connection));
    return isLate ? 'regressed' : 'falling_volume';
  }

  /**
   * Whether the tick is of the present, and the held state rests on less: on storage, and is of an earlier moment; or on
   * packets that lack so much that their trading day may have been a guess.
   */
  outranksHeld(slot: number, content: Content): boolean {
    const { values, basis: standing } = this.#states;
    const at = slot * fieldCount;
    const { stale, epochMs } = this.#time;
    if (stale || content >= Content.partial) return false;
    const heldTime = values[at + Field.timestamp]!;
    if (Number.isNaN(values[at + Field.volume]!)) return epochMs >= heldTime;
    return standing[slot] === StateBasis.restored && content === Content.whole && epochMs > heldTime;
  }

  /**
   * One tick with a garbage volume, time or day would bar all later ones until the next trading day. A late copy of
   * another line is behind in all of them; ticks of the present that are ahead in one, and keep coming, are the truth.
   */
  provesStateWrong(slot: number, volume: number): boolean {
    const { values, contradictions } = this.#states;
    const at = slot * fieldCount;
    const { stale, epochMs, tradingDay } = this.#time;
    const isAhead =
      epochMs >= values[at + Field.timestamp]! + contradictionAheadMs ||
      (tradingDay === values[at + Field.tradingDay] && volume > values[at + Field.volume]!);
    if (stale || !isAhead) return false;
    contradictions[slot]!++;
    return contradictions[slot]! >= contradictionsToReset;
  }
}
