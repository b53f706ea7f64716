import { spreadOf, type Spread } from '../figures/spread.js';
import { instruments, spreadOverClients } from '../instruments.js';
import { runGateway } from './gatewayRun.js';
import type { Settings } from './settings.js';

/** One point of a curve. */
export interface ScalePoint {
  readonly at: number;
  /** CPU time of the whole gateway per tick. */
  readonly us_per_tick: Spread;
}

/** Cost per tick against one quantity, everything else being the same. */
export interface ScaleCurve {
  readonly against: string;
  readonly conditions: string;
  readonly points: readonly ScalePoint[];
}

interface Shape {
  readonly clients: number;
  /** Instruments of each client. */
  readonly each: number;
  readonly instruments: number;
  readonly connections: number;
}

const ticksPerS = 5000;
const base: Shape = { clients: 200, each: 10, instruments: 500, connections: 4 };
const usPerS = 1e6;

/** The curves, and which shape a point of each has. Clients are varied with each tick going to as many as before. */
const curves: readonly {
  readonly against: string;
  readonly conditions: string;
  readonly at: readonly number[];
  readonly shape: (at: number) => Shape;
}[] = [
  {
    against: 'clients',
    conditions: 'each tick goes to 4 of them, 500 instruments, 4 connections',
    at: [50, 200, 500, 1000, 2000],
    shape: (clients) => ({ ...base, clients, each: Math.max(1, Math.round(2000 / clients)) }),
  },
  {
    against: 'instruments',
    conditions: '200 clients, each tick goes to 1 of them, 4 connections',
    at: [500, 2000, 5000, 10_000],
    shape: (count) => ({ ...base, instruments: count, each: count / base.clients }),
  },
  {
    against: 'connections',
    conditions: '200 clients with 10 instruments each, 500 instruments',
    at: [1, 4, 16, 48, 90],
    shape: (connections) => ({ ...base, connections }),
  },
  {
    against: 'fan-out',
    conditions: '500 instruments, 10 per client, 4 connections; clients per tick',
    at: [1, 4, 10, 20, 40],
    shape: (clientsPerTick) => ({ ...base, clients: (clientsPerTick * base.instruments) / base.each }),
  },
];

/** Measures every curve at 5,000 ticks/s by push. */
export async function measureScale(settings: Settings, say: (line: string) => void): Promise<ScaleCurve[]> {
  const runs = settings.runs ?? (settings.full ? 5 : 2);
  const measured: ScaleCurve[] = [];
  for (const { against, conditions, at, shape } of curves) {
    const points: ScalePoint[] = [];
    for (const value of at) {
      const costs: number[] = [];
      for (let run = 0; run < runs; run++)
        costs.push(await costPerTick(shape(value), settings.seconds ?? 1.5));
      points.push({ at: value, us_per_tick: spreadOf(costs) });
      say(`scale: ${value} ${against}: ${points.at(-1)!.us_per_tick.median.toFixed(1)} µs per tick`);
    }
    measured.push({ against, conditions: `${conditions}; ${ticksPerS} ticks/s`, points });
  }
  return measured;
}

async function costPerTick(shape: Shape, seconds: number): Promise<number> {
  const ids = instruments(shape.instruments);
  const run = await runGateway({
    protocol: 'action',
    instruments: ids,
    plan: spreadOverClients(ids, shape.clients, shape.each),
    feed: { arrivals: 'poisson', rate: ticksPerS / shape.instruments },
    supply: 'fronts',
    connections: shape.connections,
    warmupS: 0.7,
    seconds,
    trace: false,
  });
  return ((run.gateway_cpu_pct / 100) * usPerS) / run.ticks_per_s;
}
