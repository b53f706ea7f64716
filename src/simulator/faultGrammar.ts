/** A field of a fault's JSON: reads a value, or throws FaultError with what is allowed. */
type Field<T> = (value: unknown) => T;

/** A request that names no known fault, or has a wrong field; the message says what is allowed. */
export class FaultError extends Error {}

const maxIds = 10_000;
const maxInt = 2 ** 31 - 1;

function integer(from: number, to: number, fallback?: number): Field<number> {
  return (value) => {
    const given = value === undefined ? fallback : value;
    if (typeof given === 'number' && Number.isInteger(given) && given >= from && given <= to) return given;
    throw new FaultError(`must be a whole number from ${from} to ${to}`);
  };
}

function choice<T extends string | number>(allowed: readonly T[], fallback?: T): Field<T> {
  return (value) => {
    const found = allowed.find((one) => one === (value === undefined ? fallback : value));
    if (found === undefined) throw new FaultError(`must be one of ${allowed.join(', ')}`);
    return found;
  };
}

/** Only ASCII: the vendor's texts are GB18030, which agrees with it there. */
function optionalText(maxBytes: number): Field<string | undefined> {
  return (value) => {
    if (value === undefined) return undefined;
    if (typeof value === 'string' && value.length <= maxBytes && /^[\x20-\x7e]*$/.test(value)) return value;
    throw new FaultError(`must be an ASCII text of at most ${maxBytes} characters`);
  };
}

/** Ids that a fault is confined to; undefined for all. */
function instruments(value: unknown): ReadonlySet<string> | undefined {
  if (value === undefined) return undefined;
  if (Array.isArray(value) && value.length <= maxIds && value.every((id) => typeof id === 'string')) {
    return new Set(value);
  }
  throw new FaultError(`must be a list of at most ${maxIds} instrument ids`);
}

const every = integer(1, 1_000_000, 1);

/**
 * Every fault with its fields; docs/simulator.md says what each does. `once` ones happen to the sessions that are
 * there and are over, the others stay until they are cleared.
 */
const grammar = {
  // Connection
  disconnect: { once: true, fields: { reason: choice([0x1001, 0x1002, 0x2001, 0x2002, 0x2003], 0x1001) } },
  garbage: { once: true, fields: { bytes: integer(1, 1 << 20, 64) } },
  refuse: { once: false, fields: { how: choice(['refuse', 'cut'], 'refuse') } },
  stall: { once: false, fields: {} },
  delay: { once: false, fields: { ms: integer(1, 600_000) } },
  queue_limit: { once: false, fields: { packets: integer(1, maxInt) } },
  // The library's own behaviour, ordered by the front
  return_code: { once: true, fields: { code: choice([-1, -2, -3]), calls: integer(1, maxInt, 1) } },
  throw_at_create: { once: true, fields: { times: integer(1, maxInt, 1) } },
  // Login
  login_error: { once: false, fields: { error: integer(-maxInt, maxInt), text: optionalText(80) } },
  login_silent: { once: false, fields: {} },
  empty_trading_day: { once: false, fields: {} },
  // Subscription
  subscribe_responses: {
    once: false,
    fields: { how: choice(['none', 'missing', 'repeated', 'each_last', 'never_last']) },
  },
  subscription_limit: { once: false, fields: { limit: integer(0, maxInt) } },
  unknown_id_error: { once: false, fields: { error: integer(1, maxInt, 16) } },
  subscribe_error: { once: false, fields: { error: integer(1, maxInt), instruments } },
  stale_snapshot: { once: false, fields: { age_s: integer(1, 30 * 86_400, 3600) } },
  // Ticks
  flood: { once: false, fields: { ticks_per_s: integer(1, 1_000_000) } },
  missing_ticks: { once: false, fields: { every: integer(1, 1_000_000, 2), instruments } },
  duplicate_ticks: { once: false, fields: { every, instruments } },
  regressing_ticks: { once: false, fields: { every, by_ms: integer(1, 86_400_000, 60_000), instruments } },
  falling_turnover: { once: false, fields: {} },
  saturday_ticks: { once: false, fields: { instruments } },
  empty_update_time: { once: false, fields: { every, instruments } },
  empty_action_day: { once: false, fields: { instruments } },
  exchange_id: { once: false, fields: {} },
  zero_for_absent: { once: false, fields: { instruments } },
  quotes_alone: { once: false, fields: { every, instruments } },
  limit_up: { once: false, fields: { instruments } },
  limit_down: { once: false, fields: { instruments } },
  garbage_ticks: { once: false, fields: { every, instruments } },
} satisfies Record<string, { once: boolean; fields: Record<string, Field<unknown>> }>;

export type FaultName = keyof typeof grammar;

/** The fields of a fault, filled with their defaults. */
export type FaultFields<N extends FaultName> = {
  readonly [F in keyof (typeof grammar)[N]['fields']]: (typeof grammar)[N]['fields'][F] extends Field<infer T>
    ? T
    : never;
};

export type FrontFault = { [N in FaultName]: { readonly fault: N } & FaultFields<N> }[FaultName];

/** Names of all faults. */
export const faultNames = Object.keys(grammar) as FaultName[];

/** True when a fault happens once and leaves nothing to clear. */
export function happensOnce(name: FaultName): boolean {
  return grammar[name].once;
}

/** The fault of that name. Throws FaultError when there is none. */
export function parseFaultName(value: unknown): FaultName {
  const name = faultNames.find((one) => one === value);
  if (name !== undefined) return name;
  const given = typeof value === 'string' ? `"${value.slice(0, 80)}"` : 'nothing';
  throw new FaultError(`fault: ${given} is none of ${faultNames.join(', ')}`);
}

/** Reads a fault from parsed JSON. Throws FaultError, naming the field, when it is not one. */
export function parseFault(json: unknown): FrontFault {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new FaultError('the body must be a JSON object {"fault": NAME, ...}');
  }
  const given = json as Readonly<Record<string, unknown>>;
  const name = parseFaultName(given['fault']);
  const rules: Readonly<Record<string, Field<unknown>>> = grammar[name].fields;
  const unknown = Object.keys(given).find((key) => key !== 'fault' && !Object.hasOwn(rules, key));
  if (unknown !== undefined) {
    const allowed = Object.keys(rules);
    throw new FaultError(
      `${unknown.slice(0, 80)}: ${name} takes ${allowed.length === 0 ? 'no fields' : allowed.join(', ')}`,
    );
  }
  const filled: Record<string, unknown> = { fault: name };
  for (const [key, read] of Object.entries(rules)) {
    try {
      filled[key] = read(given[key]);
    } catch (error) {
      if (error instanceof FaultError) throw new FaultError(`${key}: ${error.message}`, { cause: error });
      throw error;
    }
  }
  return filled as FrontFault;
}
