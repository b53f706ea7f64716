import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packagePath } from '../../src/base/paths.js';
import type { BaselineKind } from '../baselines/server.js';
import { Child } from './child.js';

interface Listening {
  readonly port: number;
  readonly start_us: number;
}

/** A baseline server, which makes its own ticks. */
export class BaselineProcess {
  readonly child: Child;
  readonly port: number;
  /** µs since the epoch at which its intended times are 0. */
  readonly startUs: number;
  readonly #instruments: readonly string[];

  private constructor(child: Child, { port, start_us }: Listening, instruments: readonly string[]) {
    this.child = child;
    this.port = port;
    this.startUs = start_us;
    this.#instruments = instruments;
  }

  /** @param sample a market_data frame of the gateway */
  static async start(
    kind: BaselineKind,
    instruments: readonly string[],
    sample: string,
    folder: string,
  ): Promise<BaselineProcess> {
    const file = join(folder, `baseline-${kind}.json`);
    writeFileSync(file, JSON.stringify({ instruments, sample }));
    const main = packagePath('dist', 'bench', 'baselines', 'main.js');
    const child = new Child(`the ${kind} server`, process.execPath, [main, kind, file]);
    const listening = await child.next('a port', (line) => answer('listening', line));
    return new BaselineProcess(child, listening as Listening, instruments);
  }

  setRate(ticksPerS: number): void {
    this.child.send(`rate ${ticksPerS}`);
  }

  /** Number of each instrument's newest tick. */
  async last(): Promise<Map<string, number>> {
    this.child.send('last');
    const { last } = (await this.child.next('the last ticks', (line) => answer('last', line))) as {
      readonly last: readonly number[];
    };
    return new Map(this.#instruments.map((id, number) => [id, last[number]!]));
  }
}

function answer(event: string, line: string): unknown {
  return line.startsWith(`{"event":"${event}"`) ? JSON.parse(line) : undefined;
}
