import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { packagePath } from '../../src/base/paths.js';

beforeAll(() => {
  execFileSync('make', ['-s', '-C', packagePath('bench', 'load')]);
});

const runDeadlineMs = 60_000;

/** Runs the compiled bench to its end. */
function bench(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [packagePath('dist', 'bench', 'main.js'), ...args],
    { encoding: 'utf8', timeout: runDeadlineMs },
  );
  return { status, stdout, stderr };
}

const small = ['--seconds', '1', '--warmup', '0.2', '--runs', '1', '--clients', '5', '--each', '4'];
const few = ['--instruments', '20', '--rate', '200'];

interface Printed {
  readonly scenario: string;
  readonly lost: number;
  readonly delivered_per_s: number;
  readonly [name: string]: unknown;
}

function lastLine(text: string): Printed {
  return JSON.parse(text.trim().split('\n').at(-1)!) as Printed;
}

describe('a scenario', () => {
  it('prints the figures as one JSON object in the last line, whole histories included', () => {
    const folder = mkdtempSync(join(tmpdir(), 'qactpmd-bench-test-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const output = join(folder, 'results.json');
    const { status, stdout, stderr } = bench(
      '--scenario',
      'fanout',
      ...small,
      ...few,
      '--json',
      '--output',
      output,
    );
    expect(stderr).toContain('fanout 1/1');
    expect(status).toBe(0);
    const result = lastLine(stdout);
    expect(result).toMatchObject({ scenario: 'fanout', lost: 0, duplicated: 0, reordered: 0, behind: 0 });
    expect(result.delivered_per_s).toBeGreaterThan(0);
    for (const field of ['offered_per_s', 'p50_ms', 'p99_ms', 'p999_ms', 'max_ms', 'gateway_cpu_pct'])
      expect(result[field]).toEqual(expect.any(Number));
    expect(result).toMatchObject({
      conditions: { clients: 5, instruments: 20 },
      hops: { front: {}, client: {} },
      calibration: {},
    });
    expect(readFileSync(output, 'utf8')).toContain('"scenario": "fanout"');
  }, 60_000);

  it('by peek_message ends on the last state at every client', () => {
    const { status, stdout } = bench('--scenario', 'fanout-aid', ...small, ...few, '--json');
    expect(status).toBe(0);
    expect(lastLine(stdout)).toMatchObject({ duplicated: 0, reordered: 0, behind: 0 });
  }, 60_000);

  it('whose feature is not there yet says so and fails', () => {
    const { status, stderr } = bench('--scenario', 'cluster', '--json');
    expect(stderr).toContain('cluster cannot run yet');
    expect(status).toBe(3);
  });
});

describe('a command line that cannot be meant', () => {
  it.each([
    [['--scenario', 'nothing'], '--scenario nothing'],
    [['--rate', '-1'], '--rate'],
    [['--runs', '1.5'], '--runs 1.5'],
    [['--slow', 'everything'], '--slow everything'],
    [['--sceanrio', 'fanout'], '--sceanrio'],
  ])('%j is refused in one line', (args, named) => {
    const { status, stderr } = bench(...args);
    expect(stderr).toContain(named);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(status).toBe(2);
  });
});
