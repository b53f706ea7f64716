import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { temporaryFolder } from '../config/sources.js';
import { packagePath } from '../../src/base/paths.js';
import { pythonWith } from '../helpers/python.js';
import { Program } from './processes.js';
import { until } from '../helpers/until.js';

/** The README's only example in a language. */
function exampleIn(language: string): string {
  const readme = readFileSync(packagePath('README.md'), 'utf8');
  const found = [...readme.matchAll(/^```(\w+)\n([^]*?)^```$/gm)].filter(([, name]) => name === language);
  expect(found).toHaveLength(1);
  return found[0]![2]!;
}

async function gateway(): Promise<string> {
  const program = new Program(['dist', 'src', 'main.js'], ['--port', '0', '--front-addr', 'sim://?rate=20'], {
    QACTPMD_FLOW_PATH: temporaryFolder(),
  });
  onTestFinished(async () => {
    await program.stop();
  });
  const { port } = JSON.parse(await program.line(/"msg":"listening"/)) as { port: number };
  return `127.0.0.1:${port}`;
}

it("the README's Python example prints ticks", async () => {
  const python = pythonWith('websockets');
  if (python === undefined) throw new Error('there is no python3 with websockets, run npm run test:setup');
  const example = exampleIn('python');
  expect(example).toContain('127.0.0.1:7799');
  const script = join(temporaryFolder(), 'example.py');
  writeFileSync(script, example.replace('127.0.0.1:7799', await gateway()));
  const child = spawn(python, ['-u', script], { stdio: ['ignore', 'pipe', 'pipe'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    createInterface({ input: stream }).on('line', (line) => lines.push(line));
  await until(
    () => `a tick in\n${lines.join('\n')}`,
    () => {
      if (child.exitCode !== null) throw new Error(`it ended:\n${lines.join('\n')}`);
      return lines.some((line) => /'action': 'market_data'.*'last_price': \d/.test(line));
    },
  );
});

it('no document or script runs the program through npx, which would build it again beside a running one', () => {
  const files = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'package.json', 'Dockerfile'];
  const docs = [
    'data-quality',
    'health',
    'history',
    'instruments',
    'recording',
    'sessions',
    'simulator',
    'storage',
    'tqsdk',
  ];
  for (const file of [
    ...files,
    'docker-compose.yml',
    ...docs.map((name) => `docs/${name}.md`),
    'src/cli/help.ts',
  ])
    expect(readFileSync(packagePath(file), 'utf8'), file).not.toMatch(
      /npx (?:-\S+ )*(?:qactpmdgateway|\.)(?:\s|`)/,
    );
});
