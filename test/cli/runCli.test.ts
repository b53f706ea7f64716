import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packagePath } from '../../src/base/paths.js';
import { connection, temporaryFolder } from '../config/sources.js';
import { run } from './console.js';

const done = (exitCode: number): object => ({ kind: 'done', exitCode });

describe('answers', () => {
  it('--help names every option', async () => {
    const { result, out } = await run(['--help']);
    expect(result).toEqual(done(0));
    const options =
      'config status port front-addr broker-id strategy log-level profile import-brokers output help version';
    for (const option of options.split(' ')) expect(out).toContain(`--${option}`);
    expect(await run(['-h', '--port', 'x'])).toMatchObject({ result: done(0), out });
  });

  it('--version prints the version of the package', async () => {
    const { result, out } = await run(['--version']);
    expect(result).toEqual(done(0));
    expect(out).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});

describe('mistakes', () => {
  it.each([
    [['--prt', '1'], 'unknown option --prt, did you mean --port?'],
    [['--Log_Level', 'info'], 'unknown option --Log_Level, did you mean --log-level?'],
    [['--nonsense'], 'unknown option --nonsense, see --help'],
    [['-x'], 'unknown option -x, see --help'],
    [['start'], 'unexpected argument "start", see --help'],
    [['--port'], '--port needs a value'],
    [['--port='], '--port needs a value'],
    [['--config', '--status'], '--config needs a value, "--status" is an option'],
    [['--status=yes'], '--status takes no value'],
    [['--port', '1', '--port', '2'], '--port is given twice'],
    [['--host', '1'], 'unknown option --host, set QACTPMD_WEBSOCKET_HOST, or websocket_host in the file'],
    [
      ['--simulator-base-port', '1'],
      'unknown option --simulator-base-port, set QACTPMD_SIMULATOR_BASE_PORT, or simulator.base_port in the file',
    ],
    [['--front-addr', ''], '--front-addr needs a value'],
    [['--front-addr', 'sim://', '--broker-id'], '--broker-id needs a value'],
    [['--broker-id', '1'], '--broker-id goes with --front-addr only: they describe the single connection'],
    [['--json'], '--json goes with --status only'],
    [['--output', 'x'], '--output goes with --import-brokers only'],
    [
      ['--status', '--profile'],
      '--status cannot be combined with --profile, only with --config, --port and --json',
    ],
    [
      ['--import-brokers', 'x', '--port', '1'],
      '--import-brokers cannot be combined with --port, only with --output',
    ],
    [
      ['--status', '--import-brokers', 'x'],
      '--status cannot be combined with --import-brokers, only with --config, --port and --json',
    ],
    [['--port', 'abc'], '--port: must be an integer from 0 to 65535, not "abc"'],
    [['--port', '70000'], '--port: must be an integer from 0 to 65535, not 70000'],
  ])('%j get one line and exit code 2', async (argv, line) => {
    const { result, out, err } = await run(argv);
    expect(err).toBe(`qactpmdgateway: ${line}\n`);
    expect(out).toBe('');
    expect(result).toEqual(done(2));
  });

  it.each([
    [['--strategy', 'fastest'], '--strategy: must be one of '],
    [['--log-level', 'loud'], '--log-level: must be one of '],
    [['--front-addr', 'h:1', '--broker-id', '1'], '--front-addr: must be tcp:'],
    [['--front-addr', 'tcp://h:1', '--broker-id', '12345678901'], '--broker-id: must be '],
  ])('%j get what is allowed and exit code 2', async (argv, start) => {
    const { result, err } = await run(argv);
    expect(err).toMatch(/^[^\n]*\n$/);
    expect(err.startsWith(`qactpmdgateway: ${start}`)).toBe(true);
    expect(result).toEqual(done(2));
  });

  it('in the configuration get one line each and exit code 1', async () => {
    const cwd = temporaryFolder();
    writeFileSync(join(cwd, 'bad.json'), '{"websocket_port": -1, "redis_port": -1}');
    const { result, err } = await run(['--config', 'bad.json'], {}, cwd);
    expect(result).toEqual(done(1));
    expect(err).toBe(
      'qactpmdgateway: bad.json: websocket_port: must be an integer from 0 to 65535, not -1\n' +
        'qactpmdgateway: bad.json: redis_port: must be an integer from 1 to 65535, not -1\n',
    );
    expect(await run(['--config', 'absent.json'])).toMatchObject({
      result: done(1),
      err: 'qactpmdgateway: absent.json: there is no such file\n',
    });
  });
});

describe('running', () => {
  it('takes the bundled simulated exchange when nothing is said', async () => {
    const { result } = await run([]);
    expect(result).toMatchObject({
      kind: 'run',
      config: { websocketPort: 7799, simulator: { fronts: 4 } },
      options: { profile: false, sources: { file: packagePath('config', 'simulated.json') } },
    });
  });

  it('passes every option on', async () => {
    const argv = ['--port', '8000', '--strategy', 'round_robin', '--log-level', 'DEBUG', '--profile'];
    const fronts = ['--front-addr', 'tcp://a:1', '--front-addr', 'tcp://b:2', '--broker-id', '9999'];
    const { result } = await run([...argv, ...fronts], { QACTPMD_WEBSOCKET_PORT: '9000' });
    expect(result).toMatchObject({
      kind: 'run',
      config: {
        websocketPort: 8000,
        loadBalanceStrategy: 'round_robin',
        logLevel: 'debug',
        simulator: undefined,
        connections: [{ frontAddr: ['tcp://a:1', 'tcp://b:2'], brokerId: '9999' }],
      },
      options: { profile: true },
    });
  });

  it.each([[[]], [['--broker-id', '']], [['--broker-id=']]])(
    'takes a single connection without a BrokerID, given as %j',
    async (brokerId) => {
      const { result } = await run(['--front-addr', 'sim://', ...brokerId]);
      expect(result).toMatchObject({
        kind: 'run',
        config: { simulator: undefined, connections: [{ frontAddr: ['sim://'], brokerId: '' }] },
      });
    },
  );

  it('keeps the rest of a given file beside a single connection', async () => {
    const cwd = temporaryFolder();
    writeFileSync(join(cwd, 'some.json'), JSON.stringify({ redis_port: 7000, connections: [connection] }));
    const argv = ['--config', 'some.json', '--front-addr', 'tcp://a:1', '--broker-id', '1'];
    expect((await run(argv, {}, cwd)).result).toMatchObject({
      config: { redis: { port: 7000 }, connections: [{ connectionId: 'single' }] },
    });
  });

  it('starts no simulator for connections that the environment lists', async () => {
    const { result } = await run([], { QACTPMD_CONNECTIONS: JSON.stringify([connection]) });
    expect(result).toMatchObject({
      config: { simulator: undefined, connections: [{ connectionId: 'one' }] },
    });
  });
});
