/**
 * Runs TqSdk's clients for Python, unmodified, as the package index has them, against a gateway with simulated fronts on
 * this machine: the newest one with _stock=False and with its defaults, and 1.8.2, the last one without a login.
 * `npm run test:clients`; needs Python 3.8 to 3.11 with venv, and pip. Nothing but pip connects beyond loopback.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createSocketServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { clearTimeout, setTimeout } from 'node:timers';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/* global fetch */

const here = fileURLToPath(new URL('.', import.meta.url));
const root = join(here, '..', '..');
const folder = mkdtempSync(join(tmpdir(), 'qactpmd-clients-'));
const python = process.env.QACTPMD_PYTHON ?? 'python3';
/** Environments that are there are used as they are. */
const environments = process.env.QACTPMD_CLIENT_ENVIRONMENTS ?? folder;
const logs = join(folder, 'logs');
mkdirSync(logs);

/** What 1.8.2, whose own demands are open upwards, still works with. */
const packages = {
  newest: ['tqsdk'],
  '1.8.2': ['tqsdk==1.8.2', 'numpy==1.24.4', 'pandas==1.5.3', 'scipy==1.11.4', 'websockets==10.4'],
};
const clients = [
  { title: 'newest, _stock=False', venv: 'newest', kind: 'file', path: '/' },
  { title: 'newest, as it comes', venv: 'newest', kind: 'default', path: '/t/md/front/mobile' },
  { title: '1.8.2', venv: '1.8.2', kind: '1.8.2', path: '/' },
];
/** ms that the whole work of one client may take. */
const clientDeadline = 600_000;
/** ms that fronts are stopped for, so that a first tick comes late. */
const frontPause = 4000;

const running = new Set();

function start(name, command, args, options = {}) {
  const child = spawn(command, args, { cwd: root, stdio: ['pipe', 'pipe', 'pipe'], ...options });
  const log = createWriteStream(join(logs, `${name}.log`), { flags: 'a' });
  child.stdout.pipe(log, { end: false });
  child.stderr.pipe(log, { end: false });
  child.on('error', (error) => log.write(`${error.message}\n`));
  running.add(child);
  child.ended = once(child, 'close').then(([code, signal]) => {
    running.delete(child);
    log.end();
    return code ?? signal;
  });
  return child;
}

async function run(name, command, args, options) {
  const code = await start(name, command, args, options).ended;
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}, see ${logs}/${name}.log`);
}

/** So many free ports in a row. */
async function freePorts(count) {
  for (;;) {
    const base = 20_000 + Math.floor(Math.random() * 30_000);
    const servers = Array.from({ length: count }, () => createSocketServer());
    const results = await Promise.allSettled(
      servers.map((server, i) => once(server.listen(base + i, '127.0.0.1'), 'listening')),
    );
    await Promise.all(
      servers.map((server) => server.listening && new Promise((done) => void server.close(done))),
    );
    if (results.every(({ status }) => status === 'fulfilled')) return base;
  }
}

/** In place of the vendor's login: anybody may see the quotes of futures. */
async function startLogin() {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const grants = { sub: 'anybody', grants: { features: ['futr'], accounts: ['*'] } };
  const token = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(grants)}.${part('none')}`;
  const server = createServer((request, response) => {
    const isToken = request.method === 'POST' && request.url.endsWith('/openid-connect/token');
    request.resume();
    response.writeHead(isToken ? 200 : 404, { 'content-type': 'application/json' });
    response.end(isToken ? JSON.stringify({ access_token: token, refresh_token: 'r' }) : '{}');
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return server;
}

async function untilTrue(what, check) {
  const deadline = Date.now() + 60_000;
  while (!(await check().catch(() => false))) {
    if (Date.now() > deadline) throw new Error(`waited 60 s for ${what}`);
    await pause(100);
  }
}

async function startGateway(config, port) {
  const gateway = start('gateway', process.execPath, ['dist/src/main.js', '--config', config]);
  await untilTrue('the gateway to be logged in', async () => {
    const health = await (await fetch(`http://127.0.0.1:${port}/health`)).json();
    return health.connections.every(({ status }) => status === 'logged_in');
  });
  return gateway;
}

async function install(name) {
  const venv = join(environments, name);
  if (existsSync(join(venv, 'bin', 'python'))) return join(venv, 'bin', 'python');
  console.log(`clients: installing ${packages[name].join(' ')} into ${venv}`);
  await run(`pip-${name}`, python, ['-m', 'venv', venv]);
  const pip = join(venv, 'bin', 'pip');
  await run(`pip-${name}`, pip, ['install', '--quiet', '--disable-pip-version-check', ...packages[name]]);
  return join(venv, 'bin', 'python');
}

/** Futures of six exchanges, and an option near the money. */
async function chooseSymbols(port) {
  const file = await (await fetch(`http://127.0.0.1:${port}/symbols/latest.json`)).json();
  const futures = Object.values(file).filter((entry) => entry.class === 'FUTURE');
  const of = (product, index) => futures.filter((entry) => entry.product_id === product)[index].instrument_id;
  const option = Object.values(file).find((entry) => entry.class === 'FUTURE_OPTION');
  return {
    future: of('rb', 3),
    other: of('m', 2),
    // Each client has one that no other has asked for.
    late: [3, 4, 5].map((index) => of('al', index)),
    option: option.instrument_id,
    underlying: option.underlying_symbol,
    list: [of('rb', 3), of('sc', 2), of('m', 2), of('TA', 2), of('IF', 0), of('si', 2)],
  };
}

/** Ids of rb's options as the simulated exchange lists them, without price steps. */
async function optionsFile() {
  const { listInstruments } = await import(
    join(root, 'dist', 'src', 'market', 'instruments', 'optionContracts.js')
  );
  const { loadProducts } = await import(join(root, 'dist', 'src', 'market', 'instruments', 'products.js'));
  const { loadCalendar } = await import(
    join(root, 'dist', 'src', 'market', 'calendar', 'holidayCalendar.js')
  );
  const listed = listInstruments(loadProducts(), new Date(), loadCalendar(), 1500);
  return ['instrument_id', ...listed.map(({ id }) => id).filter((id) => /^rb\d{4}[CP]/.test(id))].join('\n');
}

async function runClient(
  { title, venv, kind, path },
  index,
  { port, loginPort, pythons, symbols, fronts, restart },
) {
  console.log(`\n${title}`);
  const setup = {
    kind,
    symbols: { ...symbols, late: symbols.late[index] },
    md_url: `ws://127.0.0.1:${port}${path}`,
    ins_url: `http://127.0.0.1:${port}/symbols/latest.json`,
  };
  const nowhere = 'http://127.0.0.1:9';
  const client = start(`client-${kind}`, pythons[venv], [join(here, 'client.py'), JSON.stringify(setup)], {
    cwd: folder,
    env: {
      PATH: process.env.PATH,
      HOME: folder,
      TZ: 'Asia/Shanghai',
      PYTHONIOENCODING: 'utf-8',
      PYTHONDONTWRITEBYTECODE: '1',
      ...(kind === '1.8.2' ? { PYTHONPATH: join(here, 'shim') } : {}),
      HTTP_PROXY: nowhere,
      HTTPS_PROXY: nowhere,
      http_proxy: nowhere,
      https_proxy: nowhere,
      NO_PROXY: '127.0.0.1,localhost',
      no_proxy: '127.0.0.1,localhost',
      TQ_AUTH_URL: `http://127.0.0.1:${loginPort}`,
      TQ_MD_URL: setup.md_url,
      TQ_INS_URL: setup.ins_url,
    },
  });
  const deadline = setTimeout(() => client.kill('SIGKILL'), clientDeadline);
  const results = [];
  const actions = {
    restart,
    pause: async () => {
      fronts.kill('SIGSTOP');
      void pause(frontPause).then(() => fronts.kill('SIGCONT'));
    },
  };
  for await (const line of createInterface({ input: client.stdout })) {
    if (!line.startsWith('{"')) continue;
    const told = JSON.parse(line);
    if (told.ask !== undefined) {
      await actions[told.ask]();
      client.stdin.write('done\n');
      continue;
    }
    results.push({ title, ...told });
    console.log(`  ${told.ok ? 'ok    ' : 'FAILED'} ${told.step}: ${told.detail ?? ''}`);
  }
  const code = await client.ended;
  clearTimeout(deadline);
  if (code !== 0 || results.at(-1)?.step !== 'end') {
    results.push({ title, step: 'the whole', ok: false, detail: `the client ended with ${code}` });
    console.log(`  FAILED the client ended with ${code}, see ${logs}/client-${kind}.log`);
  }
  return results;
}

async function main() {
  const pythons = {};
  for (const name of Object.keys(packages)) pythons[name] = await install(name);
  const frontPort = await freePorts(1);
  const port = await freePorts(1);
  writeFileSync(join(folder, 'options.csv'), await optionsFile());
  const hours = [{ product: 'rb', day_hours: [['07:00', '18:00']], night_close: '05:30' }];
  writeFileSync(join(folder, 'products.json'), JSON.stringify(hours));
  const config = join(folder, 'gateway.json');
  const connection = { connection_id: 'sim', front_addr: `tcp://127.0.0.1:${frontPort}`, broker_id: '9999' };
  writeFileSync(
    config,
    JSON.stringify({
      websocket_host: '127.0.0.1',
      websocket_port: port,
      trading_hours: 'always',
      flow_path: join(folder, 'flow'),
      products_file: join(folder, 'products.json'),
      import_instruments: [join(folder, 'options.csv')],
      discover_instruments: false,
      connections: [connection],
    }),
  );
  const login = await startLogin();
  const fronts = start('fronts', process.execPath, [
    'dist/src/simulator/main.js',
    ...['--base-port', String(frontPort), '--instruments', '1500'],
  ]);
  let gateway = await startGateway(config, port);
  const restart = async () => {
    gateway.kill('SIGTERM');
    await gateway.ended;
    gateway = await startGateway(config, port);
  };
  const symbols = await chooseSymbols(port);
  const results = [];
  for (const [index, client] of clients.entries())
    results.push(
      ...(await runClient(client, index, {
        port,
        loginPort: login.address().port,
        pythons,
        symbols,
        fronts,
        restart,
      })),
    );
  login.close();
  for (const child of [gateway, fronts]) {
    child.kill('SIGTERM');
    await child.ended;
  }
  const failed = results.filter(({ ok }) => !ok).length;
  console.log(`\n${results.length - failed} passed, ${failed} failed`);
  return failed === 0;
}

let passed = false;
try {
  passed = await main();
} catch (error) {
  console.error(`clients: ${error.message}`);
} finally {
  for (const child of running) child.kill('SIGKILL');
  if (passed) rmSync(folder, { recursive: true, force: true });
  else console.error(`clients: logs are kept in ${logs}`);
}
process.exitCode = passed ? 0 : 1;
