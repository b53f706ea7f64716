import { setImmediate as turn } from 'node:timers/promises';
import type { SimulationClock } from './clock.js';
import type { Market, Subscriber } from './market.js';
import { RecordFrame } from './recordFrame.js';
import type { ReplaySource } from './replaySource.js';
import { lastSaturday, type TickOrigin } from './tickFaults.js';

/** Ticks between two looks at the sockets. */
const ticksPerTurn = 512;
/** At maximum speed a session with more unread bytes than this holds the replay up. */
const backlogBytes = 1 << 20;
const backlogPollMs = 1;
const shortestWaitMs = 4;
const longestWaitMs = 1000;

export interface ReplaySettings {
  readonly source: ReplaySource;
  /** Recorded ms per real ms; max: as fast as the sessions read. */
  readonly speed: number | 'max';
  /** How long the replay waits, from the first subscription on, for all its instruments to be subscribed to. */
  readonly waitMs: number;
  /** Is set to the time of the first tick when the replay begins. */
  readonly clock: SimulationClock;
  readonly onEnd: (ticks: number, seconds: number) => void;
  /** Takes the error that ends the replay early. */
  readonly onError: (error: unknown) => void;
}

interface Instrument {
  readonly index: number;
  readonly id: string;
  readonly exchange: string;
  readonly idBytes: Buffer;
  readonly subscribers: Set<Subscriber>;
  /** The newest frame; empty before the first. */
  newest: Buffer;
  newestLength: number;
}

/**
 * A market that is a recorded day. The replay begins once every instrument of it is subscribed to, or some time after the
 * first one is, and happens once. At a speed ticks come at their recorded spacing, and who does not read is cut, as on a
 * front. At maximum speed nobody is cut: the slowest session sets the pace, and while nothing is subscribed to the replay
 * stands.
 */
export class ReplayMarket implements Market {
  readonly #options: ReplaySettings;
  readonly #instruments: Instrument[];
  readonly #byKey: ReadonlyMap<string, Instrument>;
  readonly #indices = new Map<string, number>();
  readonly #subscriptions = new Map<Subscriber, Set<number>>();
  readonly #frame = new RecordFrame();
  readonly #isMax: boolean;
  #subscribed = 0;
  #ticks = 0;
  /** The source's present tick is yet to be sent. */
  #pending = false;
  #timeMs = NaN;
  #begun = false;
  #closed = false;
  #waiting: NodeJS.Timeout | undefined;
  #wake: (() => void) | undefined;

  constructor(options: ReplaySettings) {
    this.#options = options;
    this.#isMax = options.speed === 'max';
    const byId = new Map<string, Instrument>();
    this.#byKey = new Map(
      options.source.keys.map((key) => {
        const dot = key.indexOf('.');
        const id = key.slice(dot + 1);
        // Fronts know bare ids alone.
        const instrument = byId.get(id) ?? {
          index: byId.size,
          id,
          exchange: key.slice(0, dot),
          idBytes: Buffer.from(id, 'latin1'),
          subscribers: new Set(),
          newest: Buffer.alloc(0),
          newestLength: 0,
        };
        byId.set(id, instrument);
        return [key, instrument];
      }),
    );
    this.#instruments = [...byId.values()];
    for (const { id, index } of this.#instruments) this.#indices.set(id, index);
  }

  now(): number {
    return this.#isMax && this.#begun ? Math.floor(this.#timeMs) : this.#options.clock.now();
  }

  tradingDay(): number {
    return this.#options.source.tradingDay;
  }

  listedIds(): ReadonlySet<string> {
    return new Set(this.#indices.keys());
  }

  isListed(id: string): boolean {
    return this.#indices.has(id);
  }

  subscribe(subscriber: Subscriber, ids: readonly string[]): void {
    const mine = this.#subscriptions.get(subscriber) ?? new Set<number>();
    this.#subscriptions.set(subscriber, mine);
    for (const id of ids) {
      const index = this.#indices.get(id);
      if (index === undefined) continue;
      const { subscribers, newest, newestLength } = this.#instruments[index]!;
      if (subscribers.size === 0) this.#subscribed++;
      subscribers.add(subscriber);
      mine.add(index);
      if (newestLength > 0) subscriber.deliver(index, newest, 0, newestLength);
    }
    this.#considerBegin();
    this.#wake?.();
  }

  unsubscribe(subscriber: Subscriber, ids: readonly string[]): void {
    const mine = this.#subscriptions.get(subscriber);
    for (const id of ids) {
      const index = this.#indices.get(id);
      if (index !== undefined && mine?.delete(index) === true) this.#leave(subscriber, index);
    }
  }

  drop(subscriber: Subscriber): void {
    for (const index of this.#subscriptions.get(subscriber) ?? []) this.#leave(subscriber, index);
    this.#subscriptions.delete(subscriber);
  }

  /** The newest ticks again. */
  sendExtra(subscriber: Subscriber, count: number): void {
    const known = [...(this.#subscriptions.get(subscriber) ?? [])].filter(
      (index) => this.#instruments[index]!.newestLength > 0,
    );
    if (known.length === 0) return;
    for (let i = 0; i < count; i++) {
      const index = known[i % known.length]!;
      const { newest, newestLength } = this.#instruments[index]!;
      subscriber.deliver(index, newest, 0, newestLength);
    }
    subscriber.outbox.flush();
  }

  originOf(index: number): TickOrigin {
    const { id, exchange } = this.#instruments[index]!;
    return { id, exchange, saturday: lastSaturday(this.now()), earlier: () => undefined };
  }

  clockSet(): void {
    this.#wake?.();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#waiting);
    this.#wake?.();
    if (!this.#begun) this.#options.source.close();
  }

  #leave(subscriber: Subscriber, index: number): void {
    const { subscribers } = this.#instruments[index]!;
    if (subscribers.delete(subscriber) && subscribers.size === 0) this.#subscribed--;
  }

  #considerBegin(): void {
    if (this.#begun || this.#subscribed === 0) return;
    if (this.#subscribed === this.#instruments.length || this.#options.waitMs === 0) this.#begin();
    else this.#waiting ??= setTimeout(() => this.#begin(), this.#options.waitMs);
  }

  #begin(): void {
    clearTimeout(this.#waiting);
    if (this.#begun || this.#closed) return;
    this.#begun = true;
    this.#play()
      .catch((error: unknown) => this.#options.onError(error))
      .finally(() => this.#options.source.close());
  }

  async #play(): Promise<void> {
    const startedAt = performance.now();
    const { clock, speed } = this.#options;
    if (!(await this.#peek())) return;
    clock.set(this.#timeMs, speed === 'max' ? 1 : speed);
    while (!this.#closed && (await this.#peek())) {
      if (this.#isMax) await this.#readersKeepUp();
      else await this.#untilDue();
      this.#sendDue();
      for (const subscriber of this.#subscriptions.keys()) subscriber.outbox.flush();
      // So that sockets are read and written between.
      await turn();
    }
    if (!this.#closed) this.#options.onEnd(this.#ticks, (performance.now() - startedAt) / 1000);
  }

  /** True when there is a tick to send. */
  async #peek(): Promise<boolean> {
    const { source } = this.#options;
    while (!this.#pending) {
      if (source.next()) {
        this.#pending = true;
        this.#timeMs = source.record.receiveTimeMs;
      } else if (!(await source.load())) return false;
    }
    return true;
  }

  #sendDue(): void {
    const { source, clock } = this.#options;
    const now = this.#isMax ? Infinity : clock.now();
    for (let i = 0; i < ticksPerTurn && this.#timeMs <= now && !this.#closed; i++) {
      this.#send();
      this.#pending = source.next();
      if (!this.#pending) return;
      this.#timeMs = source.record.receiveTimeMs;
    }
  }

  #send(): void {
    const { source } = this.#options;
    const instrument = this.#byKey.get(source.key);
    this.#ticks++;
    if (instrument === undefined) return;
    const length = this.#frame.make(source.record, instrument.idBytes);
    const { bytes } = this.#frame;
    for (const subscriber of instrument.subscribers) subscriber.deliver(instrument.index, bytes, 0, length);
    if (instrument.newest.length < length) instrument.newest = Buffer.alloc(length);
    bytes.copy(instrument.newest, 0, 0, length);
    instrument.newestLength = length;
  }

  async #readersKeepUp(): Promise<void> {
    while (!this.#closed) {
      // Sessions that have unsubscribed from everything are none.
      if (this.#subscribed === 0) await this.#sleep(longestWaitMs);
      else if ([...this.#subscriptions.keys()].some(({ outbox }) => outbox.backlog > backlogBytes))
        await this.#sleep(backlogPollMs);
      else return;
    }
  }

  async #untilDue(): Promise<void> {
    const { clock } = this.#options;
    for (;;) {
      const ms = clock.realMsUntil(this.#timeMs);
      if (ms <= 0 || this.#closed) return;
      await this.#sleep(Math.min(Math.max(ms, shortestWaitMs), longestWaitMs));
    }
  }

  /** Ends early when a subscription comes, the clock is set, or all is closed. */
  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
