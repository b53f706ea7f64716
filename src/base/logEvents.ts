interface LogEventEntry {
  readonly level: 'warn' | 'error' | 'fatal';
  /** What has happened, and what to do about it if anything. */
  readonly meaning: string;
}

/**
 * Every event that is logged as a warning or an error: the closed list. Each such line has its event in the member `event`,
 * which stays the same while texts may change. docs/events.md is made from it.
 */
export const logEvents = {
  startup_failed: { level: 'fatal', meaning: 'The gateway cannot start. The text is the reason.' },
  stop_incomplete: {
    level: 'fatal',
    meaning: 'Parts of the gateway did not stop within shutdown_deadline. The exit code is 1.',
  },
  config_warning: {
    level: 'warn',
    meaning: 'The configuration is allowed but probably not intended. Also: years that the calendar lacks.',
  },
  config_restless: {
    level: 'warn',
    meaning: 'A configuration file changes all the time, so it is not read until it stays the same.',
  },
  reload_refused: {
    level: 'error',
    meaning: 'The changed configuration is wrong. Nothing was changed. One line per problem.',
  },
  reload_failed: { level: 'error', meaning: 'A reload failed for another reason. Nothing was changed.' },
  restart_needed: {
    level: 'warn',
    meaning: 'Changed settings that a running gateway cannot take over. Restart it to apply them.',
  },
  limit_lowered: {
    level: 'warn',
    meaning: 'limits.max_clients is lowered to what the process may have open. Raise ulimit -n.',
  },
  library_warning: {
    level: 'warn',
    meaning: 'What to know about a vendor library, such as an unverified version.',
  },
  library_failed: {
    level: 'error',
    meaning: 'A vendor library could not be loaded. Its connections stay closed.',
  },
  library_output: { level: 'warn', meaning: 'A vendor library printed a line.' },
  connection_down: {
    level: 'warn',
    meaning: 'A connection is not logged in; the text is the reason. The gateway keeps trying.',
  },
  connection_given_up: {
    level: 'error',
    meaning:
      'A front refuses the login for good: wrong credentials, or a barred account. Correct them and reload.',
  },
  subscription_refused: { level: 'warn', meaning: 'A front refused an instrument.' },
  front_trouble: { level: 'warn', meaning: 'A front or a vendor library reports an error on a connection.' },
  events_lost: {
    level: 'warn',
    meaning: 'Events of fronts were lost because a worker was too slow. It logs in again where necessary.',
  },
  worker_lost: {
    level: 'error',
    meaning: "A connection's worker thread crashed. The connection is reopened.",
  },
  worker_hung: {
    level: 'error',
    meaning: 'A worker thread hangs in the vendor library. Its other connections are reopened elsewhere.',
  },
  simulator_restarted: { level: 'warn', meaning: 'The simulated fronts exited and are started again.' },
  health_changed: { level: 'warn', meaning: 'The status changed to degraded or unhealthy.' },
  ticks_missed: {
    level: 'warn',
    meaning: 'Ticks were overwritten in their ring before the main thread read them: it is too slow.',
  },
  off_session: { level: 'warn', meaning: 'A product ticks outside its trading sessions.' },
  holiday_opened: {
    level: 'warn',
    meaning: 'Instruments trade on a day that the calendar calls a holiday. Correct the calendar.',
  },
  no_slots: {
    level: 'warn',
    meaning: 'Clients ask for more unlisted instruments than the gateway keeps. Further ones are refused.',
  },
  instruments_file_failed: { level: 'warn', meaning: 'instruments_file cannot be read or written.' },
  client_closed: {
    level: 'warn',
    meaning: 'A client was closed because it exceeded a limit or sent too many bad frames.',
  },
  client_cut_off: { level: 'warn', meaning: 'A client was cut off because it does not read.' },
  unfinished_cut: {
    level: 'warn',
    meaning:
      'Connections were cut off because clients had sent too much of messages that they did not finish.',
  },
  connections_cut: {
    level: 'warn',
    meaning: 'Connections of the address with the most were cut off because few descriptors were left.',
  },
  accept_paused: {
    level: 'warn',
    meaning: 'No connections are accepted for now: descriptors ran out. Raise ulimit -n.',
  },
  receive_unbounded: {
    level: 'warn',
    meaning: 'The receive buffers of the port could not be bounded, because no descriptor was left.',
  },
  port_closed: { level: 'error', meaning: 'The port could not be opened again. The gateway keeps trying.' },
  request_failed: { level: 'error', meaning: 'A request failed in the gateway itself. Please report it.' },
  management_failed: { level: 'warn', meaning: 'The management socket could not be removed.' },
  profile_failed: { level: 'warn', meaning: 'A profile could not be delivered, or its socket failed.' },
  history_query_failed: { level: 'error', meaning: 'A history query failed.' },
  thread_crashed: {
    level: 'error',
    meaning: 'A background thread (storage, recorder, history) crashed. A replacement resumes where it was.',
  },
  redis_down: { level: 'warn', meaning: 'Redis is unavailable. Ticks wait in memory and in the spill file.' },
  redis_advice: { level: 'warn', meaning: 'Redis is configured in a way that can lose ticks or cost time.' },
  redis_read_refused: { level: 'warn', meaning: 'Redis refused to return the quotes of an earlier run.' },
  redis_write_refused: { level: 'warn', meaning: 'Redis is available but stores no ticks. They wait.' },
  ticks_refused: { level: 'error', meaning: 'Redis refused ticks for good. They are lost.' },
  ticks_lost: { level: 'error', meaning: 'Ticks will never be stored in Redis.' },
  spill_failed: { level: 'error', meaning: 'Ticks cannot wait in the spill file. They wait in memory only.' },
  recording_failed: {
    level: 'error',
    meaning: 'The recorder cannot write. It keeps trying, and ticks wait in memory.',
  },
  recording_lost: { level: 'error', meaning: 'Ticks were not recorded.' },
} as const satisfies Record<string, LogEventEntry>;

export type LogEvent = keyof typeof logEvents;

/** A log line of another thread, as it comes to the main thread. */
export type ThreadLine =
  | { readonly type: 'log'; readonly level: 'debug' | 'info'; readonly text: string }
  | {
      readonly type: 'log';
      readonly level: 'warn' | 'error';
      readonly event: LogEvent;
      readonly text: string;
    };

/** The members of a line that reports an event. */
export function marked<Members extends object>(
  event: LogEvent,
  members?: Members,
): { readonly event: LogEvent } & Members {
  return { event, ...members } as { readonly event: LogEvent } & Members;
}

/** The members of a line of another thread. */
export function membersOf(line: ThreadLine): object {
  return 'event' in line ? marked(line.event) : {};
}
