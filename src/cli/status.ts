import { isRecord } from '../config/record.js';
import { addressOf, askGateway, noGateway } from './askGateway.js';
import { renderHealth } from './healthText.js';
import { renderStatus } from './statusText.js';
import type { CliSurroundings } from './surroundings.js';

const exitCodes = { healthy: 0, degraded: 1, unreachable: 2 } as const;
/** Answers of a gateway that tells its details to its own machine alone, and of one that has no such page. */
const withoutDetails: readonly (number | undefined)[] = [403, 404];
const lessDetail = "this is /health; programs on the gateway's own machine are told more";
/** Columns of a terminal below which nothing is made shorter. */
const narrowest = 80;

interface Found {
  readonly body: Readonly<Record<string, unknown>>;
  /** False where only /health could be had. */
  readonly isWhole: boolean;
}

async function findOut(address: string): Promise<Found> {
  const whole = await askGateway(address, '/api/status');
  const isWhole = !withoutDetails.includes(whole.statusCode);
  // 503 is an answer too: an unhealthy gateway describes itself.
  const { body } = isWhole ? whole : await askGateway(address, '/health');
  if (!isRecord(body) || typeof body['status'] !== 'string') throw new Error(noGateway);
  return { body, isWhole };
}

/**
 * Asks a running gateway and prints its connections, or with `asJson` its report as it is. Returns the exit code:
 * 0 healthy, 1 not quite, 2 no answer. A gateway on another machine tells less.
 */
export async function printStatus(
  listen: { readonly host: string; readonly port: number },
  asJson: boolean,
  { out, err, columns }: Pick<CliSurroundings, 'out' | 'err' | 'columns'>,
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
  let found: Found;
  try {
    found = await findOut(address);
  } catch (error) {
    return fail(`${address}: ${(error as Error).message}`);
  }
  const { body, isWhole } = found;
  const width = columns === undefined ? Infinity : Math.max(narrowest, columns);
  if (!isWhole) err(`qactpmdgateway: ${address}: ${lessDetail}\n`);
  if (asJson) out(`${JSON.stringify(body, null, 2)}\n`);
  else out(`${isWhole ? renderStatus(body, width) : renderHealth(body, width)}\n`);
  return body['status'] === 'healthy' ? exitCodes.healthy : exitCodes.degraded;
}
