/** The recorder's thread: follows the tape and writes day files. Started by Recorder. */
import { setImmediate as turn } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { HolidayCalendar } from '../src/market/calendar/holidayCalendar.js';
import { BlockSink, type TapePlace } from '../src/recorder/blockSink.js';
import { RecordableTick } from '../src/recorder/recordableTick.js';
import type { RecorderCommand, RecorderEvent, RecorderSpec } from '../src/recorder/messages.js';
import { RecorderProgress } from '../src/recorder/recorderProgress.js';
import { TickRecorder } from '../src/recorder/tickRecorder.js';
import { GuardedTapeReader } from '../src/tape/poisonTicks.js';
import { runInBackground } from '../src/base/threadPriority.js';

/** Ticks taken in one turn, so that a command is heard between. */
const turnBudget = 4096;

/** A tape that is read on from where threads before this one have come to. */
class Place implements TapePlace {
  readonly reader: GuardedTapeReader;
  readonly #missedBefore: number;

  constructor({ tape, poison }: RecorderSpec, progress: RecorderProgress) {
    this.reader = new GuardedTapeReader(tape, progress.get('position'), poison);
    this.#missedBefore = progress.get('missed');
  }

  get position(): number {
    return this.reader.position;
  }

  get missed(): number {
    return this.#missedBefore + this.reader.missed;
  }
}

class RecorderWorker {
  readonly #post: (event: RecorderEvent) => void;
  readonly #progress: RecorderProgress;
  readonly #place: Place;
  readonly #sink: BlockSink;
  readonly #recorder: TickRecorder;
  readonly #recordable = new RecordableTick();
  #stopping = false;
  #wake: () => void = () => undefined;
  /** As it was told last. */
  #file: string | undefined;
  #failure = '';

  constructor(spec: RecorderSpec, post: (event: RecorderEvent) => void) {
    this.#post = post;
    this.#progress = new RecorderProgress(spec.progress);
    this.#place = new Place(spec, this.#progress);
    this.#sink = new BlockSink(spec, post, this.#progress);
    const calendar = new HolidayCalendar(spec.holidays);
    this.#recorder = new TickRecorder({ ...spec, calendar }, this.#sink, this.#place);
    this.#sink.passed(this.#place);
  }

  hear(command: RecorderCommand): void {
    if (command.type === 'holidays') {
      this.#recorder.useCalendar(new HolidayCalendar(command.holidays));
    } else {
      this.#stopping = true;
      this.#wake();
    }
  }

  /** Resolves when all is written after a stop; rejects with what went wrong, once all before it is written. */
  async run(): Promise<void> {
    try {
      await this.#follow();
    } finally {
      const now = performance.now();
      this.#recorder.flush(now);
      this.#sink.close(now);
    }
  }

  async #follow(): Promise<void> {
    for (;;) {
      const now = performance.now();
      const taken = this.#take(now);
      this.#recorder.flushDue(now);
      if (now >= this.#sink.dueMs) this.#sink.maintain(now);
      if (this.#recorder.pending === 0) this.#sink.passed(this.#place);
      this.#publish();
      if (taken === turnBudget) await turn();
      else if (this.#stopping) return;
      else await this.#rest(Math.min(this.#recorder.dueMs, this.#sink.dueMs) - now);
    }
  }

  /** Until there is a tick, the time is over, or the end. A promise of its own each time: a lasting one keeps who waits. */
  #rest(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
      void this.#place.reader.wait(Math.max(1, ms)).then(resolve);
    });
  }

  #take(now: number): number {
    const { reader } = this.#place;
    const { record } = reader;
    let taken = 0;
    while (taken < turnBudget && reader.next()) {
      this.#recorder.take(this.#recordable.of(record), record.key, record.flags, now);
      taken++;
    }
    reader.putDown();
    return taken;
  }

  #publish(): void {
    const progress = this.#progress;
    progress.set('overrun', this.#place.missed);
    progress.set('behind', this.#place.reader.behind + this.#recorder.pending + this.#sink.waitingTicks);
    const { path: file, failure } = this.#sink;
    if (file === this.#file && failure === this.#failure) return;
    this.#file = file;
    this.#failure = failure;
    this.#post({ type: 'target', target: { file, failure } });
  }
}

const port = parentPort;
if (port === null) throw new Error('the recorder is started by the gateway, not by hand');
runInBackground();
const worker = new RecorderWorker(workerData as RecorderSpec, (event) => port.postMessage(event));
port.on('message', (command: RecorderCommand) => worker.hear(command));
await worker.run();
port.close();
