/**
 * every: each tick must arrive (pushes of the action protocol)
 * newest: ticks may be skipped, never the last one (answers to peeks, which conflate)
 */
export type Delivery = 'every' | 'newest';

export interface HistoryFaults {
  /** Numbers that never came, between the first and the last that should have; none where delivery is `newest`. */
  lost: number;
  /** Numbers that came again. */
  duplicated: number;
  /** Numbers that came after a later one. */
  reordered: number;
  /** Numbers older than the first one: a state before the one that the client began with. */
  stale: number;
}

/** What one client has seen of one instrument. */
export interface StreamReport extends HistoryFaults {
  readonly client: string;
  readonly instrument: string;
  readonly received: number;
  /** The newest number seen; -1 when nothing came. */
  readonly last: number;
  /** The stream shows the last state; undefined where it is not known what that is. */
  readonly endsOnLast: boolean | undefined;
}

export interface HistoryReport extends HistoryFaults {
  readonly received: number;
  /** Streams that do not end on the last state. */
  readonly behind: number;
  readonly streams: readonly StreamReport[];
}

/** Numbers that have not come, as ranges [begin, end) in rising order. */
interface Gap {
  begin: number;
  end: number;
}

class Stream {
  received = 0;
  first = -1;
  last = -1;
  missing = 0;
  repeated = 0;
  late = 0;
  stale = 0;
  readonly #gaps: Gap[] = [];

  take(sequence: number): void {
    this.received++;
    if (this.last < 0) {
      this.first = sequence;
      this.last = sequence;
    } else if (sequence > this.last) {
      if (sequence > this.last + 1) this.#gaps.push({ begin: this.last + 1, end: sequence });
      this.missing += sequence - this.last - 1;
      this.last = sequence;
    } else if (sequence < this.first) {
      this.stale++;
    } else if (this.#fill(sequence)) {
      this.missing--;
      this.late++;
    } else {
      this.repeated++;
    }
  }

  #fill(sequence: number): boolean {
    const at = this.#gaps.findIndex(({ begin, end }) => sequence >= begin && sequence < end);
    const gap = this.#gaps[at];
    if (gap === undefined) return false;
    const parts = [
      { begin: gap.begin, end: sequence },
      { begin: sequence + 1, end: gap.end },
    ];
    this.#gaps.splice(at, 1, ...parts.filter(({ begin, end }) => begin < end));
    return true;
  }
}

/**
 * Judges what clients have received by the sequence in the stream, which grows by one with each tick of an instrument.
 * The first number seen is the base, since the sequence begins wherever the front's clock says. From there on, every
 * arrival is exactly one of: the next number, a jump (what lies between is missing until it comes), repeated, late
 * (it was missing), or stale (below the base). bench/load/history.h is the same for millions of arrivals a second.
 */
export class HistoryChecker {
  readonly #delivery: Delivery;
  readonly #streams = new Map<string, { client: string; instrument: string; stream: Stream }>();

  constructor(delivery: Delivery) {
    this.#delivery = delivery;
  }

  /** Says that the client should see the instrument, so that silence is noticed too. */
  expect(client: string, instrument: string): void {
    this.#streamOf(client, instrument);
  }

  /** One state as it arrived; `sequence` is a whole number from 0 on. */
  take(client: string, instrument: string, sequence: number): void {
    this.#streamOf(client, instrument).take(sequence);
  }

  /** @param lastOf the number of an instrument's last tick, where it is known */
  report(lastOf: (instrument: string) => number | undefined = () => undefined): HistoryReport {
    const total = { received: 0, lost: 0, duplicated: 0, reordered: 0, stale: 0, behind: 0 };
    const streams: StreamReport[] = [];
    for (const { client, instrument, stream } of this.#streams.values()) {
      const { received, last, missing, repeated, late, stale } = stream;
      const wanted = lastOf(instrument);
      // What should have come after the newest number is lost as well.
      const tail = wanted === undefined || last < 0 ? 0 : Math.max(0, wanted - last);
      const report: StreamReport = {
        client,
        instrument,
        received,
        last,
        lost: this.#delivery === 'every' ? missing + tail : 0,
        duplicated: repeated,
        reordered: late,
        stale,
        endsOnLast: wanted === undefined ? undefined : last === wanted,
      };
      streams.push(report);
      total.received += received;
      total.lost += report.lost;
      total.duplicated += repeated;
      total.reordered += late;
      total.stale += stale;
      if (report.endsOnLast === false) total.behind++;
    }
    return { ...total, streams };
  }

  #streamOf(client: string, instrument: string): Stream {
    const key = `${client} ${instrument}`;
    const known = this.#streams.get(key);
    if (known !== undefined) return known.stream;
    const stream = new Stream();
    this.#streams.set(key, { client, instrument, stream });
    return stream;
  }
}
