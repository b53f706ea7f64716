import type { Logger } from 'pino';
import { conceivableContracts, type Contract } from '../market/instruments/contracts.js';
import type { InstrumentDirectory } from '../market/instruments/instrumentDirectory.js';
import { KnownInstruments } from '../market/instruments/knownInstruments.js';
import { KnownInstrumentsFile } from '../market/instruments/knownInstrumentsFile.js';
import type { ProductTable } from '../market/instruments/products.js';
import type { TradingCalendar } from '../market/calendar/tradingCalendar.js';
import type { Connections } from './connections.js';
import { Discovery } from './discovery.js';

const passMs = 1_000;

export interface InstrumentFinderParts {
  readonly enabled: boolean;
  /** Absolute path of the file that keeps what was found. */
  readonly file: string;
  readonly products: ProductTable;
  readonly calendar: TradingCalendar;
  readonly directory: InstrumentDirectory;
  readonly connections: Pick<Connections, 'tryOut' | 'endTrial' | 'provesExistence'>;
  readonly log: Logger;
  /** The list has changed. */
  readonly onListing: () => void;
}

/** Adds to the list of instruments what is found to exist, and remembers it. Does nothing while it is not enabled. */
export class InstrumentFinder {
  readonly #options: InstrumentFinderParts;
  readonly #known: KnownInstruments;
  readonly #file: KnownInstrumentsFile;
  readonly #discovery: Discovery;
  /** Slots that have ticked since the last pass. */
  readonly #fresh = new Set<number>();
  #isEnabled: boolean;
  #timer: NodeJS.Timeout | undefined;
  #foundSinceSweep = 0;

  /** Reads the file. */
  constructor(options: InstrumentFinderParts) {
    const { directory, connections, products, calendar } = options;
    this.#options = options;
    this.#isEnabled = options.enabled;
    this.#known = new KnownInstruments(products, calendar);
    this.#file = new KnownInstrumentsFile(options.file, this.#known, options.log);
    if (options.enabled) this.#read();
    this.#discovery = new Discovery(
      {
        tradingDay: () => directory.listed().tradingDay,
        candidates: () => this.#candidates(),
        tryOut: ({ exchange, id }) => {
          const slot = directory.resolve(`${exchange}.${id}`)?.slot;
          return slot !== undefined && connections.tryOut(slot) ? slot : undefined;
        },
        endTrial: (slot) => connections.endTrial(slot),
        found: (slot) => this.#fresh.add(slot),
        swept: (tradingDay) => this.#swept(tradingDay),
      },
      this.#known.swept,
    );
  }

  start(): void {
    this.#timer = setInterval(() => this.#pass(), passMs);
  }

  /** Turns it on or off. */
  configure(enabled: boolean): void {
    if (enabled === this.#isEnabled) return;
    this.#isEnabled = enabled;
    if (!enabled) this.#discovery.stop();
  }

  /** Somebody wants the instrument; when it ticks, it exists. */
  wanted(slot: number): void {
    if (this.#isEnabled) this.#discovery.watch(slot);
  }

  /** A tick that the book has taken; on the tick path. */
  onTick(slot: number, connection: number): void {
    if (this.#discovery.watches(slot) && this.#options.connections.provesExistence(connection))
      this.#discovery.ticked(slot);
  }

  /** Nothing is tried any more; ends when what was found is on disk. */
  stop(): Promise<void> {
    clearInterval(this.#timer);
    return this.#file.close();
  }

  #pass(): void {
    if (!this.#isEnabled) return;
    this.#takeFresh();
    this.#discovery.pass(performance.now());
  }

  #read(): void {
    const { directory } = this.#options;
    this.#file.read(directory.listed().tradingDay);
    directory.setFound(this.#known.contracts());
  }

  #takeFresh(): void {
    const { directory, onListing } = this.#options;
    const { contracts, tradingDay } = directory.listed();
    const before = this.#foundSinceSweep;
    for (const slot of this.#fresh) {
      const { id, key } = directory.bySlot(slot);
      if (!contracts.has(id) && this.#known.add(key, tradingDay)) this.#foundSinceSweep++;
    }
    this.#fresh.clear();
    if (!this.#known.prune(tradingDay) && this.#foundSinceSweep === before) return;
    directory.setFound(this.#known.contracts());
    this.#file.changed();
    onListing();
  }

  /** Listed instruments exist anyhow. */
  #candidates(): Contract[] {
    const { directory, products, calendar } = this.#options;
    const { contracts, tradingDay } = directory.listed();
    return conceivableContracts(products, tradingDay, calendar).filter(({ id }) => !contracts.has(id));
  }

  #swept(tradingDay: number): void {
    this.#options.log.info(
      { trading_day: tradingDay, found: this.#foundSinceSweep },
      `all conceivable contracts were tried: ${this.#foundSinceSweep} exist that no rule lists`,
    );
    this.#foundSinceSweep = 0;
    this.#known.swept = tradingDay;
    this.#file.changed();
  }
}
