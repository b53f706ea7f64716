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
 * The closed list of errors that a client can get. A frame is
 * `{"action":"error","code":"…","message":"…","request":{…}}`, with `"aid":"error"` in place of or beside `action`.
 */
export const errorCatalogue = {
  invalid_json: { side: 'both', badFrame: true, meaning: 'The frame is not JSON.' },
  not_an_object: { side: 'both', badFrame: true, meaning: 'The frame is JSON, but not an object.' },
  binary_frame: { side: 'both', badFrame: true, meaning: 'The frame is binary. Both protocols are text.' },
  frame_too_large: { side: 'both', badFrame: true, meaning: 'The frame is larger than allowed.' },
  missing_kind: { side: 'both', badFrame: true, meaning: 'The frame has neither aid nor action.' },
  ambiguous_kind: { side: 'both', badFrame: true, meaning: 'The frame has both aid and action.' },
  unknown_aid: { side: 'aid', badFrame: true, meaning: 'There is no such aid.' },
  unsupported_aid: {
    side: 'aid',
    badFrame: false,
    meaning:
      'The aid belongs to a part of the DIFF protocol that this gateway does not serve, such as trading.',
  },
  invalid_chart: {
    side: 'aid',
    // Its chart is answered nevertheless, and a client that sends it again after a reconnect must not be closed for it.
    badFrame: false,
    meaning:
      'A member of set_chart is wrong. An empty chart follows all the same, unless chart_id is missing.',
  },
  invalid_ins_query: {
    side: 'aid',
    badFrame: true,
    meaning: 'query_id or query of an ins_query is not a string, or variables is not an object.',
  },
  answers_unread: {
    side: 'aid',
    badFrame: false,
    meaning:
      'Too many answers to set_chart and ins_query wait for peek_message. This request is not answered.',
  },
  invalid_ins_list: { side: 'aid', badFrame: true, meaning: 'ins_list is not a string.' },
  ins_list_too_long: {
    side: 'aid',
    badFrame: false,
    meaning:
      'ins_list has far more characters than its instruments need: blanks or repetitions. The subscription stays as it was.',
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
    meaning: 'fields is not a non-empty list of strings.',
  },
  unknown_field: {
    side: 'action',
    badFrame: true,
    meaning: 'fields contains unknown names. `unknown` lists them; `allowed` lists the valid names.',
  },
  invalid_diff: { side: 'action', badFrame: true, meaning: 'diff is neither true nor false.' },
  invalid_flags: {
    side: 'action',
    badFrame: true,
    meaning: 'flags or all is neither true nor false, or all is combined with diff.',
  },
  invalid_filter: {
    side: 'action',
    badFrame: true,
    meaning:
      'search, exchange or product is not a string, kind is not one of its words, or limit is not a positive integer.',
  },
  invalid_heartbeat: {
    side: 'action',
    badFrame: true,
    meaning: 'The interval of heartbeats is neither 0 nor within its bounds.',
  },
  unknown_exchange: {
    side: 'action',
    badFrame: true,
    meaning: 'exchange is not one of the names in `exchanges`, which are in capitals.',
  },
  unknown_instrument: {
    side: 'aid or action',
    badFrame: false,
    meaning:
      'Some instruments cannot exist. `instruments` lists them; `suggestions` lists what may have been meant. The others are subscribed; if there are none, the acknowledgement has the status error. A history query for such an instrument gets 404.',
  },
  no_slots: {
    side: 'action',
    badFrame: false,
    meaning:
      'The gateway has no slots left for instruments that are not listed, or this client has used its share. `instruments` lists the refused ones; the others are subscribed.',
  },
  expired_instrument: {
    side: 'action',
    badFrame: false,
    meaning:
      'The contracts in `instruments` have expired. `suggestions` lists current ones. They are subscribed all the same.',
  },
  invalid_pattern: {
    side: 'action',
    badFrame: false,
    meaning:
      'The names in `patterns` contain a star but are not patterns. The others are subscribed; if there are none, the acknowledgement has the status error.',
  },
  empty_pattern: {
    side: 'action',
    badFrame: false,
    meaning:
      'No listed instrument matches the patterns in `patterns` so far. They are subscribed: instruments that are listed later join.',
  },
  instrument_refused: {
    side: 'action',
    badFrame: false,
    meaning: 'The exchange front refused the instrument in `instruments`. It will not tick.',
  },
  too_many_instruments: {
    side: 'aid or action',
    badFrame: false,
    meaning:
      'The request would exceed the number of instruments that a client may have. Nothing was changed.',
  },
  too_many_bad_frames: {
    side: 'both',
    badFrame: false,
    meaning: 'The client sent too many bad frames. The session is closed with 1008.',
  },
  too_many_waiting: {
    side: 'both',
    badFrame: false,
    meaning:
      'The client sends requests faster than its share allows, and too many wait. The session is closed with 1008.',
  },
  too_many_pings: {
    side: 'both',
    badFrame: false,
    meaning:
      'The client sent more than 100 WebSocket pings or pongs at once, or more than 10 per second. The session is closed with 1008.',
  },
  too_much_kept: {
    side: 'both',
    badFrame: false,
    meaning:
      'All clients together occupy too much memory, and this one the most. The session is closed with 1008.',
  },
  internal_error: {
    side: 'both',
    badFrame: false,
    meaning: 'The gateway failed on this frame; its log has the reason. The session continues.',
  },
  too_many_clients: {
    side: 'http',
    badFrame: false,
    meaning:
      'The WebSocket upgrade gets 503 when the gateway is full, and 429 when the address has its maximum of sessions.',
  },
  too_many_connects: {
    side: 'http',
    badFrame: false,
    meaning: 'The WebSocket upgrade gets 429: the address connects too often.',
  },
  too_many_requests: {
    side: 'http',
    badFrame: false,
    meaning: '429: the address sends too many requests, or too expensive ones.',
  },
  origin_not_allowed: {
    side: 'http',
    badFrame: false,
    meaning:
      'The WebSocket upgrade or the history query gets 403: web pages of this origin are not admitted.',
  },
  wrong_websocket_version: {
    side: 'http',
    badFrame: false,
    meaning: 'The WebSocket upgrade gets 426: Sec-WebSocket-Version is not 13.',
  },
  bad_framing: {
    side: 'http',
    badFrame: false,
    meaning:
      '400: the headers state the length of the request more than once, or use an unknown transfer coding.',
  },
  shutting_down: {
    side: 'http',
    badFrame: false,
    meaning: 'The WebSocket upgrade gets 503: the gateway is stopping.',
  },
  unknown_protocol: {
    side: 'http',
    badFrame: false,
    meaning: 'The WebSocket upgrade gets 400: ?protocol= is neither aid nor action.',
  },
  invalid_query: {
    side: 'http',
    badFrame: false,
    meaning: '400: a query parameter is unknown or has a wrong value. The message says what is allowed.',
  },
  not_found: { side: 'http', badFrame: false, meaning: '404: there is no such page.' },
  method_not_allowed: {
    side: 'http',
    badFrame: false,
    meaning: '405: the page does not support this method. The header allow lists the supported ones.',
  },
  not_public: {
    side: 'http',
    badFrame: false,
    meaning: '404: the page is only served to management, on its Unix socket or its port.',
  },
  local_only: {
    side: 'http',
    badFrame: false,
    meaning: '403: the management port only answers requests that address it as loopback, and no web pages.',
  },
  cursor_expired: {
    side: 'http',
    badFrame: false,
    meaning: '410: the ticks at the cursor are no longer kept. Start again without the cursor.',
  },
  history_busy: {
    side: 'http',
    badFrame: false,
    meaning:
      '503: the query queue is full. 429: this address already has its share. Retry after `Retry-After` seconds.',
  },
  history_unavailable: {
    side: 'http',
    badFrame: false,
    meaning: '503: the stored ticks cannot be read, usually because Redis is unavailable.',
  },
  history_off: {
    side: 'http',
    badFrame: false,
    meaning: '404: the gateway does not keep ticks.',
  },
  not_ready: {
    side: 'http',
    badFrame: false,
    meaning: '503: the gateway is starting or stopping. Retry after `Retry-After` seconds.',
  },
  invalid_config: {
    side: 'http',
    badFrame: false,
    meaning: '422: the configuration is refused and nothing was changed. `problems` lists the reasons.',
  },
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof errorCatalogue;
