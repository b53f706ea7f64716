import { execFileSync, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { isFrontAddress } from '../../src/config/frontAddress.js';
import { connection, load, problemsOf, temporaryFolder } from './sources.js';

const secret = 'hunter2-hunter2';

describe('front addresses', () => {
  it.each([
    'tcp://182.254.243.31:30011',
    'tcp://md.example-broker.com:41213',
    'tcp6://::1:41213',
    'tcp6://[2001:db8::1]:41213',
    'ssl://md.example.com:443',
    'sim://',
    'sim://?rate=10000',
    'sim://load?rate=0.5&seed=7',
  ])('accepts %s', (address) => expect(isFrontAddress(address)).toBe(true));

  it.each([
    '',
    '182.254.243.31:30011',
    'tcp:/182.254.243.31:30011',
    'tcp://182.254.243.31',
    'tcp://182.254.243.31:0',
    'tcp://182.254.243.31:65536',
    'tcp://182.254.243:30011',
    'tcp://:30011',
    'tcp://host:30011/',
    'tcp://host:30 11',
    'tcp://user@host:1',
    ' tcp://host:1',
    'tcp6://host:1',
    'http://host:1',
    'TCP://host:1',
    'sim://?rat=5',
    'sim://?rate=fast',
    'sim://?rate=1?seed=2',
  ])('refuses "%s"', (address) => expect(isFrontAddress(address)).toBe(false));

  it('takes one address or a list and drops repeated ones', () => {
    const front = 'tcp://h:1';
    expect(
      load({ file: { connections: [{ ...connection, front_addr: [front, front, 'tcp://h:2'] }] } }),
    ).toMatchObject({
      connections: [{ frontAddr: ['tcp://h:1', 'tcp://h:2'] }],
    });
  });

  it('shows the one bad address of a list, without a password in it', () => {
    const connections = [{ ...connection, front_addr: ['tcp://h:1', 'tcp://me:pass@h'] }];
    expect(problemsOf({ file: { connections } })[0]).toMatch(
      /front_addr\[1\]: must be tcp:.* not "tcp:\/\/\*\*\*@h"$/,
    );
  });
});

describe('entries of connections[]', () => {
  it.each([
    [{ conection_id: 'x' }, 'conection_id: unknown key, did you mean connection_id?'],
    [{ max_subscription: 4 }, 'max_subscription: unknown key, did you mean max_subscriptions?'],
    [{ connection_id: '../up' }, /^connection_id: must be 1 to 64 letters, .* not "\.\.\/up"$/],
    [{ connection_id: '' }, /^connection_id: must be 1 to 64 letters, .* not ""$/],
    [{ connection_id: 5 }, /^connection_id: must be 1 to 64 letters, .* not 5$/],
    [{ front_addr: [] }, /^front_addr: must be .* not a list of 0$/],
    [{ front_addr: 5 }, /^front_addr: must be .* not 5$/],
    [{ front_addr: ['tcp://h:1', null] }, /^front_addr\[1\]: must be tcp:[^,]*, .* or sim:\S*, not null$/],
    [{ front_addr: Array(65).fill('tcp://h:1') }, /^front_addr: must be .* a list of 1 to 64 of these, not /],
    [{ broker_id: '12345678901' }, /^broker_id: must be a text of at most 10 bytes .* not "12345678901"$/],
    [{ broker_id: 9999 }, /^broker_id: must be a text of at most 10 bytes .* not 9999$/],
    [{ user_id: 'x'.repeat(16) }, /^user_id: must be a text of at most 15 bytes /],
    [{ max_subscriptions: 0 }, 'max_subscriptions: must be an integer from 1 to 100000, not 0'],
    [{ priority: 0 }, 'priority: must be an integer from 1 to 10, not 0'],
    [{ priority: 101 }, 'priority: must be an integer from 1 to 10, not 101'],
    [{ priority: 10.5 }, 'priority: must be an integer from 1 to 10, not 10.5'],
    [{ priority: '1' }, 'priority: must be an integer from 1 to 10, not "1"'],
    [{ enabled: 'false' }, 'enabled: must be true, false, 1 or 0, not "false"'],
    [{ enabled: null }, 'enabled: must be true, false, 1 or 0, not null'],
  ])('says what is wrong with %j', (change, line) => {
    const problems = problemsOf({
      file: { connections: [connection, { ...connection, connection_id: 'two', ...change }] },
    });
    expect(problems).toHaveLength(1);
    const text = problems[0]!.replace('gateway.json: connections[1].', '');
    if (typeof line === 'string') expect(text).toBe(line);
    else expect(text).toMatch(line);
  });

  it('names missing keys, entries that are no objects, and repeated names', () => {
    const problems = problemsOf({ file: { connections: [connection, 5, {}, connection, connection] } });
    expect(problems).toEqual([
      'gateway.json: connections[1]: must be an object with connection_id and front_addr, not 5',
      expect.stringMatching(/^gateway\.json: connections\[2\]\.connection_id: is missing, must be 1 to 64/),
      expect.stringMatching(/^gateway\.json: connections\[2\]\.front_addr: is missing, must be tcp:/),
      'gateway.json: connections[3].connection_id: "one" is taken by connections[0]',
      'gateway.json: connections[4].connection_id: "one" is taken by connections[0]',
    ]);
  });

  it('names the variable or option that a bad list came from', () => {
    expect(problemsOf({ env: { QACTPMD_CONNECTIONS: '[{"connection_id":"a",}]' } })).toEqual([
      'environment QACTPMD_CONNECTIONS: no JSON list: line 1, column 23: expected a key in double quotes, no comma stands before "}"',
    ]);
    expect(problemsOf({ env: { QACTPMD_CONNECTIONS: '{}' } })).toEqual([
      'environment QACTPMD_CONNECTIONS: must be a list of at most 1000 objects, not an object',
    ]);
    expect(problemsOf({ env: { QACTPMD_CONNECTIONS: '[3]' } })[0]).toMatch(
      /^environment QACTPMD_CONNECTIONS: connections\[0\]: must be an object/,
    );
    expect(problemsOf({ args: { frontAddr: ['nowhere'], brokerId: '1' } })[0]).toMatch(
      /^--front-addr: must be tcp:.* not "nowhere"$/,
    );
    expect(problemsOf({ args: { frontAddr: ['sim://', 'nowhere'], brokerId: '123456789012' } })).toEqual([
      expect.stringMatching(/^--front-addr: must be tcp:.* not "nowhere"$/),
      expect.stringMatching(/^--broker-id: must be a text of at most 10 bytes .*, not "123456789012"$/),
    ]);
  });
});

describe('passwords', () => {
  const withKeys = (keys: object): object => ({ connections: [{ ...connection, ...keys }] });

  it('come from the file, a variable or a file of their own', () => {
    const cwd = temporaryFolder();
    writeFileSync(join(cwd, 'secret'), `${secret}\n`);
    const passwordOf = (keys: object): string =>
      load({ cwd, file: withKeys(keys), env: { QACTPMD_PASS: secret } }).connections[0]!.password;
    expect(passwordOf({ password: secret })).toBe(secret);
    expect(passwordOf({ password_env: 'QACTPMD_PASS' })).toBe(secret);
    expect(passwordOf({ password_file: 'secret' })).toBe(secret);
    expect(passwordOf({ password_file: join(cwd, 'secret') })).toBe(secret);
    expect(passwordOf({})).toBe('');
  });

  it('are read once from a pipe, which would keep anyone who looks at it again', () => {
    const cwd = temporaryFolder();
    execFileSync('mkfifo', [join(cwd, 'pipe')]);
    const write = (text: string): void => {
      const writer = spawn('sh', ['-c', `echo ${text} > pipe`], { cwd });
      onTestFinished(() => void writer.kill('SIGKILL'));
    };
    const passwordNow = (): string =>
      load({ cwd, file: withKeys({ password_file: 'pipe' }) }).connections[0]!.password;
    write('first');
    expect(passwordNow()).toBe('first');
    write('second');
    expect(passwordNow()).toBe('first');
  });

  it('are missed by name, and not looked for where the connection is disabled', () => {
    const absent = { password_env: 'ABSENT' };
    expect(problemsOf({ file: withKeys(absent) })).toEqual([
      'gateway.json: connections[0].password_env: the environment variable ABSENT is not set',
    ]);
    expect(problemsOf({ file: withKeys(absent), env: { ABSENT: '' } })).toHaveLength(1);
    expect(problemsOf({ file: withKeys({ password_file: '/no/such' }) })).toEqual([
      'gateway.json: connections[0].password_file: /no/such: there is no such file',
    ]);
    const connections = [connection, { ...connection, connection_id: 'off', enabled: false, ...absent }];
    expect(load({ file: { connections } }).connections[1]).toMatchObject({ enabled: false, password: '' });
  });

  it('are refused when given twice, empty or of several lines', () => {
    const cwd = temporaryFolder();
    writeFileSync(join(cwd, 'empty'), '\n');
    writeFileSync(join(cwd, 'lines'), `${secret}\n${secret}\n`);
    const refusal = (keys: object): string => problemsOf({ cwd, file: withKeys(keys) })[0]!;
    expect(refusal({ password: secret, password_env: 'X' })).toMatch(/given in more than one way/);
    expect(refusal({ password_file: 'empty' })).toMatch(
      /password_file: .*empty: is empty, must hold one line/,
    );
    expect(refusal({ password_file: 'lines' })).toMatch(/password_file: .*lines: must hold one line/);
  });

  it('never appear in an error', () => {
    const long = secret.repeat(4);
    const cwd = temporaryFolder();
    writeFileSync(join(cwd, 'long'), long);
    const lines = [
      { file: withKeys({ password: long }) },
      { file: withKeys({ pasword: secret }) },
      { file: withKeys({ pw: secret }) },
      { file: withKeys({ user_pw: secret }) },
      { file: withKeys({ pswd: secret }) },
      { file: withKeys({ anything: secret }) },
      { file: { user_pw: secret } },
      { file: { ctpPswd: secret } },
      { file: withKeys({ password: [secret] }) },
      { file: withKeys({ password: { a: secret } }) },
      { file: withKeys({ password_env: 'LONG' }), env: { LONG: long } },
      { file: withKeys({ password_file: 'long' }) },
      { file: { redis_password: `${secret}\n` } },
      { file: { redis_pasword: secret } },
      { file: { redis_password: secret, redis_password_file: 'x' } },
      { file: { nested: { password: secret } } },
      { file: `{"redis_password": "${secret}" "x": 1}` },
      { file: `{"redis_password": "${secret}` },
      { env: { QACTPMD_REDIS_PASSWORD: long.repeat(40) } },
      { env: { QACTPMD_CONNECTIONS: `[{"password":"${secret}"` } },
      { env: { QACTPMD_REDIS_PASSWRD: secret } },
    ].flatMap((given) => problemsOf({ cwd, ...given }));
    expect(lines.length).toBeGreaterThanOrEqual(21);
    for (const line of lines) expect(line).not.toContain(secret);
  });

  it('reach Redis from the environment or a file', () => {
    const cwd = temporaryFolder();
    writeFileSync(join(cwd, 'secret'), secret);
    expect(load({ env: { QACTPMD_REDIS_PASSWORD: secret } }).redis.password).toBe(secret);
    expect(load({ cwd, env: { QACTPMD_REDIS_PASSWORD_FILE: 'secret' } }).redis.password).toBe(secret);
  });
});
