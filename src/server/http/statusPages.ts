import { asJson, crossOrigin, failure, type HttpAnswer } from './response.js';
import { healthBody, type HealthReport, type ServerCounters } from './health.js';
import { parseSessionsQuery, type SessionsSource } from './sessionsPage.js';

/** A page that is read, whose answer is small and made at once. */
export interface StatusPage {
  readonly method: 'get';
  /** Takes the query without its question mark. */
  readonly answer: (query: string) => HttpAnswer;
}

/** In lower case; a page that is read is there for HEAD too. */
export type PageMethod = 'get' | 'post';

/** Pages by their paths. */
export type StatusPages = ReadonlyMap<string, StatusPage>;

export interface StatusSource {
  health(): HealthReport;
  counters(): ServerCounters;
  /** False while the server is stopping. */
  accepting(): boolean;
  /** GET /api/sessions; absent where there is none. */
  readonly sessions?: SessionsSource | undefined;
}

const allowedMethods = { get: 'GET, HEAD, OPTIONS', post: 'POST, OPTIONS' } as const;

/** Pages about the server and the market, on the public port and for management. */
export function statusPages(source: StatusSource): Map<string, StatusPage> {
  const pages = new Map<string, StatusPage>();
  const read = (url: string, answer: StatusPage['answer']): void =>
    void pages.set(url, { method: 'get', answer });
  read('/health', () => {
    const report = source.health();
    const code = report.status === 'unhealthy' ? '503 Service Unavailable' : '200 OK';
    return asJson(code, healthBody(report, source.counters(), Date.now()));
  });
  read('/livez', () => asJson('200 OK', '{"status":"live"}'));
  read('/readyz', () =>
    source.accepting() && source.health().status !== 'unhealthy'
      ? asJson('200 OK', '{"status":"ready"}')
      : asJson('503 Service Unavailable', '{"status":"not ready"}'),
  );
  const { sessions } = source;
  if (sessions !== undefined) read('/api/sessions', (query) => sessionsAnswer(query, sessions));
  return pages;
}

export function noSuchPage(url: string): HttpAnswer {
  return failure('404 Not Found', 'not_found', `there is no page ${url}`);
}

/** The answer to OPTIONS, without a word of other origins. */
export function optionsAnswer(method: PageMethod): HttpAnswer {
  return { status: '204 No Content', headers: [['allow', allowedMethods[method]]], body: '' };
}

/** A preflight lets web pages read what everybody may read, and nothing else. */
export function preflightAnswer(method: PageMethod): HttpAnswer {
  const { headers, ...answer } = optionsAnswer(method);
  return {
    ...answer,
    headers: [crossOrigin, ['access-control-allow-methods', allowedMethods[method]], ...headers],
  };
}

export function wrongMethod(url: string, method: PageMethod): HttpAnswer {
  const allowed = allowedMethods[method];
  const { headers, ...answer } = failure(
    '405 Method Not Allowed',
    'method_not_allowed',
    `${url} is there for ${allowed}`,
  );
  return { ...answer, headers: [...headers, ['allow', allowed]] };
}

function sessionsAnswer(query: string, sessions: SessionsSource): HttpAnswer {
  const parsed = parseSessionsQuery(query, sessions.products);
  const answer =
    'refusal' in parsed
      ? failure('400 Bad Request', 'invalid_query', parsed.refusal)
      : asJson('200 OK', JSON.stringify(sessions.report(parsed.filter)));
  return { ...answer, headers: [...answer.headers, crossOrigin] };
}
