import { request } from 'node:http';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ControlClient } from './controlClient.js';
import { FrontProcess } from './frontProcess.js';
import { buildNative } from './nativeClient.js';

let fronts: FrontProcess;
let control: ControlClient;

beforeAll(async () => {
  await buildNative();
  fronts = new FrontProcess(['--base-port', '0', '--fronts', '3', '--control-port', '0']);
  control = await fronts.control();
});
afterAll(() => fronts.stop());

/** Status and body of a request with headers of the test's own. */
function raw(
  method: string,
  path: string,
  headers: Record<string, string>,
  body = '',
): Promise<[number, string]> {
  return new Promise((resolve, reject) => {
    const sent = request(control.base + path, { method, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () => resolve([response.statusCode!, text]));
    });
    sent.on('error', reject).end(body);
  });
}

it('lists the fronts with their ports, sessions and faults', async () => {
  const ports = await fronts.ports();
  await control.fault(1, 'login_error', { error: 3 });
  await control.fault('all', 'missing_ticks', { instruments: ['rb2701'] });
  const missing = { fault: 'missing_ticks', every: 2, instruments: ['rb2701'] };
  expect(await control.fronts()).toEqual(
    ports.map((port, index) => ({
      index,
      port,
      listening: true,
      accepted: 0,
      sessions: [],
      faults: index === 1 ? [{ fault: 'login_error', error: 3 }, missing] : [missing],
    })),
  );
  expect(JSON.parse((await raw('GET', '/fronts/1', {}))[1])).toEqual((await control.fronts())[1]);
  await control.clear(1, 'login_error');
  expect((await control.fronts())[1]!.faults).toEqual([missing]);
  await control.clear('all');
  expect((await control.fronts()).map((front) => front.faults)).toEqual([[], [], []]);
});

it.each([
  ['POST', '/fronts/0/faults', { fault: 'nothing' }, '400 fault: "nothing" is none of disconnect, garbage,'],
  ['POST', '/fronts/0/faults', [], '400 the body must be a JSON object'],
  ['POST', '/fronts/0/faults', { fault: 'stall', seconds: 1 }, '400 seconds: stall takes no fields'],
  ['POST', '/fronts/0/faults', { fault: 'disconnect', reason: 1 }, '400 reason: must be one of 4097, 4098,'],
  ['POST', '/fronts/0/faults', { fault: 'delay' }, '400 ms: must be a whole number from 1 to 600000'],
  [
    'POST',
    '/fronts/0/faults',
    { fault: 'login_error', error: 1, text: 'é' },
    '400 text: must be an ASCII text',
  ],
  ['POST', '/fronts/0/faults', { fault: 'limit_up', instruments: 'rb' }, '400 instruments: must be a list'],
  ['POST', '/fronts/3/faults', { fault: 'stall' }, '404 no front "3"; there are 0 to 2, and all'],
  ['POST', '/fronts/-1/faults', { fault: 'stall' }, '404 no front "-1"'],
  ['DELETE', '/fronts/all/faults', { fault: 'x' }, '400 fault: "x" is none of'],
  ['GET', '/', undefined, '404 no GET /; there are GET /fronts,'],
  ['POST', '/clock', { at: 'noon' }, '400 at: must be an ISO time'],
  ['POST', '/clock', { at: '2026-11-23T09:00' }, '400 at: must be an ISO time with its zone'],
  ['POST', '/clock', {}, '400 the clock takes at, speed or both'],
  ['POST', '/clock', [1], '400 the body must be a JSON object with at, speed or both'],
  ['POST', '/clock', { speed: 0 }, '400 speed: must be a number above 0'],
  ['POST', '/clock', { start: 1 }, '400 start: the clock takes at and speed'],
])('refuses %s %s %j and says why', async (method, path, body, message) => {
  await expect(control.request(method, path, body)).rejects.toThrow(message);
});

it('refuses what a web page could send, and bodies that are no JSON or too long', async () => {
  expect(await raw('GET', '/fronts', { host: 'evil.example' })).toEqual([
    403,
    '{"error":"the Host header must name the loopback interface"}\n',
  ]);
  expect((await raw('POST', '/fronts/all/faults', { origin: 'http://evil.example' }))[0]).toBe(403);
  expect((await raw('GET', '/fronts', { host: 'localhost' }))[0]).toBe(200);
  expect((await raw('POST', '/fronts/all/faults', {}, '{'))[1]).toContain('the body is not JSON');
  expect((await raw('POST', '/fronts/all/faults', {}, ' '.repeat(70_000)))[0]).toBe(413);
});

it('sets the clock, which then runs at the speed that was asked for', async () => {
  await control.setClock('2026-09-30T20:59:00+08:00', 60);
  const clock = (await control.request('GET', '/clock')) as { at: string; speed: number; scripted: boolean };
  expect(clock).toMatchObject({ speed: 60, scripted: true });
  expect(Date.parse(clock.at)).toBeGreaterThanOrEqual(Date.parse('2026-09-30T20:59:00+08:00'));
});
