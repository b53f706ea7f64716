import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { barePublish } from './barePublish.js';
import { plainWs } from './plainWs.js';
import { baselineKinds, type Baseline, type BaselineInput, type BaselineKind } from './server.js';
import { TickStream } from './tickStream.js';
import { tunedWs } from './tunedWs.js';
import { errorText } from '../../src/base/errorText.js';

const builders: Readonly<Record<BaselineKind, (input: BaselineInput) => Baseline>> = {
  plain: plainWs,
  tuned: tunedWs,
  bare: barePublish,
};

/**
 * A baseline server as a process: `main.js KIND FILE`, the file holding {instruments, sample}. It prints its port, obeys
 * `rate N` (ticks per second) and `last` (prints the number of each instrument's newest tick), and ends with its input.
 */
async function run(kind: string | undefined, file: string | undefined): Promise<void> {
  const known = baselineKinds.find((each) => each === kind);
  if (known === undefined || file === undefined) throw new Error('usage: main.js plain|tuned|bare FILE');
  const { instruments, sample } = JSON.parse(readFileSync(file, 'utf8')) as {
    instruments: string[];
    sample: string;
  };
  const numbers = new Map(instruments.map((id, number) => [id, number]));
  const numberOf = (id: string): number => {
    const number = numbers.get(id);
    if (number === undefined) throw new Error(`no instrument ${id}`);
    return number;
  };
  const server = builders[known]({ instruments, sample, numberOf });
  const port = await server.listen();
  const stream = new TickStream(instruments.length, server);
  const say = (words: object): void => void process.stdout.write(`${JSON.stringify(words)}\n`);
  createInterface({ input: process.stdin })
    .on('line', (line) => {
      const [command, value] = line.split(' ');
      if (command === 'rate') stream.setRate(Number(value));
      else if (command === 'last')
        say({ event: 'last', last: instruments.map((_, number) => stream.sequence(number)) });
    })
    .on('close', () => process.exit(0));
  say({ event: 'listening', port, start_us: stream.startUs });
}

run(process.argv[2], process.argv[3]).catch((error: unknown) => {
  process.stderr.write(`baseline: ${errorText(error)}\n`);
  process.exit(1);
});
