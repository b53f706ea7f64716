import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as hdr from 'hdr-histogram-js';
import fc from 'fast-check';
import { beforeAll, expect, it, onTestFinished } from 'vitest';
import { WebSocketServer, type WebSocket } from 'ws';
import { until } from '../../bench/processes/child.js';
import { Load } from '../../bench/processes/load.js';
import { packagePath } from '../../src/base/paths.js';
import { faultyStream } from './faultyStreams.js';

beforeAll(() => {
  execFileSync('make', ['-s', '-C', packagePath('bench', 'load')]);
});

/** A minute ago: intended times, which lie before the present, are never negative. */
const startUs = (Date.now() - 60_000) * 1000;
/** What the second client asks for beside the first instrument; nobody sends it. */
const idleInstrument = 'idle';

interface Arrival {
  readonly sequence: number;
  readonly latencyUs: number;
}

function frameOf(protocol: 'action' | 'aid', instrument: string, { sequence, latencyUs }: Arrival): string {
  // Sent at once, so what the client finds is the latency that is written here, and the way.
  const intended = Math.round(Date.now() * 1000 - startUs - latencyUs);
  const quote = `{"last_price":3900.5,"bid_volume1":3,"volume":${sequence},"open_interest":${intended},"average":null}`;
  return protocol === 'action'
    ? `{"action":"market_data","instrument_id":"${instrument}","data":${quote}}`
    : `{"aid":"rtn_data","data":[{"quotes":{"${instrument}":${quote}}},{"ins_list":""}]}`;
}

/** A diff that begins with the volume, as it does when no other field before it has changed. */
function stampsAlone(_protocol: 'action' | 'aid', instrument: string, { sequence }: Arrival): string {
  const quote = `{"volume":${sequence},"open_interest":1,"pre_open_interest":5,"bid_volume1":9}`;
  return `{"aid":"rtn_data","data":[{"quotes":{"${instrument}":${quote}}},{"ins_list":""}]}`;
}

/**
 * Sends each instrument's arrivals to the generator's first client, and gives what the generator makes of them. The
 * second client asks for the first instrument and an idle one, and is sent nothing: by that list the two are told
 * apart, since their connections may arrive in any order.
 */
async function received(
  protocol: 'action' | 'aid',
  streams: Readonly<Record<string, readonly Arrival[]>>,
  write = frameOf,
) {
  const folder = mkdtempSync(join(tmpdir(), 'qactpmd-load-'));
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
  let first: WebSocket | undefined;
  let peeks = 0;
  server.on('connection', (socket) => {
    if (protocol === 'aid') socket.send('{"aid":"rtn_data","data":[{"quotes":{}},{"ins_list":""}]}');
    socket.on('message', (message: Buffer) => {
      const text = message.toString();
      if (text === '{"aid":"peek_message"}') {
        peeks++;
        return;
      }
      if (!text.includes(idleInstrument)) first = socket;
      socket.send(protocol === 'aid' ? '{"aid":"subscribe_quote","status":"ok"}' : '{"action":"subscribe"}');
    });
  });
  onTestFinished(() => {
    for (const client of server.clients) client.terminate();
    server.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const { port } = server.address() as AddressInfo;
  const instruments = Object.keys(streams);
  const plan = [instruments, [instruments[0]!, idleInstrument]];
  const options = { port, protocol, plan, startUs, burstUs: 0, probes: 1, slowUs: 0, folder };
  const load = await Load.start(options);
  load.begin();
  await load.counts();
  let sent = 0;
  for (const [instrument, arrivals] of Object.entries(streams)) {
    for (const arrival of arrivals) {
      first!.send(write(protocol, instrument, arrival));
      sent++;
    }
  }
  await until('all frames', async () => ((await load.counts()).received === sent ? true : undefined));
  const window = await load.end();
  const history = await load.finish();
  return { window, history, peeks: () => peeks, probes: load.probes() };
}

const onTime = (sequences: readonly number[]): Arrival[] =>
  sequences.map((sequence) => ({ sequence, latencyUs: 1000 }));

it('finds in streams just the faults that they went through, in both protocols', async () => {
  const samples = fc.sample(faultyStream, { numRuns: 30, seed: 7 });
  const streams = Object.fromEntries(samples.map(({ arrivals }, index) => [`rb${index}`, onTime(arrivals)]));
  for (const protocol of ['action', 'aid'] as const) {
    const { history } = await received(protocol, streams);
    const sum = (field: 'lost' | 'duplicated' | 'reordered' | 'stale'): number =>
      samples.reduce((total, each) => total + each[field], 0);
    expect(history).toMatchObject({
      missing: sum('lost'),
      repeated: sum('duplicated'),
      late: sum('reordered'),
      stale: sum('stale'),
      strangers: 0,
    });
    for (const [index, { last }] of samples.entries())
      expect(history.last[`rb${index}`]).toEqual(index === 0 ? [-1, last] : [last, last]);
    // The second client's two streams.
    expect(history.silent).toBe(2);
    expect(history.connected).toBe(2);
  }
});

it('sees a state whose only changes are the two stamps', async () => {
  const { history, window } = await received('aid', { rb1: onTime([1, 2, 3]) }, stampsAlone);
  expect(history.last['rb1']).toEqual([-1, 3]);
  expect(window).toMatchObject({ delivered: 3, early: 0 });
});

it('peeks after each answer', async () => {
  const { peeks } = await received('aid', { rb1: onTime([1, 2, 3, 4]) });
  // Those that follow the two clients' subscriptions, and one for each state; the last ones may be on their way.
  const all = 2 + 4;
  await until('all peeks', () => (peeks() >= all ? true : undefined));
  expect(peeks()).toBe(all);
});

it('times deliveries from their intended time on, and writes down those of probing clients', async () => {
  const latencies = Array.from({ length: 1000 }, (_, i) => 20_000 + 100 * i);
  const arrivals = latencies.map((latencyUs, i) => ({ sequence: i + 1, latencyUs }));
  const { window, probes } = await received('action', { rb1: arrivals });
  const expected = hdr.build({ numberOfSignificantValueDigits: 3 });
  for (const latency of latencies) expected.recordValue(latency);
  // The way itself takes its time as well, so nothing is faster than what was written into the frames.
  expect(window.p50_us).toBeGreaterThanOrEqual(expected.getValueAtPercentile(50) * 0.998);
  expect(window.p99_us).toBeGreaterThanOrEqual(expected.getValueAtPercentile(99) * 0.998);
  expect(window.max_us).toBeGreaterThanOrEqual(119_900);
  expect(window).toMatchObject({ delivered: 1000, early: 0 });
  expect(probes.map(({ instrument, sequence }) => [instrument, sequence])).toEqual(
    arrivals.map(({ sequence }) => ['rb1', sequence]),
  );
});

it('says what is wrong with its command line', () => {
  const program = packagePath('bench', 'load', 'build', 'load');
  expect(() => execFileSync(program, ['--prot', 'aid'], { stdio: 'pipe' })).toThrow('--prot');
  expect(() => execFileSync(program, ['--port', '1', '--plan', '/none'], { stdio: 'pipe' })).toThrow('/none');
});
