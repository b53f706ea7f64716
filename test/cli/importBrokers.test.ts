import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.js';
import { temporaryFolder } from '../config/sources.js';
import { run, type Ran } from './console.js';

/** 华泰期货, 电信, 仿真测试 in the encoding that terminals on Windows write. */
const gbk = {
  huatai: [0xbb, 0xaa, 0xcc, 0xa9, 0xc6, 0xda, 0xbb, 0xf5],
  telecom: [0xb5, 0xe7, 0xd0, 0xc5],
  simulation: [0xb7, 0xc2, 0xd5, 0xe6, 0xb2, 0xe2, 0xca, 0xd4],
};

function gbkFile(encoding = 'GB2312'): Buffer {
  const chinese = (codes: readonly number[]): string => Buffer.from(codes).toString('latin1');
  return Buffer.from(
    `<?xml version="1.0" encoding="${encoding}"?>
<root>
  <broker BrokerID="8080" BrokerName="${chinese(gbk.huatai)}" BrokerEName="HT">
    <Servers>
      <Server><Name>${chinese(gbk.telecom)}1</Name><Protocol/>
        <Trading><item>10.0.0.1:41205</item></Trading>
        <MarketData><item> 10.0.0.1:41213 </item><item>10.0.0.2:41213</item></MarketData></Server>
      <Server><Name>${chinese(gbk.telecom)}2</Name>
        <Trading><item>10.0.0.3:41205</item></Trading>
        <MarketData><item>10.0.0.2:41213</item><item>tcp://md.example.com:41213</item></MarketData></Server>
      <Server><Name>${chinese(gbk.simulation)}</Name>
        <MarketData><item>10.0.0.9:41213</item></MarketData></Server>
    </Servers>
  </broker>
  <broker BrokerID="9090" BrokerName="none"><Servers><Server><Name>a</Name><Trading><item>10.0.0.4:1</item></Trading>
    <MarketData></MarketData></Server></Servers></broker>
</root>`,
    'latin1',
  );
}

interface Imported extends Ran {
  readonly config: { ctp_library?: string; connections?: Record<string, unknown>[] };
}

async function importFile(content: Uint8Array | string, ...more: string[]): Promise<Imported> {
  const cwd = temporaryFolder();
  writeFileSync(join(cwd, 'broker.xml'), content);
  const ran = await run(['--import-brokers', 'broker.xml', ...more], {}, cwd);
  return { ...ran, config: ran.out === '' ? {} : (JSON.parse(ran.out) as Imported['config']) };
}

const one = (broker: string): string => `<?xml version="1.0" encoding="UTF-8"?><root>${broker}</root>`;
const server = (address: string, name = 'n'): string =>
  `<Servers><Server><Name>${name}</Name><MarketData><item>${address}</item></MarketData></Server></Servers>`;

describe('--import-brokers', () => {
  it.each(['GB2312', 'gbk', 'GB18030'])('reads a terminal file in %s', async (encoding) => {
    const { config, err, result } = await importFile(gbkFile(encoding));
    expect(result).toEqual({ kind: 'done', exitCode: 0 });
    expect(config).toEqual({
      ctp_library: 'libs/vendor/thostmduserapi_se.so',
      connections: [
        {
          connection_id: '8080',
          front_addr: ['tcp://10.0.0.1:41213', 'tcp://10.0.0.2:41213', 'tcp://md.example.com:41213'],
          broker_id: '8080',
          broker_name: '华泰期货',
        },
        {
          connection_id: '8080_test',
          front_addr: ['tcp://10.0.0.9:41213'],
          broker_id: '8080',
          broker_name: '华泰期货',
          enabled: false,
        },
      ],
    });
    expect(err).toContain('broker.xml: broker 9090 none: no market-data address, skipped\n');
    expect(err).toContain('broker.xml: 2 connections with 4 fronts\n');
  });

  it.each([
    [
      'UTF-8 by declaration',
      Buffer.from(one(`<broker BrokerID="1" BrokerName="中">${server('x')}</broker>`)),
    ],
    [
      'UTF-8 by byte order mark over a wrong declaration',
      Buffer.from(
        '\ufeff<?xml version="1.0" encoding="GB2312"?>' +
          `<root><broker BrokerID="1" BrokerName="中">${server('x')}</broker></root>`,
      ),
    ],
    [
      'UTF-16',
      Buffer.from(
        `\ufeff<root><broker BrokerID="1" BrokerName="中">${server('x')}</broker></root>`,
        'utf16le',
      ),
    ],
    [
      'UTF-8 without a word',
      Buffer.from(`<root><broker BrokerID="1" BrokerName="中">${server('x')}</broker></root>`),
    ],
  ])('reads %s', async (_, content) => {
    expect((await importFile(content)).err).toContain('broker 1 中: the address "x" is not host:port');
  });

  it('writes a configuration that loads', async () => {
    const folder = temporaryFolder();
    const { out, result } = await importFile(gbkFile(), '--output', join(folder, 'mine.json'));
    expect(result).toEqual({ kind: 'done', exitCode: 0 });
    expect(out).toBe('');
    const config = loadConfig({ file: 'mine.json', args: {}, env: {}, cwd: folder });
    expect(config.connections.map(({ connectionId, enabled }) => [connectionId, enabled])).toEqual([
      ['8080', true],
      ['8080_test', false],
    ]);
    expect(config.connections.map(({ brokerName }) => brokerName)).toEqual(['华泰期货', '华泰期货']);
    expect(readFileSync(join(folder, 'mine.json'), 'utf8')).toMatch(/\n$/);
  });

  it('leaves a file that is there as it is', async () => {
    const path = join(temporaryFolder(), 'mine.json');
    writeFileSync(path, 'mine');
    const { err, result } = await importFile(gbkFile(), '--output', path);
    expect(result).toEqual({ kind: 'done', exitCode: 1 });
    expect(err).toContain(
      `qactpmdgateway: ${path}: is there already and is left as it is; give another name\n`,
    );
    expect(readFileSync(path, 'utf8')).toBe('mine');
  });

  it('counts one and several', async () => {
    const { err } = await importFile(one(`<broker BrokerID="1">${server('h:1')}</broker>`));
    expect(err).toBe('qactpmdgateway: broker.xml: 1 connection with 1 front\n');
  });

  it('takes elements for attributes, any case of letters, servers without a list around them', async () => {
    const { config } = await importFile(
      one(
        `<Broker><BrokerID> 77 </BrokerID><BrokerName lang="zh">x</BrokerName>
         <Server Name="a"><MarketData>10.0.0.1:1 10.0.0.2:2</MarketData></Server></Broker>
         <group><BROKER brokerid="78"><servers><server><marketdata><ITEM>10.0.0.3:3</ITEM></marketdata></server></servers></BROKER></group>`,
      ),
    );
    expect(config.connections).toMatchObject([
      { connection_id: '77', front_addr: ['tcp://10.0.0.1:1', 'tcp://10.0.0.2:2'] },
      { connection_id: '78', front_addr: ['tcp://10.0.0.3:3'] },
    ]);
  });

  it('merges repeated brokers, keeps names unique and test systems disabled beside real ones', async () => {
    const { config } = await importFile(
      one(
        `<broker BrokerID="a/b">${server('h:1')}</broker><broker BrokerID="a b">${server('h:2')}</broker>
         <broker BrokerID="a/b">${server('h:3')}</broker><broker BrokerID="9999">${server('h:4', 'SimNow')}</broker>`,
      ),
    );
    expect(config.connections).toEqual([
      { connection_id: 'a_b', front_addr: ['tcp://h:1', 'tcp://h:3'], broker_id: 'a/b' },
      { connection_id: 'a_b_2', front_addr: ['tcp://h:2'], broker_id: 'a b' },
      { connection_id: '9999_test', front_addr: ['tcp://h:4'], broker_id: '9999', enabled: false },
    ]);
  });

  it('keeps test systems enabled where a file has nothing else', async () => {
    const { config } = await importFile(one(`<broker BrokerID="9999">${server('h:4', 'SimNow')}</broker>`));
    expect(config.connections).toEqual([
      { connection_id: '9999_test', front_addr: ['tcp://h:4'], broker_id: '9999' },
    ]);
  });

  it.each([
    '全天站点',
    '全时段行情',
    '24小时环境',
    '二十四小时',
    '电信24H',
    '7x24',
    '第二套7X24环境',
    'SHFE 7*24',
    '7×24',
    '７ｘ２４',
    '7 * 24',
    '7天24小时',
    '7乘24',
    '24x7',
    '24/7',
    'all-day',
    '仿真',
    '应急演练',
    'Demo',
  ])('sets a server named %s apart from the real ones, disabled', async (name) => {
    const servers = server('192.0.2.1:30011', '站点1') + server('192.0.2.1:40011', name);
    const { config } = await importFile(one(`<broker BrokerID="9999">${servers}</broker>`));
    expect(config.connections).toEqual([
      { connection_id: '9999', front_addr: ['tcp://192.0.2.1:30011'], broker_id: '9999' },
      {
        connection_id: '9999_test',
        front_addr: ['tcp://192.0.2.1:40011'],
        broker_id: '9999',
        enabled: false,
      },
    ]);
  });

  it.each(['电信1', '站点24', '上海7', '2407', '联通724号', 'a72x24', '24号'])(
    'takes a server named %s for a real one',
    async (name) => {
      const { config } = await importFile(one(`<broker BrokerID="1">${server('h:1', name)}</broker>`));
      expect(config.connections).toEqual([{ connection_id: '1', front_addr: ['tcp://h:1'], broker_id: '1' }]);
    },
  );

  it('takes an address for a test that one server lists as such, or that is known to be one', async () => {
    const servers =
      server('h:1 h:2 182.254.243.31:40011', '电信') + server('h:2', '7x24') + server('h:3', '联通');
    const { config } = await importFile(one(`<broker BrokerID="1">${servers}</broker>`));
    expect(config.connections).toMatchObject([
      { front_addr: ['tcp://h:1', 'tcp://h:3'] },
      { front_addr: ['tcp://182.254.243.31:40011', 'tcp://h:2'], enabled: false },
    ]);
  });

  it('skips brokers without a usable BrokerID by name', async () => {
    const brokers = `<broker BrokerName="nameless">${server('h:1')}</broker><broker BrokerID="12345678901">${server('h:1')}</broker>`;
    const { result, err } = await importFile(one(brokers));
    expect(result).toEqual({ kind: 'done', exitCode: 1 });
    expect(err).toContain('broker nameless: the BrokerID must have 1 to 10 characters, skipped');
    expect(err).toContain('broker 12345678901: the BrokerID must have');
    expect(err).toMatch(/broker\.xml: no broker has a market-data address\n$/);
  });

  it.each([
    ['an empty file', '', /is empty$/],
    ['no XML', 'hello', /is not XML, it has no element$/],
    [
      'a cut file',
      '<root>\n <broker BrokerID="1"><Servers>',
      /line 2, column 23: <Servers> is not closed, the text ends$/,
    ],
    ['a half tag', '<root><broker', /line 1, column 7: this "<" begins no complete tag$/],
    ['crossed tags', '<root><a><b></a></b></root>', /line 1, column 10: <b> is not closed before <\/a>$/],
    ['a stray end', '<root/></root>', /line 1, column 8: <\/root> closes nothing$/],
    ['no broker', '<root><a/></root>', /holds no broker element$/],
    [
      'an unknown encoding',
      '<?xml version="1.0" encoding="klingon"?><root/>',
      /the declared encoding "klingon" is unknown$/,
    ],
    [
      'bytes of an encoding that it does not declare',
      Buffer.from(
        gbkFile()
          .toString('latin1')
          .replace(/^<\?xml.*\n/, ''),
        'latin1',
      ),
      /declares no encoding and is not UTF-8; .* encoding="GB18030"\?> as its first line$/,
    ],
    ['bytes of another encoding', gbkFile('UTF-8'), /is not utf-8 text, although it says so$/],
  ])('answers %s with one line', async (_, content, line) => {
    const { result, out, err } = await importFile(content);
    expect(result).toEqual({ kind: 'done', exitCode: 1 });
    expect(out).toBe('');
    expect(err).toMatch(/^qactpmdgateway: broker\.xml: [^\n]*\n$/);
    expect(err.trim()).toMatch(line);
  });

  it('does not let entities grow without bound', async () => {
    const levels = Array.from({ length: 9 }, (_, n) => `<!ENTITY e${n + 1} "${`&e${n};`.repeat(10)}">`).join(
      '',
    );
    const bomb = `<!DOCTYPE r [<!ENTITY e0 "ha">${levels}]><root><broker BrokerID="1"><BrokerName>&e9;</BrokerName>${server('h:1')}</broker></root>`;
    const { err, out } = await importFile(bomb);
    expect(err.length + out.length).toBeLessThan(100_000);
  });

  it('names a missing file and an output that cannot be written', async () => {
    expect(await run(['--import-brokers', 'absent.xml'])).toMatchObject({
      result: { kind: 'done', exitCode: 1 },
      err: 'qactpmdgateway: absent.xml: there is no such file\n',
    });
    const { result, err } = await importFile(gbkFile(), '--output', '/no/such/folder/x.json');
    expect(result).toEqual({ kind: 'done', exitCode: 1 });
    expect(err).toMatch(/\/no\/such\/folder\/x\.json: cannot be written \(ENOENT\)\n$/);
  });
});
