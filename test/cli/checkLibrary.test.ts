import { describe, expect, it } from 'vitest';
import { generations, libraryOf, newestVerified } from '../helpers/generations.js';
import { builtNative } from '../native/nativeBuild.js';
import { FrontProcess } from '../simulator/frontProcess.js';
import { run } from './console.js';

const testMs = 180_000;
const trialNames = ['connect', 'accept and close', 'garbage', 'reset', '20 sessions'];

interface Report {
  verdict: string;
  product: string;
  version: string | null;
  generation: string;
  callback_order: string;
  evidence: string;
  warning: string;
  refusal: string;
  trials: { trial: string; outcome: string; text: string }[];
}

async function check(file: string, ...options: string[]): Promise<{ code: unknown; report: Report }> {
  const { result, out } = await run(['check-library', file, '--json', ...options], {}, '/');
  return { code: 'exitCode' in result ? result.exitCode : undefined, report: JSON.parse(out) as Report };
}

const outcomes = ({ trials }: Report): string[] => trials.map(({ trial, outcome }) => `${trial}: ${outcome}`);

describe('check-library', { concurrent: true, timeout: testMs }, () => {
  it.each(generations)('finds nothing wrong with generation %s', async (generation) => {
    const { code, report } = await check(libraryOf(generation));
    expect(outcomes(report)).toEqual(trialNames.map((name) => `${name}: ok`));
    expect(code).toBe(0);
    const order = { '2013': '2013', '6.3.15': 'A' }[generation] ?? 'B';
    const size = { '2013': '0x68', A: '0x80', B: '0x88' }[order];
    expect(report).toMatchObject({
      verdict: 'usable',
      product: 'CTP',
      callback_order: order,
      evidence: `callback order ${order} by its request class of ${size} bytes`,
      refusal: '',
    });
    if (generation === '2013') expect(report.version).toBeNull();
    else expect(report.version).toContain(generation);
    expect(report.trials[0]!.text).toContain('OnFrontConnected when TCP is');
    expect(report.trials[1]!.text).toMatch(/dials, some \d+ a second/);
    expect(report.trials[2]!.text).toContain('bad packet, 0x2003');
  });

  it.each([
    ['mini_short', 'CTP Mini', 'version "V1.5" is CTP Mini, another product'],
    ['etf_options', 'CTP for ETF options', 'version "api_0324" is CTP for ETF options'],
    ['options_too', 'CTP for stock options', 'it is CTP for stock options, another product'],
    ['before_2013', 'unknown', 'it is older than 2013'],
    ['crashes', '', 'it crashed (SIGSEGV) while it was loaded'],
    ['exits', '', 'it ended the process while it was loaded'],
    ['undefined_symbol', '', 'undefined symbol: absent_function'],
  ])('refuses one that is %s, and tries nothing with it', async (name, product, refusal) => {
    const { code, report } = await check(builtNative(`odd_${name}`));
    expect(code).toBe(1);
    expect(report).toMatchObject({ verdict: 'unusable', product, trials: [] });
    expect(report.refusal).toContain(refusal);
  });

  it('refuses a file that is not there', async () => {
    const { code, report } = await check('/no/such.so');
    expect({ code, refusal: report.refusal }).toEqual({ code: 1, refusal: 'no such file' });
  });

  it('says how one ends that crashes over its first session', async () => {
    const { code, report } = await check(builtNative('odd_crashes_at_create'));
    expect(code).toBe(1);
    expect(report.trials).toMatchObject([{ trial: 'connect', outcome: 'failed' }]);
    expect(report.trials[0]!.text).toContain('crashed (Segmentation fault) when it was asked for a session');
  });

  it('reports a crash at the release, and of one that does not dial', async () => {
    const { code, report } = await check(builtNative('fake_crashes_at_release'));
    expect(code).toBe(3);
    expect(report.verdict).toBe('troubled');
    expect(report.trials).toHaveLength(trialNames.length);
    expect(report.trials[0]).toEqual({
      trial: 'connect',
      outcome: 'trouble',
      text: 'does not dial; at its release it crashed (SIGSEGV)',
    });
  });

  it('finds that one which calls its Spi at the release without a look is released well', async () => {
    const { report } = await check(builtNative('fake_careless'));
    expect(report.trials[0]).toEqual({ trial: 'connect', outcome: 'trouble', text: 'does not dial' });
  });

  it('logs in at a front, subscribes and waits for a tick', async () => {
    const front = new FrontProcess(['--fronts', '1', '--base-port', '0', '--rate', '50']);
    try {
      const [port] = await front.ports();
      const address = `tcp://127.0.0.1:${port}`;
      const { code, report } = await check(
        libraryOf('6.5.1'),
        '--front-addr',
        address,
        '--broker-id',
        '9999',
      );
      expect(outcomes(report)).toEqual([...trialNames, 'front'].map((name) => `${name}: ok`));
      expect(code).toBe(0);
      expect(report.trials.at(-1)!.text).toMatch(/^logged in at .*, trading day 20\d{6}, ticks come$/);
    } finally {
      await front.stop();
    }
  });

  it('says why a front does not let it in', async () => {
    const front = new FrontProcess(['--fronts', '1', '--base-port', '0', '--reject-login', '3']);
    try {
      const [port] = await front.ports();
      const { code, report } = await check(
        libraryOf(newestVerified),
        '--front-addr',
        `tcp://127.0.0.1:${port}`,
      );
      expect(code).toBe(1);
      expect(report.trials.at(-1)).toMatchObject({ trial: 'front', outcome: 'failed' });
      expect(report.trials.at(-1)!.text).toMatch(/^login refused: 3 /);
    } finally {
      await front.stop();
    }
  });

  it('prints a few lines for people', async () => {
    const { result, out } = await run(['check-library', builtNative('odd_mini')]);
    expect(result).toEqual({ kind: 'done', exitCode: 1 });
    expect(out.trimEnd().split('\n')).toEqual([
      'product     CTP Mini',
      'version     V1.7.5',
      expect.stringMatching(/^refused {5}version "V1.7.5" is CTP Mini, another product/) as string,
      'verdict     the gateway cannot use it',
    ]);
  });

  it.each([
    [[], 'check-library: name one library'],
    [['a.so', 'b.so'], 'check-library: name one library'],
    [['a.so', '--front-adr'], 'check-library: unknown option --front-adr, did you mean --front-addr?'],
    [['a.so', '--broker-id', '9999'], '--broker-id goes with --front-addr only'],
    [['a.so', '--ctp-version', '5.1'], '--ctp-version must be empty, 2013, or a version from 6.3.0 on'],
    [['a.so', '--json=1'], '--json takes no value'],
    [['a.so', '--front-addr'], '--front-addr needs a value'],
    [['a.so', '--json', '--json'], '--json is given twice'],
  ])('takes %j for a mistake', async (options, complaint) => {
    const { result, err } = await run(['check-library', ...options]);
    expect(result).toEqual({ kind: 'done', exitCode: 2 });
    expect(err).toContain(complaint);
  });
});
