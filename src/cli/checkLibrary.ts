import { resolve } from 'node:path';
import type { LibraryFacts } from '../ctp/bridge.js';
import { liveContracts } from '../market/instruments/contracts.js';
import { loadProducts } from '../market/instruments/products.js';
import type { CheckLibraryCommand } from './checkLibraryOptions.js';
import { tryLibrary, type LibraryUnderTest, type TrialResult } from './libraryTrials.js';
import { ProbeProcess } from './probeProcess.js';
import type { CliContext } from './cliContext.js';

/** 0: all went well; 1: it cannot be used; 3: it can, with a trouble that is named. 2 is a bad command line. */
const exitCodes = { usable: 0, unusable: 1, troubled: 3 } as const;
type Verdict = keyof typeof exitCodes;

const examineMs = 20_000;
/** Products of which contracts are subscribed where the command line names none: they tick as often as any. */
const liveliest = ['rb', 'm', 'TA', 'IF'];

/** Output of --json. */
interface LibraryReport {
  readonly file: string;
  readonly verdict: Verdict;
  readonly product: string;
  readonly version: string | null;
  readonly generation: string;
  readonly callback_order: string;
  readonly evidence: string;
  readonly factory: string;
  readonly request_class_bytes: number;
  readonly multicast_query: boolean;
  readonly longest_id: number | null;
  readonly warning: string;
  readonly refusal: string;
  readonly trials: readonly TrialResult[];
}

/** Loads it in a process of its own. A text instead of facts says how that process ended. */
async function examine(library: LibraryUnderTest): Promise<LibraryFacts | string> {
  const probe = new ProbeProcess({ ...library, fronts: [], sessions: 0, login: undefined });
  const inTime = await probe.ended(examineMs);
  if (probe.facts !== undefined) return probe.facts;
  if (!inTime) return `it did not load within ${examineMs / 1000} s`;
  return `${probe.crash || probe.failure || 'it ended the process'} while it was loaded`;
}

function productOf({ refusal, isLoaded }: LibraryFacts): string {
  if (!isLoaded) return '';
  return /CTP Mini|CTP for \w+ options/.exec(refusal)?.[0] ?? (refusal === '' ? 'CTP' : 'unknown');
}

function generationOf({ order, longestId, factory }: LibraryFacts): string {
  if (order === '') return '';
  if (order === '2013') return '2013';
  if (longestId <= 30) return '6.3';
  return factory.includes('production') ? '6.7.11 and later' : '6.5 to 6.7.10';
}

function reportOf(file: string, facts: LibraryFacts | string, trials: readonly TrialResult[]): LibraryReport {
  const crashed = typeof facts === 'string';
  const refusal = crashed ? facts : facts.refusal;
  const failed = refusal !== '' || trials.some(({ outcome }) => outcome === 'failed');
  const troubled = trials.some(({ outcome }) => outcome === 'trouble');
  return {
    file,
    verdict: failed ? 'unusable' : troubled ? 'troubled' : 'usable',
    product: crashed ? '' : productOf(facts),
    version: crashed ? null : (facts.version ?? null),
    generation: crashed ? '' : generationOf(facts),
    callback_order: crashed ? '' : facts.order,
    evidence: crashed ? '' : facts.evidence,
    factory: crashed ? '' : facts.factory,
    request_class_bytes: crashed ? 0 : facts.requestClassBytes,
    multicast_query: !crashed && facts.multicastQuery,
    longest_id: crashed || Number.isNaN(facts.longestId) ? null : facts.longestId,
    warning: crashed ? '' : facts.warning,
    refusal,
    trials,
  };
}

function linesOf(report: LibraryReport): string[] {
  const { product, version, generation, evidence, warning, refusal, trials, verdict } = report;
  const width = Math.max(
    ...['version', 'generation', ...trials.map(({ trial }) => trial)].map(({ length }) => length),
  );
  const line = (name: string, text: string): string[] =>
    text === '' ? [] : [`${name.padEnd(width)}  ${text}`];
  const words: Readonly<Record<Verdict, string>> = {
    usable: trials.some(({ trial }) => trial === 'front')
      ? 'the gateway can use it'
      : 'the gateway can use it, as far as can be told without a front (--front-addr)',
    troubled: 'the gateway can use it, but mind the trouble above',
    unusable: 'the gateway cannot use it',
  };
  return [
    ...line('product', product),
    ...line('version', version ?? (product === '' ? '' : 'none is told')),
    ...line('generation', generation),
    ...line('evidence', evidence),
    ...line('warning', warning),
    ...line('refused', refusal),
    ...trials.flatMap(({ trial, outcome, text }) =>
      line(trial, outcome === 'ok' ? text : `${outcome}: ${text}`),
    ),
    ...line('verdict', words[verdict]),
  ];
}

/** A contract of each of the liveliest products that is not about to expire. */
function instrumentsOf(command: CheckLibraryCommand): readonly string[] {
  if (command.instruments.length > 0) return command.instruments;
  const contracts = liveContracts(loadProducts(), new Date());
  return liveliest.flatMap((product) =>
    contracts
      .filter((each) => each.product === product)
      .slice(1, 5)
      .map(({ id }) => id),
  );
}

/** Says what a library is and how it behaves. It is loaded in other processes only, and dials only this machine and the front that is named. */
export async function checkLibrary(
  command: CheckLibraryCommand,
  env: NodeJS.ProcessEnv,
  { out, cwd }: Pick<CliContext, 'out' | 'cwd'>,
): Promise<number> {
  const library: LibraryUnderTest = {
    library: resolve(cwd, command.file),
    libraryVersion: command.ctpVersion,
    production: !command.evaluation,
  };
  const front =
    command.frontAddr.length === 0
      ? undefined
      : {
          addresses: command.frontAddr,
          login: { brokerId: command.brokerId, userId: command.userId, instruments: instrumentsOf(command) },
          password: command.passwordEnv === '' ? '' : (env[command.passwordEnv] ?? ''),
        };
  const facts = await examine(library);
  const trials: TrialResult[] = [];
  if (typeof facts !== 'string' && facts.refusal === '')
    for await (const trial of tryLibrary(library, front)) trials.push(trial);
  const report = reportOf(command.file, facts, trials);
  out(command.json ? `${JSON.stringify(report, null, 2)}\n` : `${linesOf(report).join('\n')}\n`);
  return exitCodes[report.verdict];
}
