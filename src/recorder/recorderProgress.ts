/**
 * What the recorder counts, from the gateway's start on, in the order of the memory.
 *
 *   ticks     in files
 *   files     that were begun
 *   bytes     in files
 *   lost      ticks that found no place on the disk
 *   position  the tape's number of the first tick that is not settled: all before it are in files, or counted
 *   missed    ticks that were overwritten on the tape, up to `position`
 *   untold    lost or missed ticks, up to `position`, that no file reports yet
 *   overrun   as missed, but up to where the thread reads now
 *   behind    ticks that wait on the tape, in a block, or for the disk
 */
const figures = [
  'ticks',
  'files',
  'bytes',
  'lost',
  'position',
  'missed',
  'untold',
  'overrun',
  'behind',
] as const;
export type RecorderFigure = (typeof figures)[number];

const places = Object.fromEntries(figures.map((figure, place) => [figure, place])) as Readonly<
  Record<RecorderFigure, number>
>;

/**
 * The recorder's counters, one double each in shared memory. The recorder's thread alone writes them, each at the moment at
 * which it becomes true, so they outlive a thread that is lost and the next one continues from there.
 */
export class RecorderProgress {
  readonly memory: SharedArrayBuffer;
  readonly #values: Float64Array;

  /** @param memory of another RecorderProgress; new memory, with zeros and no position, where there is none */
  constructor(memory?: SharedArrayBuffer) {
    this.memory = memory ?? new SharedArrayBuffer(figures.length * Float64Array.BYTES_PER_ELEMENT);
    this.#values = new Float64Array(this.memory);
    if (memory === undefined) this.set('position', NaN);
  }

  /** NaN for a position that was never set. */
  get(figure: RecorderFigure): number {
    return this.#values[places[figure]]!;
  }

  set(figure: RecorderFigure, value: number): void {
    this.#values[places[figure]] = value;
  }

  add(figure: RecorderFigure, count: number): void {
    this.#values[places[figure]]! += count;
  }
}
