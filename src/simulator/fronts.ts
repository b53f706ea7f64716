import { readProductTable } from '../config/productsFile.js';
import { loadCalendar, type HolidayCalendar } from '../market/calendar/holidayCalendar.js';
import type { ProductTable } from '../market/instruments/products.js';
import type { SimulatorArguments } from './arguments.js';
import type { SimulationClock } from './clock.js';
import { ArgumentError } from './commandLine.js';
import { ControlServer } from './control.js';
import { SimulatedExchange } from './exchange.js';
import { Front } from './front.js';
import type { Market } from './market.js';
import { portInUse } from './portInUse.js';
import { errorText } from '../base/errorText.js';

/** All fronts of one process over one simulated exchange, and the control API where it is wanted. */
export class Fronts {
  readonly #arguments: SimulatorArguments;
  readonly #market: Market;
  readonly #fronts: Front[] = [];
  readonly #control: ControlServer;

  /**
   * @param clock is that of the control API
   * @param market what the fronts send; the simulated exchange where it is not given
   * @throws ArgumentError when a file that is named is of no use, one line for each thing that is wrong
   */
  constructor(given: SimulatorArguments, clock: SimulationClock, market?: Market) {
    this.#arguments = given;
    this.#market = market ?? simulatedExchange(given, clock);
    this.#control = new ControlServer({
      fronts: this.#fronts,
      clock,
      clockSet: () => this.#market.clockSet(),
    });
  }

  /** Number of instruments that are listed now. */
  get instruments(): number {
    return this.#market.listedIds().size;
  }

  /** Listens on every port and gives them in order. Rejects, naming the address, when one cannot be had. */
  async listen(): Promise<number[]> {
    const { host, basePort, rejectLogin, queueLimit } = this.#arguments;
    const ports: number[] = [];
    for (let i = 0; i < this.#arguments.fronts; i++) {
      const front = new Front(i + 1, this.#market, queueLimit);
      if (rejectLogin !== 0) front.apply({ fault: 'login_error', error: rejectLogin, text: undefined });
      const port = basePort === 0 ? 0 : basePort + i;
      ports.push(await named(host, port, () => front.listen(host, port)));
      this.#fronts.push(front);
    }
    return ports;
  }

  /** Opens the control API where one is wanted and gives its port. Rejects when the port cannot be had. */
  async listenForControl(): Promise<number | undefined> {
    const port = this.#arguments.controlPort;
    return port === undefined ? undefined : named('127.0.0.1', port, () => this.#control.listen(port));
  }

  close(): void {
    this.#control.close();
    for (const front of this.#fronts) front.close();
    this.#market.close();
  }
}

/** The products that the command line names. @throws ArgumentError with a line for each thing that is wrong with them */
export function productsOf({ productsFile }: SimulatorArguments): ProductTable {
  const { products, faults } = readProductTable(productsFile, process.cwd());
  if (faults.length > 0) throw new ArgumentError(faults.map((fault) => `--products ${fault}`).join('\n'));
  return products;
}

function simulatedExchange(given: SimulatorArguments, clock: SimulationClock): SimulatedExchange {
  const calendar = given.calendarFile === '' ? {} : { calendar: calendarOf(given.calendarFile) };
  return new SimulatedExchange({ ...given, products: productsOf(given), clock, ...calendar });
}

function calendarOf(file: string): HolidayCalendar {
  try {
    return loadCalendar(file);
  } catch (error) {
    throw new ArgumentError(`--calendar ${(error as Error).message}`, { cause: error });
  }
}

async function named(host: string, port: number, listen: () => Promise<number>): Promise<number> {
  try {
    return await listen();
  } catch (error) {
    throw new Error(`cannot listen on ${host}:${port}: ${reasonOf(error)}`, { cause: error });
  }
}

function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'EADDRINUSE') return portInUse;
  return errorText(error);
}
