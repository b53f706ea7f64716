import { expect } from 'vitest';
import { Coordinator } from '../../src/coordinator/assignment/coordinator.js';
import type { CoordinatorSettings } from '../../src/coordinator/assignment/coordinatorSettings.js';
import type { LineCommand } from '../../src/coordinator/assignment/commandBatch.js';
import type { ConnectionPlan } from '../../src/coordinator/assignment/connectionRecord.js';
import { Standing } from '../../src/coordinator/assignment/standing.js';
import type { UnprovenClient } from '../../src/coordinator/assignment/unprovenQueue.js';

export function plan(id: string, part: Partial<ConnectionPlan> = {}): ConnectionPlan {
  return { id, brokerId: id, fronts: ['tcp://127.0.0.1:1'], maxSubscriptions: 500, priority: 5, ...part };
}

export const keyOf = (slot: number): string => `SHFE.i${slot}`;

/** A coordinator with a clock of its own and what its commands add up to: the slots that each worker holds. */
export class World {
  readonly coordinator: Coordinator;
  readonly held: Set<number>[];
  readonly commands: LineCommand[] = [];
  readonly refused: { slot: number; code: number }[] = [];
  readonly vacated: number[] = [];
  readonly displaced: number[] = [];
  /** What is known of instruments; of the others, that they are listed. */
  readonly standings = new Map<number, Standing>();
  readonly joined: [slot: number, connection: number][] = [];
  readonly gone: [slot: number, connection: number][] = [];
  /** By slot: as the coordinator told last. */
  readonly carried = new Map<number, number>();
  now = 0;
  #options: CoordinatorSettings;
  /** What fronts have refused, and the workers have let go of. */
  readonly #refusals = new Set<string>();
  volume = 0;

  constructor(plans: readonly ConnectionPlan[], options: Partial<CoordinatorSettings> = {}) {
    this.held = plans.map(() => new Set<number>());
    this.#options = {
      strategy: 'least_connections',
      autoFailover: true,
      maxRetryCount: 3,
      graceMs: 0,
      redundancy: () => 1,
      settledPerTurn: Infinity,
      probeShare: 0.05,
      unproven: { perClient: 200, perAddress: 400, total: 1000 },
      roomSpacingMs: 0,
      ...options,
    };
    this.coordinator = new Coordinator(
      this.#options,
      {
        send: (command) => this.#take(command),
        standing: (slot) => this.standings.get(slot) ?? Standing.listed,
        displaced: (slot) => this.displaced.push(slot),
        refused: (slot, code) => this.refused.push({ slot, code }),
        carried: (slot, lines) => this.carried.set(slot, lines),
        gone: (slot, connection) => this.gone.push([slot, connection]),
        joined: (slot, connection) => this.joined.push([slot, connection]),
        vacated: (connection) => this.vacated.push(connection),
        more: () => {
          while (!this.coordinator.flush(this.#options.settledPerTurn));
        },
      },
      () => this.now,
    );
    plans.forEach((each, index) => this.coordinator.addConnection(index, each));
  }

  configure(options: Partial<CoordinatorSettings>): this {
    this.#options = { ...this.#options, ...options };
    this.coordinator.configure(this.#options);
    return this;
  }

  add(each: ConnectionPlan): number {
    this.held.push(new Set());
    this.coordinator.addConnection(this.held.length - 1, each);
    return this.held.length - 1;
  }

  up(...indexes: number[]): this {
    for (const index of indexes) this.coordinator.connectionState(index, 'logged_in', '');
    return this;
  }

  down(...indexes: number[]): this {
    for (const index of indexes)
      this.coordinator.connectionState(index, 'disconnected', 'network read failed');
    return this;
  }

  want(...slots: number[]): this {
    for (const slot of slots) this.coordinator.want(slot, keyOf(slot));
    this.coordinator.flush();
    return this;
  }

  /** Nobody knows whether these exist. */
  unproven(...slots: number[]): this {
    for (const slot of slots) this.standings.set(slot, Standing.conceivable);
    return this;
  }

  /** A client wants these, in one frame. */
  ask(asker: UnprovenClient, ...slots: number[]): this {
    for (const slot of slots) this.coordinator.want(slot, keyOf(slot), asker);
    this.coordinator.flush();
    return this;
  }

  leave(asker: UnprovenClient, ...slots: number[]): this {
    for (const slot of slots) this.coordinator.drop(slot, asker);
    this.coordinator.flush();
    return this;
  }

  drop(...slots: number[]): this {
    for (const slot of slots) this.coordinator.drop(slot);
    this.coordinator.flush();
    return this;
  }

  /** Tries a slot out; whether there was room to spare. */
  tryOut(slot: number): boolean {
    const isTried = this.coordinator.tryOut(slot, keyOf(slot));
    this.coordinator.flush();
    return isTried;
  }

  endTrial(...slots: number[]): this {
    for (const slot of slots) this.coordinator.endTrial(slot);
    this.coordinator.flush();
    return this;
  }

  /** The front refuses what its worker holds, which lets go of it. */
  refuse(index: number, slot: number, code: number): this {
    expect(this.held[index]!.delete(slot), 'refused what it holds').toBe(true);
    this.#refusals.add(`${index} ${slot}`);
    this.coordinator.subscriptionRefused(index, slot, code, 'refused');
    this.coordinator.flush();
    return this;
  }

  /** One more tick of each of these slots, by every line whose connection is logged in. */
  tick(slots: readonly number[]): this {
    this.volume++;
    const up = this.coordinator.status().filter(({ state }) => state === 'logged_in');
    for (const { index } of up)
      for (const slot of slots) if (this.held[index]!.has(slot)) this.deliver(index, slot);
    return this;
  }

  /** The tick of a volume by one line; whether it is taken. */
  deliver(index: number, slot: number, volume = this.volume): boolean {
    if (this.held[index]!.has(slot)) this.standings.set(slot, Standing.ticked);
    const taken = this.coordinator.ticked(index, slot, { volume, timeMs: 0 });
    this.coordinator.flush();
    return taken;
  }

  /** Time passes second by second. */
  pass(seconds: number, eachSecond: () => void = () => undefined): this {
    for (let i = 0; i < seconds; i++) {
      this.now += 1000;
      eachSecond();
      this.coordinator.pass();
    }
    return this;
  }

  /** How many slots each worker holds. */
  get loads(): number[] {
    return this.held.map((each) => each.size);
  }

  /** The connections that hold a slot. */
  linesOf(slot: number): number[] {
    return this.held.flatMap((slots, index) => (slots.has(slot) ? [index] : []));
  }

  #take(command: LineCommand): void {
    this.commands.push(command);
    const held = this.held[command.connection]!;
    for (const slot of command.slots) {
      const wasRefused = this.#refusals.delete(`${command.connection} ${slot}`);
      if (command.type === 'subscribe') held.add(slot);
      else
        expect(
          held.delete(slot) || wasRefused,
          `connection ${command.connection} unsubscribed ${slot}, which it holds`,
        ).toBe(true);
    }
    if (command.type === 'subscribe') this.coordinator.requested(command.connection, command.slots);
  }
}

export function range(count: number, first = 0): number[] {
  return Array.from({ length: count }, (_, i) => first + i);
}
