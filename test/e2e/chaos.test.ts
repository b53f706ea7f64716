import { describe, expect, it } from 'vitest';
import { sequencesAt } from '../../bench/expectedTicks.js';
import { liveContracts } from '../../src/market/instruments/contracts.js';
import { loadProducts } from '../../src/market/instruments/products.js';
import { CheckedClients } from './chaos/clients.js';
import { planChaos, type Action } from './chaos/plan.js';
import { until, untilIs } from '../helpers/until.js';
import { arrivals, World } from './chaos/world.js';

// QACTPMD_CHAOS_SECONDS sets how long the chaos lasts in all, QACTPMD_CHAOS_SEED which one it is.
const seconds = Number(process.env['QACTPMD_CHAOS_SECONDS'] ?? 90);
const seed = Number(process.env['QACTPMD_CHAOS_SEED'] ?? 1);

const packings = [1, 4];
const shape = { brokers: 5, fronts: 4 };
const redundancy = 2;
const rate = 2;
const instrumentCount = 60;
const clientCount = 6;
const ticksDeadlineMs = 60_000;
const endDeadlineMs = 60_000;
/** A front that is stopped in the middle may have been this late. */
const unsentMs = 2_000;
const startAndEndMs = 180_000;

/** Futures of every exchange that do not expire meanwhile. */
function instruments(): string[] {
  const nextYear = (new Date().getFullYear() + 1) * 10_000;
  const listed = liveContracts(loadProducts(), new Date()).filter(({ expireDate }) => expireDate > nextYear);
  const stride = Math.floor(listed.length / instrumentCount);
  return Array.from({ length: instrumentCount }, (_, i) => listed[i * stride]!.id);
}

const shown = (action: Action): string => JSON.stringify(action).slice(1, -1);

class Chaos {
  readonly ids = instruments();
  readonly clients = new CheckedClients();
  /** What was done, when. */
  readonly #journal: { readonly atMs: number; readonly text: string }[] = [];
  readonly #begunMs = Date.now();
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  async connectClients(): Promise<void> {
    const url = await this.#world.gateway.url();
    for (let client = 0; client < clientCount; client++) {
      // The first two have every instrument, the others two thirds.
      const mine = client < 2 ? this.ids : this.ids.filter((_, i) => (i + client) % 3 > 0);
      await this.clients.connect(url, client % 2 === 0 ? 'action' : 'aid', mine);
    }
    await untilIs(
      'every client to have a state of every instrument',
      () => this.clients.silent().length,
      0,
    ).catch((error: unknown) => {
      throw new Error(`${String(error)}; there is none for ${this.clients.silent().slice(0, 10).join(', ')}`);
    });
    await this.#world.whole();
  }

  async run(planSeed: number, untilMs: number): Promise<void> {
    const plan = planChaos(planSeed, shape);
    while (Date.now() < untilMs) {
      const { broker, steps } = plan.next().value;
      for (const { action, ticks } of steps) {
        this.#note(`broker ${broker}: ${shown(action)}`);
        await this.#world.act(broker, action);
        await this.#ticks(ticks);
      }
      this.#note(`broker ${broker}: all is put right`);
      await this.#world.restore(broker);
      await this.#world.whole();
      this.#note('whole');
    }
  }

  /** Stops the market; resolves when every client has the last state. */
  async end(): Promise<void> {
    const { startUs } = this.#world;
    const feed = { arrivals, rate, seed, startUs, instruments: this.ids.length } as const;
    this.#world.freezeAll();
    const due = sequencesAt(this.ids, feed, Date.now() - unsentMs);
    await until('every client to end on the last state', () => this.clients.agree(due), endDeadlineMs);
  }

  /** What was done and what went wrong, in the order of time. */
  story(): string {
    const wrong = this.clients.jumps.map(({ atMs, client, instrument, from, to }) => {
      return { atMs, text: `${client}: ${instrument} ${from} → ${to}` };
    });
    return [...this.#journal, ...wrong]
      .sort((a, b) => a.atMs - b.atMs)
      .map(({ atMs, text }) => `${((atMs - this.#begunMs) / 1000).toFixed(3).padStart(8)} s ${text}`)
      .join('\n');
  }

  async #ticks(count: number): Promise<void> {
    const wanted = this.clients.received + count;
    await until(`${count} more ticks`, () => this.clients.received >= wanted, ticksDeadlineMs);
  }

  #note(text: string): void {
    this.#journal.push({ atMs: Date.now(), text });
  }
}

describe(`chaos with the seed ${seed}`, () => {
  it.each(packings)(
    'loses, repeats and turns round nothing while no instrument has two lines down: %i connections per worker',
    async (connectionsPerWorker) => {
      const world = await World.start({
        ...shape,
        redundancy,
        connectionsPerWorker,
        rate,
        seed,
        wanted: instrumentCount,
      });
      const chaos = new Chaos(world);
      try {
        await chaos.connectClients();
        await chaos.run(seed + connectionsPerWorker, Date.now() + (seconds * 1000) / packings.length);
        await chaos.end();
        const { cutOff, pushes, peeks } = chaos.clients.judge();
        expect(cutOff).toEqual([]);
        const nothing = { lost: 0, duplicated: 0, reordered: 0, stale: 0 };
        expect({ pushes, peeks }).toMatchObject({ pushes: nothing, peeks: nothing });
        await chaos.clients.close();
        expect(await world.stop()).toEqual(Array.from({ length: shape.brokers + 1 }, () => 0));
      } catch (error) {
        const log = world.gateway.lines.slice(-40).join('\n');
        throw new Error(
          `QACTPMD_CHAOS_SEED=${seed}, ${connectionsPerWorker} connections per worker:\n${chaos.story()}\n${log}`,
          { cause: error },
        );
      } finally {
        await world.kill();
      }
    },
    seconds * 1000 + startAndEndMs,
  );
});
