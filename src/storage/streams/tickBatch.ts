import { isRepeated } from './repeatedTicks.js';
import { isUpTo, type GatewayRuns } from '../shared/gatewayRuns.js';
import type { StoredInstrument, StoredInstruments } from '../quotes/storedInstrument.js';
import { isAfter, nextId } from '../../tickText/streamId.js';
import { TickState } from './tickArena.js';
import type { TickBacklog } from './tickBacklog.js';

/** Takes ticks that are skipped in a batch. */
export interface BatchEvents {
  /** It is in its stream already. */
  readonly onFound: (place: number, instrument: StoredInstrument) => void;
  /** Later ticks are in its stream; whether it is there has to be looked for, and it waits. */
  readonly onPassed: (place: number) => void;
  /** It tells nothing new after the newest entry of another run. */
  readonly onRepeated: () => void;
}

let batches = 0;

/**
 * The oldest ticks that wait, at most so many, that are to be sent together; each has the id that it is sent with. Those
 * of instruments whose streams' ends are not known, and all after them, wait for the next batch.
 *
 * @returns their places in the arena, in order
 */
export function planBatch(
  backlog: TickBacklog,
  instruments: StoredInstruments,
  runs: GatewayRuns,
  size: number,
  events: BatchEvents,
): number[] {
  const { arena } = backlog;
  const batch = ++batches;
  const places: number[] = [];
  let passed = 0;
  for (let place = backlog.next; place < arena.end && places.length + passed < size; place++) {
    if (arena.state(place) !== TickState.waiting) continue;
    const instrument = instruments.all[arena.instrument(place)]!;
    if (!instrument.isKnown) break;
    if (instrument.batch !== batch) begin(instrument, batch);
    const run = arena.run(place);
    const n = arena.n(place);
    if (isUpTo(run, n, instrument.newestRun, instrument.newestN) && runs.isLate(run, n)) {
      events.onPassed(place);
      passed++;
    } else if (isUpTo(run, n, instrument.newestRun, instrument.newestN)) {
      events.onFound(place, instrument);
      backlog.done(place);
    } else if (isUpTo(run, n, instrument.plannedRun, instrument.plannedN)) {
      // A copy, from the folder, of one that is in the batch.
      backlog.done(place);
    } else if (
      instrument.foreign !== undefined &&
      isRepeated(instrument, run, runs.name(run), arena.text(place))
    ) {
      events.onRepeated();
      backlog.done(place);
    } else {
      giveId(backlog, place, instrument);
      instrument.plannedRun = run;
      instrument.plannedN = n;
      places.push(place);
    }
  }
  return places;
}

function begin(instrument: StoredInstrument, batch: number): void {
  instrument.batch = batch;
  instrument.planned = { ms: instrument.lastMs, n: instrument.lastN };
  instrument.plannedRun = instrument.newestRun;
  instrument.plannedN = instrument.newestN;
}

/** A tick keeps the id that it was sent with, as long as the stream is not past it. */
function giveId({ arena }: TickBacklog, place: number, instrument: StoredInstrument): void {
  const had = { ms: arena.idMs(place), n: arena.idN(place) };
  if (isAfter(had, instrument.planned)) {
    instrument.planned = had;
    return;
  }
  const id = nextId(instrument.planned, arena.timeMs(place), arena.receivedMs(place));
  arena.setId(place, id.ms, id.n);
  instrument.planned = id;
}
