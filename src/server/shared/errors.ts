/** Which side of the protocol a client hears an error on. Unreadable frames belong to neither, so they carry both marks. */
export type ErrorSide = 'aid' | 'action' | 'both';

interface ErrorEntry {
  /** aid, action: a frame with that mark. both: a frame with both marks. http: the body of a response. */
  readonly side: ErrorSide | 'http' | 'aid or action';
  /** True when the frame breaks the grammar, so that it counts towards the limit of bad frames. */
  readonly badFrame: boolean;
  readonly meaning: string;
}

/**
 * Every error that a client can be told of: the closed list. A frame is
 * `{"action":"error","code":"…","message":"…","request":{…}}`, with `"aid":"error"` in place of or beside `action`.
 */
export const errorCatalogue = {
  invalid_json: { side: 'both', badFrame: true, meaning: 'The frame is not JSON.' },
  not_an_object: { side: 'both', badFrame: true, meaning: 'The frame is JSON, but not an object.' },
  binary_frame: { side: 'both', badFrame: true, meaning: 'The frame is binary; both protocols are text.' },
  frame_too_large: { side: 'both', badFrame: true, meaning: 'The frame has more bytes than are allowed.' },
  missing_kind: { side: 'both', badFrame: true, meaning: 'The frame has neither aid nor action.' },
  ambiguous_kind: { side: 'both', badFrame: true, meaning: 'The frame has both aid and action.' },
  unknown_aid: { side: 'aid', badFrame: true, meaning: 'There is no such aid.' },
  unsupported_aid: {
    side: 'aid',
    badFrame: false,
    meaning:
      'The aid is one of the DIFF protocol that this gateway does not serve, such as those of trading.',
  },
  invalid_chart: {
    side: 'aid',
    // Its chart is answered all the same, and a client that sends it again after a reconnect must not be closed for it.
    badFrame: false,
    meaning:
      'A member of set_chart is wrong. The chart comes without data all the same, unless it has no chart_id.',
  },
  invalid_ins_query: {
    side: 'aid',
    badFrame: true,
    meaning: 'query_id or query of an ins_query is no string, or variables no object.',
  },
  answers_unread: {
    side: 'aid',
    badFrame: false,
    meaning:
      'The answers to set_chart and ins_query that wait for peek_message are as many as may wait; this one is not given.',
  },
  invalid_ins_list: { side: 'aid', badFrame: true, meaning: 'ins_list is not a string.' },
  ins_list_too_long: {
    side: 'aid',
    badFrame: false,
    meaning:
      'ins_list has far more characters than its instruments need: blanks or repetitions. The set stays as it was.',
  },
  unknown_action: { side: 'action', badFrame: true, meaning: 'There is no such action.' },
  invalid_instruments: {
    side: 'action',
    badFrame: true,
    meaning: 'instruments is not a list of strings.',
  },
  invalid_fields: {
    side: 'action',
    badFrame: true,
    meaning: 'fields is not a list with at least one name, all of them strings.',
  },
  unknown_field: {
    side: 'action',
    badFrame: true,
    meaning: 'fields has names that no quote has; `unknown` lists them, `allowed` the names there are.',
  },
  invalid_diff: { side: 'action', badFrame: true, meaning: 'diff is neither true nor false.' },
  invalid_flags: {
    side: 'action',
    badFrame: true,
    meaning: 'flags or all is neither true nor false, or all comes with diff.',
  },
  invalid_filter: {
    side: 'action',
    badFrame: true,
    meaning:
      'search, exchange or product is not a string, kind is none of its words, or limit no integer from 1 on.',
  },
  invalid_heartbeat: {
    side: 'action',
    badFrame: true,
    meaning: 'The interval of heartbeats is neither 0 nor within its bounds.',
  },
  unknown_exchange: {
    side: 'action',
    badFrame: true,
    meaning: 'exchange is none of the names in `exchanges`, which are in capitals.',
  },
  unknown_instrument: {
    side: 'aid or action',
    badFrame: false,
    meaning:
      'Some instruments cannot exist; `instruments` lists them, `suggestions` has what may have been meant. The others are subscribed; where there are none, the acknowledgement has the status error. 404 to a history query for one of them.',
  },
  no_slots: {
    side: 'action',
    badFrame: false,
    meaning:
      'The gateway keeps as many instruments that are not listed as it can, or this client has its share of them; `instruments` lists those that were refused. The others are subscribed.',
  },
  expired_instrument: {
    side: 'action',
    badFrame: false,
    meaning:
      'The delivery of the contracts in `instruments` is over; `suggestions` has listed ones. They are subscribed all the same.',
  },
  invalid_pattern: {
    side: 'action',
    badFrame: false,
    meaning:
      'Names in `patterns` have a star and are no patterns. The others are subscribed; where there are none, the acknowledgement has the status error.',
  },
  empty_pattern: {
    side: 'action',
    badFrame: false,
    meaning:
      'Nothing is listed of the patterns in `patterns` so far. They are subscribed: what will be listed joins.',
  },
  instrument_refused: {
    side: 'action',
    badFrame: false,
    meaning: 'The exchange front refused the instrument in `instruments`; no ticks will come.',
  },
  too_many_instruments: {
    side: 'aid or action',
    badFrame: false,
    meaning: 'The request would take the client beyond its number of instruments; nothing was changed.',
  },
  too_many_bad_frames: {
    side: 'both',
    badFrame: false,
    meaning: 'The client sent too many bad frames; the session is closed with 1008.',
  },
  too_many_waiting: {
    side: 'both',
    badFrame: false,
    meaning:
      'The client sends requests faster than its share of the gateway lets them be answered, and too many wait; the session is closed with 1008.',
  },
  too_many_pings: {
    side: 'both',
    badFrame: false,
    meaning:
      'The client sends more than 100 WebSocket pings or pongs at once and 10 each second; the session is closed with 1008.',
  },
  too_much_kept: {
    side: 'both',
    badFrame: false,
    meaning:
      'Clients together make the gateway keep more than it may, and this one the most; the session is closed with 1008.',
  },
  internal_error: {
    side: 'both',
    badFrame: false,
    meaning: 'The gateway failed on the frame; its log says why. The session goes on.',
  },
  too_many_clients: {
    side: 'http',
    badFrame: false,
    meaning:
      '503 to the WebSocket upgrade: the gateway has as many clients as it may have; 429: the address has as many as it may have.',
  },
  too_many_connects: {
    side: 'http',
    badFrame: false,
    meaning: '429 to the WebSocket upgrade: the address connects more often than it may.',
  },
  too_many_requests: {
    side: 'http',
    badFrame: false,
    meaning: '429: the address sends more requests, or more costly ones, than are answered.',
  },
  origin_not_allowed: {
    side: 'http',
    badFrame: false,
    meaning: '403 to the WebSocket upgrade and to history: web pages of this origin may not have ticks.',
  },
  wrong_websocket_version: {
    side: 'http',
    badFrame: false,
    meaning: '426 to the WebSocket upgrade: Sec-WebSocket-Version is not 13.',
  },
  bad_framing: {
    side: 'http',
    badFrame: false,
    meaning:
      '400: the headers state the length of the request more than once, or by an unknown transfer coding.',
  },
  shutting_down: {
    side: 'http',
    badFrame: false,
    meaning: '503 to the WebSocket upgrade: the gateway is stopping.',
  },
  unknown_protocol: {
    side: 'http',
    badFrame: false,
    meaning: '400 to the WebSocket upgrade: ?protocol= is neither aid nor action.',
  },
  invalid_query: {
    side: 'http',
    badFrame: false,
    meaning:
      '400: a parameter of the query is unknown or has a wrong value; the message says what is allowed.',
  },
  not_found: { side: 'http', badFrame: false, meaning: '404: there is no such page.' },
  method_not_allowed: {
    side: 'http',
    badFrame: false,
    meaning: '405: the page is there, but not for this method; the header allow names the ones it has.',
  },
  not_public: {
    side: 'http',
    badFrame: false,
    meaning: '404: the page is there for management alone, on its Unix socket or its port.',
  },
  local_only: {
    side: 'http',
    badFrame: false,
    meaning: '403: the management port answers programs that name it as loopback, and no web pages.',
  },
  cursor_expired: {
    side: 'http',
    badFrame: false,
    meaning: '410: the ticks at the cursor are no longer kept; begin anew without it.',
  },
  history_busy: {
    side: 'http',
    badFrame: false,
    meaning:
      '503: as many queries as may are running and waiting; 429: as many of one address as may; try again after the seconds of retry-after.',
  },
  history_unavailable: {
    side: 'http',
    badFrame: false,
    meaning: '503: the stored ticks cannot be read, mostly since Redis is away.',
  },
  history_off: {
    side: 'http',
    badFrame: false,
    meaning: '404: the gateway keeps no ticks.',
  },
  not_ready: {
    side: 'http',
    badFrame: false,
    meaning: '503: the gateway is starting or stopping; try again after the seconds of retry-after.',
  },
  invalid_config: {
    side: 'http',
    badFrame: false,
    meaning: '422: the configuration is refused and nothing was changed; `problems` says what is wrong.',
  },
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof errorCatalogue;
