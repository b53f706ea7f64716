import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { SimulationClock } from './clock.js';
import { FaultError, faultNames, parseFault, parseFaultName, type FaultName } from './faultGrammar.js';
import type { Front } from './front.js';
import { zonedTime, zonedTimeForm } from './zonedTime.js';
import { errorText } from '../base/errorText.js';

const host = '127.0.0.1';
const maxBodyBytes = 64 * 1024;
const maxConnections = 64;
const requestTimeoutMs = 10_000;
const maxSpeed = 1_000_000;

/** A request that cannot be met; the message goes to the client. */
class Refused extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export interface Controlled {
  readonly fronts: readonly Front[];
  readonly clock: SimulationClock;
  /** To be called when the clock was set. */
  clockSet(): void;
}

/** The HTTP API that injects faults into running fronts, on loopback only; docs/simulator.md is its reference. */
export class ControlServer {
  readonly #controlled: Controlled;
  readonly #server: Server;

  constructor(controlled: Controlled) {
    this.#controlled = controlled;
    this.#server = createServer({ requestTimeout: requestTimeoutMs }, (request, response) => {
      this.#handle(request, response).catch((error: unknown) => {
        if (response.headersSent) response.destroy();
        else
          answer(response, statusOf(error), {
            error: errorText(error),
          });
      });
    });
    this.#server.maxConnections = maxConnections;
  }

  /** Listens and gives the port; port 0 picks a free one. Rejects when the port cannot be had. */
  listen(port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host, port }, () => {
        this.#server.off('error', reject);
        resolve((this.#server.address() as AddressInfo).port);
      });
    });
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#checkCaller(request);
    const body = await readBody(request);
    const [path = ''] = (request.url ?? '').split('?', 1);
    const [resource = '', name = '', ...rest] = path.split('/').slice(1);
    const generic = [resource, ...(path.split('/').length > 2 ? ['*'] : []), ...rest].join('/');
    const route = `${request.method ?? ''} /${generic}`;
    switch (route) {
      case 'GET /fronts':
        answer(response, 200, {
          fronts: this.#controlled.fronts.map((front, index) => ({ index, ...front.report })),
        });
        return;
      case 'GET /fronts/*':
        answer(response, 200, { index: Number(name), ...this.#one(name).report });
        return;
      case 'POST /fronts/*/faults': {
        const fronts = this.#select(name);
        const fault = parseFault(parseJson(body));
        const sessions = fronts.reduce((sum, front) => sum + front.apply(fault), 0);
        answer(response, 200, { fault: fault.fault, fronts: fronts.length, sessions });
        return;
      }
      case 'DELETE /fronts/*/faults': {
        const fronts = this.#select(name);
        const names = body === '' ? faultNames : [nameIn(parseJson(body))];
        for (const front of fronts) for (const name of names) await front.clear(name);
        answer(response, 200, { cleared: body === '' ? 'all' : names[0], fronts: fronts.length });
        return;
      }
      case 'GET /clock':
        answer(response, 200, this.#clock());
        return;
      case 'POST /clock':
        this.#setClock(parseJson(body));
        answer(response, 200, this.#clock());
        return;
      default:
        throw new Refused(404, `no ${request.method ?? ''} ${path.slice(0, 80)}; there are ${routes}`);
    }
  }

  /** A web page that a browser on this machine shows must not be able to reach the API. */
  #checkCaller(request: IncomingMessage): void {
    const { port } = this.#server.address() as AddressInfo;
    const named = (request.headers.host ?? '').toLowerCase();
    const allowed = ['127.0.0.1', 'localhost', '[::1]'].flatMap((name) => [name, `${name}:${port}`]);
    if (!allowed.includes(named)) throw new Refused(403, 'the Host header must name the loopback interface');
    if (request.headers.origin !== undefined) throw new Refused(403, 'not for web pages');
  }

  #one(name: string): Front {
    const { fronts } = this.#controlled;
    const front = /^\d{1,4}$/.test(name) ? fronts[Number(name)] : undefined;
    if (front !== undefined) return front;
    throw new Refused(404, `no front "${name.slice(0, 40)}"; there are 0 to ${fronts.length - 1}, and all`);
  }

  #select(name: string): readonly Front[] {
    return name === 'all' ? this.#controlled.fronts : [this.#one(name)];
  }

  #clock(): Record<string, unknown> {
    const { clock } = this.#controlled;
    return { at: new Date(clock.now()).toISOString(), speed: clock.speed, scripted: clock.scripted };
  }

  #setClock(json: unknown): void {
    const { clock } = this.#controlled;
    if (typeof json !== 'object' || json === null || Array.isArray(json))
      throw new Refused(400, 'the body must be a JSON object with at, speed or both');
    const given = json as Readonly<Record<string, unknown>>;
    const { at = new Date(clock.now()).toISOString(), speed = clock.speed, ...others } = given;
    const instant = zonedTime(at);
    const [unknown] = Object.keys(others);
    if (unknown !== undefined)
      throw new Refused(400, `${unknown.slice(0, 80)}: the clock takes at and speed`);
    if (given['at'] === undefined && given['speed'] === undefined)
      throw new Refused(400, 'the clock takes at, speed or both');
    if (!(instant >= 0)) throw new Refused(400, `at: must be ${zonedTimeForm}`);
    if (typeof speed !== 'number' || !(speed > 0 && speed <= maxSpeed)) {
      throw new Refused(400, `speed: must be a number above 0 up to ${maxSpeed}`);
    }
    clock.set(instant, speed);
    this.#controlled.clockSet();
  }
}

const routes =
  'GET /fronts, GET /fronts/INDEX, POST and DELETE /fronts/INDEX|all/faults, GET and POST /clock';

function statusOf(error: unknown): number {
  if (error instanceof Refused) return error.status;
  return error instanceof FaultError ? 400 : 500;
}

function nameIn(json: unknown): FaultName {
  return parseFaultName((json as { fault?: unknown } | null)?.fault);
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch (error) {
    throw new Refused(400, `the body is not JSON: ${errorText(error)}`);
  }
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBodyBytes) throw new Refused(413, `the body is longer than ${maxBodyBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  const text = `${JSON.stringify(body)}\n`;
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
  });
  response.end(text);
}
