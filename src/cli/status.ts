import { get } from 'node:http';
import { isIPv6 } from 'node:net';
import { json } from 'node:stream/consumers';
import { isRecord } from '../config/record.js';
import type { CliSurroundings } from './surroundings.js';

const noGateway = 'what answers there is no gateway';
const answerTimeoutMs = 5000;
const exitCodes = { healthy: 0, degraded: 1, unreachable: 2 } as const;
/** Columns that come first; further fields of /health follow in the order they come. */
const leadingColumns = ['id', 'status', 'quality', 'subscriptions'];

/** Fields of /health that are not printed as a line of their own. */
const headFields = ['status', 'timestamp', 'connections'];

type Row = Readonly<Record<string, unknown>>;

function cell(value: unknown): string {
  if (value === undefined || value === null || value === '') return '-';
  const written = typeof value === 'string' ? value : JSON.stringify(value);
  return written.replaceAll(/\p{Cc}/gu, ' ');
}

/** Lines of a table with a heading; columns are as wide as their widest cell. */
export function renderTable(rows: readonly Row[]): string {
  const columns = [...new Set([...leadingColumns, ...rows.flatMap((row) => Object.keys(row))])];
  const lines = [columns, ...rows.map((row) => columns.map((column) => cell(row[column])))];
  const widths = columns.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)));
  return lines
    .map((line) =>
      line
        .map((text, column) => text.padEnd(widths[column]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function pairs(value: unknown): string {
  if (!isRecord(value)) return '-';
  return Object.entries(value)
    .map(([key, member]) => `${key} ${cell(member)}`)
    .join(', ');
}

/** The answer of /health as text; what is absent is left out. */
export function renderHealth(health: Row): string {
  const rows = Array.isArray(health['connections']) ? health['connections'].filter(isRecord) : [];
  const rest = Object.entries(health).filter(([key]) => !headFields.includes(key));
  const head = `${cell(health['status'])} at ${cell(health['timestamp'])}`;
  const tail = rest.map(([key, value]) => `${key}: ${isRecord(value) ? pairs(value) : cell(value)}`);
  return [head, '', rows.length === 0 ? 'no connections' : renderTable(rows), '', ...tail]
    .join('\n')
    .trimEnd();
}

function addressOf({ host, port }: { readonly host: string; readonly port: number }): string {
  const own = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  return `http://${isIPv6(own) ? `[${own}]` : own}:${port}/health`;
}

/** Fetches and parses the page. Node's fetch would do, but refuses ports that browsers block. */
function getJson(address: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const request = get(
      address,
      { agent: false, signal: AbortSignal.timeout(answerTimeoutMs) },
      (response) => {
        json(response).then(resolve, reject);
      },
    );
    request.on('error', reject);
  });
}

function causeOf(error: unknown): string {
  const { name, code, message } = error as NodeJS.ErrnoException;
  if (name === 'AbortError' || name === 'TimeoutError') return `no answer within ${answerTimeoutMs / 1000} s`;
  if (code === 'ECONNREFUSED') return 'connection refused, no gateway runs there';
  if (name === 'SyntaxError' || code?.startsWith('HPE_') === true) return noGateway;
  return code ?? message;
}

/** Asks a running gateway and prints its connections. Returns the exit code: 0 healthy, 1 not quite, 2 no answer. */
export async function printStatus(
  listen: { readonly host: string; readonly port: number },
  { out, err }: Pick<CliSurroundings, 'out' | 'err'>,
): Promise<number> {
  const fail = (reason: string): number => {
    err(`qactpmdgateway: ${reason}\n`);
    return exitCodes.unreachable;
  };
  if (listen.port === 0)
    return fail(
      'port 0 stands for any free port: give --port the one that the gateway logged when it started',
    );
  const address = addressOf(listen);
  let body: unknown;
  try {
    // 503 is an answer too: an unhealthy gateway describes itself.
    body = await getJson(address);
  } catch (error) {
    return fail(`${address}: ${causeOf(error)}`);
  }
  if (!isRecord(body) || typeof body['status'] !== 'string') return fail(`${address}: ${noGateway}`);
  out(`${renderHealth(body)}\n`);
  return body['status'] === 'healthy' ? exitCodes.healthy : exitCodes.degraded;
}
