import type { Logger } from 'pino';
import { ConfigError } from '../../config/configError.js';
import type { ReloadSummary } from '../../config/reload.js';
import { asJson, failure, type HttpAnswer } from './response.js';
import type { ErrorCode } from '../shared/errors.js';
import { marked } from '../../base/logEvents.js';

/** A gateway is started within a moment. */
const retryAfterSeconds = '1';

/** Nothing can be reloaded at this moment; the message says why. */
export class NotReadyError extends Error {}

/**
 * POST /api/reload. Answers when the reload is done.
 *
 * @param reload rejects with a ConfigError when the new configuration is refused as a whole, with a NotReadyError while
 *   the gateway starts or stops
 */
export async function reloadAnswer(
  reload: () => Promise<ReloadSummary>,
  logger: Logger,
): Promise<HttpAnswer> {
  try {
    return asJson('200 OK', JSON.stringify(await reload()));
  } catch (error) {
    return answerTo(error, logger);
  }
}

function answerTo(error: unknown, logger: Logger): HttpAnswer {
  if (error instanceof ConfigError) {
    const problems = error.lines;
    const message = 'the configuration is refused, nothing was changed';
    const body = { error: { code: 'invalid_config' satisfies ErrorCode, message, problems } };
    return asJson('422 Unprocessable Content', JSON.stringify(body));
  }
  if (error instanceof NotReadyError) {
    const { headers, ...notReady } = failure('503 Service Unavailable', 'not_ready', error.message);
    return { ...notReady, headers: [...headers, ['retry-after', retryAfterSeconds]] };
  }
  logger.error(marked('reload_failed', { err: error }), 'the reload failed');
  return failure('500 Internal Server Error', 'internal_error', 'the reload failed, the log says why');
}
