import { loadProducts } from '../market/products.js';
import type { SimulatorArguments } from './arguments.js';
import { Exchange } from './exchange.js';
import { Front } from './front.js';

/** All fronts of one process over one simulated exchange. */
export class Fronts {
  readonly #arguments: SimulatorArguments;
  readonly #exchange: Exchange;
  readonly #fronts: Front[] = [];

  constructor(given: SimulatorArguments) {
    this.#arguments = given;
    this.#exchange = new Exchange({ seed: given.seed, rate: given.rate, products: loadProducts() });
  }

  /** Number of instruments that are listed now. */
  get instruments(): number {
    return this.#exchange.listedIds().size;
  }

  /** Listens on every port and gives them in order. Rejects, naming the address, when one cannot be had. */
  async listen(): Promise<number[]> {
    const { host, basePort, rejectLogin } = this.#arguments;
    const ports: number[] = [];
    for (let i = 0; i < this.#arguments.fronts; i++) {
      const front = new Front(i + 1, this.#exchange, { rejectLogin });
      const port = basePort === 0 ? 0 : basePort + i;
      try {
        ports.push(await front.listen(host, port));
      } catch (error) {
        throw new Error(`cannot listen on ${host}:${port}: ${reasonOf(error)}`, { cause: error });
      }
      this.#fronts.push(front);
    }
    return ports;
  }

  close(): void {
    for (const front of this.#fronts) front.close();
    this.#exchange.close();
  }
}

function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'EADDRINUSE') return 'the port is in use';
  return error instanceof Error ? error.message : String(error);
}
