import { execFileSync, spawnSync } from 'node:child_process';
import { beforeAll, describe, expect, it } from 'vitest';
import { packagePath } from '../../src/base/paths.js';

beforeAll(() => {
  execFileSync('make', ['-s', '-C', packagePath('bench', 'load')]);
});

const runDeadlineMs = 120_000;
const small = ['--runs', '1', '--clients', '2', '--instruments', '20', '--rate', '100'];

interface Printed {
  readonly gap_ms: number;
  readonly faults: readonly {
    readonly fault: string;
    readonly redundancy: number;
    readonly gap_ms: { readonly median: number };
    readonly lost: number;
  }[];
}

describe('the failover scenario', () => {
  it(
    'kills and stops a front under either redundancy; with two lines nothing is lost meanwhile',
    () => {
      const { status, stdout, stderr } = spawnSync(
        process.execPath,
        [packagePath('dist', 'bench', 'main.js'), '--scenario', 'failover', ...small, '--json'],
        { encoding: 'utf8', timeout: runDeadlineMs },
      );
      expect(stderr).toContain('failover SIGKILL, redundancy 2');
      expect(status).toBe(0);
      const result = JSON.parse(stdout.trim().split('\n').at(-1)!) as Printed;
      expect(result).toMatchObject({ scenario: 'failover', duplicated: 0, reordered: 0, behind: 0 });
      expect(result.faults.map(({ fault, redundancy }) => [fault, redundancy])).toEqual([
        ['SIGKILL', 1],
        ['SIGSTOP', 1],
        ['SIGKILL', 2],
        ['SIGSTOP', 2],
      ]);
      for (const { redundancy, lost, gap_ms } of result.faults) {
        if (redundancy === 2) expect(lost).toBe(0);
        expect(gap_ms.median).toEqual(expect.any(Number));
      }
      expect(result.gap_ms).toBe(result.faults[0]!.gap_ms.median);
      // The one line that there was said nothing for a time-out.
      expect(result.faults[1]!.gap_ms.median).toBeGreaterThan(500);
    },
    runDeadlineMs,
  );
});
