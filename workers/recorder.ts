/** The recorder's thread: follows the tape and writes day files. Started by Recorder. */
import { setImmediate as turn } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { HolidayCalendar } from '../src/market/holidayCalendar.js';
import { BlockSink } from '../src/recorder/blockSink.js';
import type { RecorderEvent, RecorderFigures, RecorderSpec } from '../src/recorder/messages.js';
import { TickRecorder } from '../src/recorder/tickRecorder.js';
import { TapeReader } from '../src/ring/tape.js';

/** Ticks taken in one turn, so that a command is heard between. */
const turnBudget = 4096;
const figuresMs = 500;

class RecorderWorker {
  readonly #post: (event: RecorderEvent) => void;
  readonly #reader: TapeReader;
  readonly #sink: BlockSink;
  readonly #recorder: TickRecorder;
  #stopping = false;
  #wake: () => void = () => undefined;
  #toldAtMs = -Infinity;
  #told = '';

  constructor(spec: RecorderSpec, post: (event: RecorderEvent) => void) {
    this.#post = post;
    this.#reader = new TapeReader(spec.tape, spec.fromStart);
    this.#sink = new BlockSink(spec, (level, text) => post({ type: 'log', level, text }));
    const calendar = new HolidayCalendar(spec.holidays);
    this.#recorder = new TickRecorder({ ...spec, calendar }, this.#sink);
  }

  stop(): void {
    this.#stopping = true;
    this.#wake();
  }

  /** Resolves when all is written after stop(). */
  async run(): Promise<void> {
    for (;;) {
      const now = performance.now();
      const taken = this.#take(now);
      this.#recorder.missed(this.#reader.missed);
      this.#recorder.flushDue(now);
      if (now >= this.#sink.dueMs) this.#sink.maintain(now);
      if (taken === turnBudget) await turn();
      else if (this.#stopping) break;
      else {
        this.#tell(now);
        await this.#rest(this.#waitMs(now));
      }
    }
    const now = performance.now();
    this.#recorder.flush(now);
    this.#sink.close(now);
    this.#tell(Infinity);
  }

  /** Until there is a tick, the time is over, or the end. A promise of its own each time: a lasting one keeps who waits. */
  #rest(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
      void this.#reader.wait(ms).then(resolve);
    });
  }

  #take(now: number): number {
    const { record } = this.#reader;
    let taken = 0;
    while (taken < turnBudget && this.#reader.next()) {
      this.#recorder.take(record.tick, record.key, now);
      taken++;
    }
    return taken;
  }

  #waitMs(now: number): number {
    const { told, figures } = this.#isNews();
    const figuresDue = told === figures ? Infinity : this.#toldAtMs + figuresMs;
    const due = Math.min(this.#recorder.dueMs, this.#sink.dueMs, figuresDue);
    return due === Infinity ? Infinity : Math.max(1, due - now);
  }

  #tell(now: number): void {
    const { told, figures } = this.#isNews();
    if (told === figures || now < this.#toldAtMs + figuresMs) return;
    this.#told = figures;
    this.#toldAtMs = now;
    this.#post({ type: 'figures', figures: JSON.parse(figures) as RecorderFigures });
  }

  #isNews(): { told: string; figures: string } {
    const { ticks, files, bytes, lost } = this.#sink.counters;
    const figures: RecorderFigures = {
      ticks,
      files,
      bytes,
      behind: this.#reader.behind + this.#recorder.pending + this.#sink.waitingTicks,
      missed: this.#reader.missed,
      lost,
      file: this.#sink.path,
      failure: this.#sink.failure,
    };
    return { told: this.#told, figures: JSON.stringify(figures) };
  }
}

const port = parentPort;
if (port === null) throw new Error('the recorder is started by the gateway, not by hand');
const worker = new RecorderWorker(workerData as RecorderSpec, (event) => port.postMessage(event));
// There is one command (RecorderCommand).
port.on('message', () => worker.stop());
await worker.run();
port.close();
