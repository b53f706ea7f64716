import { createHash } from 'node:crypto';
import { show } from '../shared/frameAdvice.js';
import { parseInsList } from './insList.js';
import { rawMembers } from '../shared/rawMembers.js';

/** A set_chart. */
export interface ChartRequest {
  readonly id: string;
  /** Of all its members. */
  readonly names: readonly string[];
  /** Empty: the chart is removed. */
  readonly keys: readonly string[];
  /** The member of `klines` that stands for the duration, in ns; `0` for ticks, undefined where there is none. */
  readonly duration: string | undefined;
  /** What is wrong with the request; undefined if nothing is. It is answered nevertheless. */
  readonly problem: string | undefined;
}

/** Charts of one client that are remembered; of others it is only not known that they were asked for before. */
const mostKept = 1000;
const longestName = 512;
/** Characters that a chart takes beside its names. */
const keptOverhead = 100;

/** The text of set_chart's own members, or why they are none. */
export function parseChart(frame: Readonly<Record<string, unknown>>, text: string): ChartRequest | string {
  const { chart_id: id, ins_list: insList, duration } = frame;
  if (typeof id !== 'string' || id === '' || id.length > longestName)
    return `chart_id must be a string of 1 to ${longestName} characters, not ${show(id)}`;
  const raw = rawMembers(text);
  return {
    id,
    names: [...raw.keys()],
    keys: typeof insList === 'string' ? parseInsList(insList) : [],
    duration: typeof duration === 'string' ? duration : raw.get('duration'),
    problem: problemOf(frame),
  };
}

function problemOf(frame: Readonly<Record<string, unknown>>): string | undefined {
  const { ins_list: insList, duration, view_width: width } = frame;
  if (typeof insList !== 'string') return `ins_list must be a string, not ${show(insList)}`;
  if (insList === '') return undefined;
  if (!isWhole(duration, 0)) return `duration must be a whole number of ns from 0 on, not ${show(duration)}`;
  const byDay = frame['trading_day_start'] !== undefined;
  if (width === undefined ? !byDay : !isWhole(width, 1))
    return `view_width must be a whole number from 1 on, not ${show(width)}`;
  const places = ['left_kline_id', 'focus_datetime', 'trading_day_start'].filter(
    (name) => (frame[name] ?? null) !== null,
  );
  return places.length > 1 ? `a chart has one of ${places.join(' and ')}` : undefined;
}

function isWhole(value: unknown, least: number): boolean {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= least;
}

/** Instruments of a chart that are written in one step. */
const keysPerStep = 256;

/** One remembered chart. */
interface KeptChart {
  readonly digest: string;
  /** Names of its state's members. */
  readonly names: readonly string[];
  readonly chars: number;
}

/**
 * The charts of one client. There are no bars here so far, so each is answered as a chart of instruments without a bar:
 * ready, all ids 0, no data. TqSdk for Python holds back everything after a reconnect until each chart that it ever asked
 * for has come with its state and with ids, so that an error alone, or ids of -1, would end its quotes.
 */
export class Charts {
  /** Characters that they take. */
  chars = 0;
  readonly #kept = new Map<string, KeptChart>();

  /**
   * The patch that answers a request; undefined where it is the last one of this chart again, which is answered already:
   * clients that find no row repeat theirs at every update. In steps.
   *
   * @param text of the request, a JSON object
   */
  *answer(request: ChartRequest, text: string): Generator<undefined, string | undefined> {
    const { id, keys, names } = request;
    const known = this.#kept.get(id);
    if (keys.length === 0) {
      this.forget(id);
      return removal(id, new Set([...(known?.names ?? []), ...names]));
    }
    const digest = createHash('sha1').update(text).digest('base64');
    if (known?.digest === digest) return undefined;
    this.#keep(id, digest, names);
    const gone = (known?.names ?? []).filter((name) => !names.includes(name));
    return yield* emptyChart(request, text, gone);
  }

  #keep(id: string, digest: string, names: readonly string[]): void {
    this.forget(id);
    const oldest = this.#kept.keys().next();
    if (this.#kept.size >= mostKept && oldest.done !== true) this.forget(oldest.value);
    const chars = names.reduce((sum, name) => sum + name.length, id.length + keptOverhead);
    this.#kept.set(id, { digest, names, chars });
    this.chars += chars;
  }

  /** Forgets that a chart was asked for. */
  forget(id: string): void {
    const known = this.#kept.get(id);
    if (known === undefined) return;
    this.#kept.delete(id);
    this.chars -= known.chars;
  }
}

/** @param gone members that the state had and has no more */
function* emptyChart(
  { id, keys, duration }: ChartRequest,
  text: string,
  gone: readonly string[],
): Generator<undefined, string> {
  const nulls = gone.map((name) => `,${JSON.stringify(name)}:null`).join('');
  const state = `${text.trimEnd().slice(0, -1)}${nulls}}`;
  const chart = `"charts":{${JSON.stringify(id)}:{"state":${state},"left_id":0,"right_id":0,"more_data":false,"ready":true}}`;
  if (duration === undefined) return `{${chart}}`;
  const [first, ...others] = keys;
  // Of several instruments a row is ready when each has something at it, and a client dies where one has no data at all.
  const data = others.length > 0 ? '{"0":{}}' : '{}';
  const serials: string[] = [];
  for (const key of keys) {
    const bound = key === first && others.length > 0 ? `,"binding":{${others.map(boundTo).join(',')}}` : '';
    const serial = `{"last_id":0,"data":${data}${bound}}`;
    const ofKey = duration === '0' ? serial : `{${JSON.stringify(duration)}:${serial}}`;
    serials.push(`${JSON.stringify(key)}:${ofKey}`);
    if (serials.length % keysPerStep === 0) yield;
  }
  return `{"${duration === '0' ? 'ticks' : 'klines'}":{${serials.join(',')}},${chart}}`;
}

function boundTo(key: string): string {
  return `${JSON.stringify(key)}:{"0":0}`;
}

function removal(id: string, names: ReadonlySet<string>): string {
  const state = Array.from(names, (name) => `${JSON.stringify(name)}:null`).join(',');
  const chart = `"left_id":null,"right_id":null,"more_data":null,"ready":null,"state":{${state}}`;
  return `{"charts":{${JSON.stringify(id)}:{${chart}}}}`;
}
