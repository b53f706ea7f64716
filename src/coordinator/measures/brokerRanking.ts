import type { RaceFigures } from './raceTally.js';

/** A connection, as the table looks at it. */
export interface RankedConnection {
  readonly brokerId: string;
  /** Empty where the configuration has none. */
  readonly brokerName: string;
  readonly ticks: number;
  readonly race: RaceFigures;
}

/** A broker's place in the table; null where there is nothing to tell it by. */
export interface RankedBroker {
  readonly broker_id: string;
  readonly broker_name: string;
  readonly connections: number;
  readonly ticks: number;
  /** Part of its connections' raced ticks, 0–1, that came first. */
  readonly first_share: number | null;
  /** Mean of its connections' medians, weighted by their ticks. */
  readonly delay_p50_ms: number | null;
  /** The p99 of the broker's worst connection: mixing it with others must not make it look better. */
  readonly delay_p99_ms: number | null;
}

/**
 * Brokers by how early their ticks come, the best first: by median delay, then by share of first arrivals. Those
 * without figures are last. Brokers without an id are told apart by their names.
 */
export function rankBrokers(contestants: readonly RankedConnection[]): RankedBroker[] {
  const brokers = new Map<string, RankedConnection[]>();
  for (const each of contestants) {
    const key = each.brokerId === '' ? `/${each.brokerName}` : each.brokerId;
    const known = brokers.get(key);
    if (known === undefined) brokers.set(key, [each]);
    else known.push(each);
  }
  return [...brokers.values()].map(placeOf).sort(compare);
}

function placeOf(connections: readonly RankedConnection[]): RankedBroker {
  const raced = connections.map(({ race }) => race).filter(({ samples }) => samples > 0);
  const samples = sum(raced.map((race) => race.samples));
  const mean = (of: (race: RaceFigures) => number): number | null =>
    samples === 0 ? null : rounded(sum(raced.map((race) => of(race) * race.samples)) / samples);
  return {
    broker_id: connections[0]!.brokerId,
    broker_name: connections.find(({ brokerName }) => brokerName !== '')?.brokerName ?? '',
    connections: connections.length,
    ticks: sum(connections.map(({ ticks }) => ticks)),
    first_share: mean((race) => race.firstShare),
    delay_p50_ms: mean((race) => race.delayP50Ms),
    delay_p99_ms: samples === 0 ? null : rounded(Math.max(...raced.map((race) => race.delayP99Ms))),
  };
}

function compare(a: RankedBroker, b: RankedBroker): number {
  if (a.delay_p50_ms === null || b.delay_p50_ms === null)
    return Number(a.delay_p50_ms === null) - Number(b.delay_p50_ms === null) || byName(a, b);
  return a.delay_p50_ms - b.delay_p50_ms || (b.first_share ?? 0) - (a.first_share ?? 0) || byName(a, b);
}

function byName(a: RankedBroker, b: RankedBroker): number {
  const [name, other] = [a, b].map((each) => `${each.broker_id}/${each.broker_name}`) as [string, string];
  return name < other ? -1 : name > other ? 1 : 0;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, each) => total + each, 0);
}

/** To three places: µs, and tenths of a percent. */
function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}
