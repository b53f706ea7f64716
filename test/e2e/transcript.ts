import { expect } from 'vitest';
import type { Client } from './client.js';

/**
 * What a client says and needs to hear, as data. `{rb}`, `{cu}`, `{i}`, `{TA}` stand for listed contracts, `{options:N}`
 * for a list of options of N characters. What is to be received needs to have the members that are named, others too;
 * `<number>`, `<text>` and `<datetime>` stand for any of their kind.
 */
export interface Transcript {
  /** Which client does this, and what it takes from it. */
  readonly why: string;
  readonly steps: readonly Step[];
}

type Json = Readonly<Record<string, unknown>>;

export type Step =
  | { readonly send: Json; readonly times?: number }
  /** The next frame, or so many. */
  | { readonly receive: Json; readonly times?: number }
  | { readonly receive_text: string }
  /** Peeks, and merges what comes, until all of it together is like this. No error may come. */
  | { readonly peek_until: Json }
  /** Quotes that were never sent. */
  | { readonly never: readonly string[] }
  /** Nothing comes unasked. */
  | { readonly silence: true }
  /** No more frames than this come unasked. */
  | { readonly at_most: number }
  /** So many ticks go by, as another client sees them. */
  | { readonly ticks_elsewhere: number }
  | { readonly reconnect: true }
  /** Begins to merge from nothing. */
  | { readonly forget: true }
  /** Something happens at the front, or ends. */
  | { readonly fault: string; readonly instruments?: readonly string[] }
  | { readonly clear: string };

/** What a transcript is played to. */
export interface Stage {
  connect(): Promise<Client>;
  ticks(count: number): Promise<void>;
  fault(name: string, fields: object): Promise<void>;
  clear(name: string): Promise<void>;
}

const datetime = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}$/;

/** Plays the client's part, and fails where the gateway's is not as it should be. */
export async function play({ steps }: Transcript, stage: Stage): Promise<void> {
  const part = new Part(stage);
  await part.connect();
  for (const step of steps) await part.play(step);
  await part.leave();
}

class Part {
  readonly #stage: Stage;
  #client: Client | undefined;
  /** Everything that rtn_data brought, merged; `quotes` at the top. */
  #state: Record<string, unknown> = {};
  /** A peek is not answered yet. */
  #peeking = false;

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  async connect(): Promise<void> {
    this.#client = await this.#stage.connect();
    this.#state = {};
    this.#peeking = false;
  }

  async leave(): Promise<void> {
    await this.#client!.close();
  }

  async play(step: Step): Promise<void> {
    if ('send' in step) {
      for (let i = 0; i < (step.times ?? 1); i++) this.#send(step.send);
    } else if ('receive' in step) {
      for (let i = 0; i < (step.times ?? 1); i++) expectLike(await this.#next(), step.receive, 'the frame');
    } else if ('receive_text' in step) {
      expect(await this.#next()).toEqual(JSON.parse(step.receive_text));
    } else if ('peek_until' in step) {
      await this.#peekUntil(step.peek_until);
    } else if ('never' in step) {
      const keys = Object.keys(this.#state['quotes'] ?? {});
      for (const key of step.never) expect(keys).not.toContain(key);
    } else if ('silence' in step) {
      expect(await this.#settled()).toEqual([]);
    } else if ('at_most' in step) {
      expect((await this.#settled()).length).toBeLessThanOrEqual(step.at_most);
    } else if ('ticks_elsewhere' in step) {
      await this.#stage.ticks(step.ticks_elsewhere);
    } else if ('reconnect' in step) {
      await this.leave();
      await this.connect();
    } else if ('forget' in step) {
      this.#state = {};
    } else if ('fault' in step) {
      const { fault, ...fields } = step;
      await this.#stage.fault(fault, fields);
    } else {
      await this.#stage.clear(step.clear);
    }
  }

  #send(frame: Json): void {
    if (frame['aid'] === 'peek_message') this.#peeking = true;
    this.#client!.send(pythonJson(frame));
  }

  async #next(): Promise<Json> {
    return this.#taken(await this.#client!.next('the next frame'));
  }

  /** What holds for every frame. */
  #taken(frame: Json): Json {
    expect(typeof frame['aid'], JSON.stringify(frame)).toBe('string');
    if (frame['aid'] !== 'rtn_data') return frame;
    this.#peeking = false;
    const data = frame['data'] as [Json, Json];
    expect(Object.keys(frame)).toEqual(['aid', 'data']);
    expect(Object.keys(data[0])).toEqual(['quotes']);
    expect(Object.keys(data[1])).toEqual(['account_id', 'ins_list', 'mdhis_more_data']);
    expect(data[1]).toMatchObject({ account_id: '', mdhis_more_data: false });
    for (const patch of data) merge(this.#state, patch);
    return frame;
  }

  async #peekUntil(wanted: Json): Promise<void> {
    while (!isLike(this.#state, wanted)) {
      if (!this.#peeking) this.#send({ aid: 'peek_message' });
      const frame = this.#taken(
        await this.#client!.next(`a state like ${JSON.stringify(wanted).slice(0, 1000)}`),
      );
      expect(frame['aid']).not.toBe('error');
    }
  }

  /** The frames that come before the answer to a question of another protocol. */
  async #settled(): Promise<Json[]> {
    this.#client!.send({ action: 'ping' });
    const frames: Json[] = [];
    for (;;) {
      const frame = await this.#client!.next('the pong');
      if (frame['action'] === 'pong') return frames;
      frames.push(this.#taken(frame));
    }
  }
}

function merge(target: Record<string, unknown>, patch: Json): void {
  for (const [key, value] of Object.entries(patch)) {
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    if (isObject) merge((target[key] ??= {}) as Record<string, unknown>, value as Json);
    else if (value === null) Reflect.deleteProperty(target, key);
    else target[key] = value;
  }
}

function isLike(found: unknown, wanted: unknown): boolean {
  if (wanted === '<number>') return typeof found === 'number';
  if (wanted === '<text>') return typeof found === 'string' && found !== '';
  if (wanted === '<datetime>') return typeof found === 'string' && datetime.test(found);
  if (typeof wanted !== 'object' || wanted === null) return found === wanted;
  if (typeof found !== 'object' || found === null) return false;
  return Object.entries(wanted).every(([key, value]) => isLike((found as Json)[key], value));
}

function expectLike(found: Json, wanted: Json, what: string): void {
  if (isLike(found, wanted)) return;
  throw new Error(`${what} is ${JSON.stringify(found).slice(0, 600)}, not like ${JSON.stringify(wanted)}`);
}

/** JSON as Python's json.dumps writes it: blanks after colons and commas, other characters than ASCII escaped. */
export function pythonJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(pythonJson).join(', ')}]`;
  if (typeof value === 'object' && value !== null)
    return `{${Object.entries(value)
      .map(([key, member]) => `${pythonJson(key)}: ${pythonJson(member)}`)
      .join(', ')}}`;
  return JSON.stringify(value).replace(
    /[\u0080-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
