import type { HealthBody } from './health.js';

/** The sections of /health: members that are objects, or lists of objects. */
type Section = Exclude<keyof HealthBody, 'status' | 'timestamp'>;
type MembersOf<Part> = Part extends readonly (infer Entry)[] ? Entry : Part;

/**
 * What every member of /health tells, by section; docs/health.md is made from it. A value that goes up and down begins with
 * "now"; the others are counters since the start.
 */
export const healthMembers = {
  connections: {
    id: '`connection_id`',
    status: 'now: `disconnected`, `connecting`, `connected` (no login yet), `logged_in` or `error`',
    reason:
      'now: why the connection is not logged in, or what it waits for and how long, one line; empty when it is logged in. See [refused logins](#refused-logins)',
    quality: 'now: 0 to 100',
    subscriptions: 'now: instruments on this connection',
    broker_id: '`broker_id`',
    broker_name: '`broker_name`; absent where the configuration has none',
    reconnects: 'how often the connection was lost and logged in again',
    ticks: 'ticks received, including rejected ones',
  },
  instruments: {
    wanted: 'now: instruments that clients or `always_subscribe` want',
    waiting:
      'now: wanted instruments without a line on a logged-in connection, not counting `unproven_waiting`',
    refused: 'now: wanted instruments that every connection has refused',
    short:
      'now: wanted instruments with fewer lines than `redundancy` asks for, although there are enough connections; without unproven ones',
    stale: 'now: wanted instruments that [should tick but do not](sessions.md)',
    unproven: 'now: wanted instruments that are neither listed nor have ever ticked',
    unproven_waiting:
      'now: unproven instruments without a line; only a few have a slot at a time (`limits.max_unproven`). They do not affect `status`',
    slots: 'now: instruments that the gateway keeps state for: wanted, recently wanted, or ticked',
    free_slots: 'now: how many more it can keep, not counting the slots reserved for listed instruments',
    no_slots: 'names that were refused because no slots were left',
  },
  ticks: {
    accepted: 'ticks that clients get',
    duplicate: 'rejected: a copy of a known state, see [reasons](data-quality.md#rejected-ticks)',
    regressed: 'rejected: older than the known state',
    falling_volume: 'rejected: later, but with less volume on the same trading day',
    off_session: 'rejected: outside the trading sessions',
    off_day: 'rejected: from a weekend',
    untimed: 'rejected: no usable time',
    garbage: 'rejected: a negative volume, or empty',
    reset: 'known states that were dropped because later ticks contradicted them',
    missed: 'ticks that were overwritten before the gateway read them: the machine is too slow',
  },
  off_session: {
    instruments:
      'now: instruments whose volume grows [outside their sessions](data-quality.md#outside-sessions); these ticks are not stored',
    opened_days:
      'now: holidays of the calendar on which instruments trade, `yyyymmdd`; they count as trading days',
  },
  websocket: {
    active_sessions: 'now: clients',
    total_messages: 'frames sent to clients',
  },
  limits: {
    refused_clients: 'WebSocket upgrades refused for any reason but their origin',
    refused_origins: 'WebSocket upgrades refused because of the web page they came from',
    refused_requests: 'HTTP requests refused because their address sends too many',
    delayed_clients: "how often a client's requests began to wait for its share of the main thread",
    closed_clients: 'clients closed because they exceeded a limit',
    kept_bytes: 'now: memory that clients occupy, in bytes',
    cut_unfinished: 'connections cut off because of messages that clients did not finish',
    accept_pauses: 'how often no connections were accepted because descriptors ran out',
    cut_connections: 'connections cut off because their address had the most when few descriptors were left',
    skipped_views:
      'frames with chosen `fields` that were skipped because their addresses had used up their share (`limits.view_work`)',
  },
  redis: {
    enabled: '`redis_enabled`',
    connected: 'now: whether Redis answers; in a cluster, whether all masters do',
    latency:
      'round trip of the last write, such as `"1.2ms"`, in a cluster the slowest; empty while Redis is unavailable',
    trouble: 'now: why no ticks are stored, one line; empty when ticks are stored',
    spill_trouble:
      'now: why ticks cannot wait in the spill file, one line: another gateway has it, the disk is full or fails, or `spill_file` is used up; empty when they can, or `spill_file` is 0',
    stored: 'ticks known to be in Redis',
    waiting: 'now: ticks that wait in memory, including those on the way to the storage thread',
    spilled: 'now: ticks that wait in the spill file',
    lost: 'ticks that will never be stored: no room in memory and file, damaged on disk, refused by Redis for good, or overwritten before the storage thread read them',
    lag_ms: 'now: age of the oldest waiting tick in ms since it was received; 0 when none waits',
    restarts: 'how often the storage thread crashed and was replaced',
  },
  history: {
    source: '`redis` or `memory`',
    memory_mb: 'now: MB of `history_memory` in use; 0 with Redis',
    running: 'now: queries being answered',
    waiting: 'now: queries in the queue',
    answered: 'queries answered completely',
    cancelled: 'queries whose client left',
    refused: 'queries refused because the queue was full',
    failed: 'queries that broke off',
    ticks: 'ticks delivered',
    chunks: 'now: parts of answers on their way to clients',
    most_chunks: 'the most such parts at any time',
    restarts: 'how often the thread that keeps ticks in memory crashed and was replaced; 0 with Redis',
  },
  recorder: {
    folder: '`record_path`',
    file: 'now: the file being written; empty before the first tick',
    ticks: 'ticks written',
    files: 'files begun',
    bytes: 'bytes written',
    behind: 'now: ticks that wait',
    missed: "ticks that were overwritten before the recorder's thread read them, or that crashed it",
    lost: 'ticks that the disk had no room for',
    failure: 'now: why nothing is recorded; empty when all is well',
    restarts: "how often the recorder's thread crashed and was replaced",
  },
} as const satisfies {
  readonly [Name in Section]: Readonly<Record<keyof Required<MembersOf<Required<HealthBody>[Name]>>, string>>;
};
