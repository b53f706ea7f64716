import { execFileSync } from 'node:child_process';
import { beforeAll, describe, expect, it } from 'vitest';
import { attacks } from '../../bench/hostile/attacks.js';
import { hostileClients, honestLoad } from '../../bench/scenarios/fairness.js';
import { runGateway } from '../../bench/scenarios/gatewayRun.js';
import { pushLoad } from '../../bench/scenarios/pairedRuns.js';
import { packagePath } from '../../src/base/paths.js';

// What it does to latency is measured by the bench's scenario of the same name.
describe('an honest client with 300 live instruments', () => {
  beforeAll(() => {
    execFileSync('make', ['-s', '-C', packagePath('bench', 'load')]);
  }, 120_000);

  it.each(Object.keys(attacks))(
    'gets every tick once and in order, and ends on the last state, beside hostile ones: %s',
    async (name) => {
      const load = pushLoad({ ...honestLoad, warmup: 0.2, seconds: 2 });
      const { lost, duplicated, reordered, behind, unseen, missed_in_rings, ticks_taken } = await runGateway({
        ...load,
        trace: false,
        beside: hostileClients(name),
      });
      expect({ lost, duplicated, reordered, behind, unseen, missed_in_rings }).toEqual({
        lost: 0,
        duplicated: 0,
        reordered: 0,
        behind: 0,
        unseen: 0,
        missed_in_rings: 0,
      });
      expect(ticks_taken).toBeGreaterThan(1000);
    },
    90_000,
  );
});
