import { isRecord } from '../config/record.js';
import type { Endpoints } from '../config/load.js';
import { managementSocketPath } from '../server/managementServer.js';
import { addressOf, askGateway, noGateway, NoSocketError, type GatewayPlace } from './askGateway.js';
import { renderHealth } from './healthText.js';
import { renderStatus } from './statusText.js';
import type { CliContext } from './cliContext.js';

const exitCodes = { healthy: 0, degraded: 1, unreachable: 2 } as const;
/** Of pages that a gateway does not give to everybody, or does not have. */
const withheld: readonly (number | undefined)[] = [403, 404];
/** Columns of a terminal below which nothing is made shorter. */
const narrowest = 80;

type Body = Readonly<Record<string, unknown>>;

interface Found {
  readonly body: Body;
  /** True for the answer of /health. */
  readonly isHealth: boolean;
}

/** Asks the page, and where it is withheld /health, which says less. Throws an Error of one line. */
async function askAt(place: GatewayPlace): Promise<Found> {
  const whole = await askGateway(place, '/api/status');
  const isHealth = withheld.includes(whole.statusCode);
  // 503 is an answer too: an unhealthy gateway describes itself.
  const { statusCode, body } = isHealth ? await askGateway(place, '/health') : whole;
  if (isRecord(body) && typeof body['status'] === 'string') return { body, isHealth };
  throw new Error(withheld.includes(statusCode) ? (messageOf(body) ?? noGateway) : noGateway);
}

/** The text of an error page of a gateway's. */
function messageOf(body: unknown): string | undefined {
  const error = isRecord(body) ? body['error'] : undefined;
  const message = isRecord(error) ? error['message'] : undefined;
  return typeof message === 'string' ? message : undefined;
}

/**
 * Asks a running gateway and prints its connections, or with `asJson` its report as it is. Returns the exit code:
 * 0 healthy, 1 not quite, 2 no answer. The management socket says most; where there is none, the port says what everybody
 * may know.
 */
export async function printStatus(
  endpoints: Endpoints,
  asJson: boolean,
  env: NodeJS.ProcessEnv,
  { out, err, columns }: Pick<CliContext, 'out' | 'err' | 'columns'>,
): Promise<number> {
  const fail = (reason: string): number => {
    err(`qactpmdgateway: ${reason}\n`);
    return exitCodes.unreachable;
  };
  const { port, managementSocket } = endpoints;
  if (port === 0 && managementSocket === '')
    return fail(
      'port 0 stands for any free port: give --port the one that the gateway logged when it started',
    );
  const address = addressOf(endpoints);
  const socket = managementSocketPath(endpoints, port, env);
  let place = socket;
  let found: Found;
  try {
    try {
      found = await askAt({ socket });
    } catch (error) {
      if (!(error instanceof NoSocketError) || port === 0) throw error;
      place = address;
      found = await askAt({ address });
      const source = found.isHealth ? 'this is /health' : 'this is what everybody may know';
      err(`qactpmdgateway: ${socket}: ${error.message}; ${source} of ${address}\n`);
    }
  } catch (error) {
    return fail(`${place}: ${(error as Error).message}`);
  }
  const { body, isHealth } = found;
  const width = columns === undefined ? Infinity : Math.max(narrowest, columns);
  if (asJson) out(`${JSON.stringify(body, null, 2)}\n`);
  else out(`${isHealth ? renderHealth(body, width) : renderStatus(body, width)}\n`);
  return body['status'] === 'healthy' ? exitCodes.healthy : exitCodes.degraded;
}
