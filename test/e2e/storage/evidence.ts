/** A tick in a store, by the number that the front gave it. */
export interface Kept {
  readonly number: number;
  /** ms since the epoch. */
  readonly receivedMs: number;
}

export interface KeptInRedis extends Kept {
  readonly id: string;
  /** Run and number in it. */
  readonly seq: string;
}

/** A tick that somebody saw in Redis while all continued. */
export interface Witnessed {
  readonly key: string;
  readonly id: string;
  readonly number: number;
  readonly atMs: number;
}

/** A kill: when it was asked for, when the process was gone, and when it was of use again. */
export interface Kill {
  readonly what: 'gateway' | 'redis';
  readonly atMs: number;
  readonly goneMs: number;
  readonly backMs: number;
}

/** What is known after a run with kills; ticks by `EXCHANGE.id`, in the order of their store. */
export interface Evidence {
  readonly redis: ReadonlyMap<string, readonly KeptInRedis[]>;
  readonly recorded: ReadonlyMap<string, readonly Kept[]>;
  /** Numbers that a client got after the last kill of the gateway, each once. */
  readonly sighted: ReadonlyMap<string, readonly number[]>;
  readonly witnessed: readonly Witnessed[];
  readonly kills: readonly Kill[];
  /** The newest number of each that the front can have sent. */
  readonly newest: ReadonlyMap<string, number>;
}

/** What appendfsync everysec may lose of what was acknowledged, where nobody is left to write it again. */
const unsyncedMs = 2000;
/** What a kill of the gateway may take from the recorder, as docs/recording.md says, and a busy machine's delay. */
const unrecordedMs = 4000;
/** By then the gateway has written again what Redis has lost. */
const repairMs = 10_000;

/** Everything that must not be, a line each. */
export function faultsIn(evidence: Evidence): string[] {
  return [
    ...[...evidence.redis].flatMap(([key, ticks]) => [
      ...orderFaults(`Redis ${key}`, ticks, false),
      ...idFaults(key, ticks),
      ...gapFaults(key, ticks, evidence.kills),
      ...inventions(key, ticks, evidence.newest.get(key) ?? 0),
    ]),
    ...[...evidence.recorded].flatMap(([key, ticks]) => orderFaults(`recorder ${key}`, ticks, true)),
    ...witnessFaults(evidence),
    ...sightingFaults(evidence),
    ...recorderFaults(evidence),
  ];
}

/** Numbers rise by themselves; `maybeAgain`: where a run ends, its last tick may come again. */
function orderFaults(where: string, ticks: readonly Kept[], maybeAgain: boolean): string[] {
  return ticks.flatMap(({ number }, index) => {
    const before = ticks[index - 1]?.number ?? 0;
    if (number > before || (maybeAgain && number === before)) return [];
    return [`${where}: ${number} after ${before}`];
  });
}

function idFaults(key: string, ticks: readonly KeptInRedis[]): string[] {
  const seqs = new Set<string>();
  return ticks.flatMap(({ seq, number }) => {
    const isTwice = seqs.has(seq);
    seqs.add(seq);
    return isTwice ? [`Redis ${key}: ${number} has ${seq}, as another tick has`] : [];
  });
}

/** Numbers may be missing where the gateway was not there, and with what it had not stored yet. */
function gapFaults(key: string, ticks: readonly KeptInRedis[], kills: readonly Kill[]): string[] {
  return ticks.flatMap((tick, index) => {
    const before = ticks[index - 1];
    if (before === undefined || tick.number === before.number + 1) return [];
    const isExcused = kills.some(
      ({ what, atMs, goneMs }) =>
        what === 'gateway' && before.receivedMs <= goneMs && tick.receivedMs >= atMs,
    );
    return isExcused ? [] : [`Redis ${key}: nothing between ${before.number} and ${tick.number}`];
  });
}

function inventions(key: string, ticks: readonly Kept[], newest: number): string[] {
  return ticks.flatMap(({ number }) => (number > newest ? [`Redis ${key}: ${number} was never sent`] : []));
}

/** What was seen in Redis stays there, but for the last of it where Redis and then the gateway were killed. */
function witnessFaults({ redis, witnessed, kills }: Evidence): string[] {
  const ids = new Map(
    [...redis].map(([key, ticks]) => [key, new Map(ticks.map(({ id, number }) => [id, number]))]),
  );
  return witnessed.flatMap(({ key, id, number, atMs }) => {
    const found = ids.get(key)?.get(id);
    if (found === number) return [];
    if (found !== undefined) return [`Redis ${key}: ${id} is ${found}, and was ${number}`];
    const isExcused = kills.some(
      (lost) =>
        lost.what === 'redis' &&
        atMs >= lost.atMs - unsyncedMs &&
        atMs <= lost.backMs &&
        kills.some(
          ({ what, atMs: at }) =>
            what === 'gateway' && at >= lost.atMs - unsyncedMs && at <= lost.backMs + repairMs,
        ),
    );
    return isExcused ? [] : [`Redis ${key}: ${number} was there under ${id}, and is no more`];
  });
}

/** Whatever a client got of a gateway that ended in order is stored. */
function sightingFaults({ redis, sighted }: Evidence): string[] {
  return [...sighted].flatMap(([key, numbers]) => {
    const kept = new Set((redis.get(key) ?? []).map(({ number }) => number));
    return numbers.flatMap((number) => (kept.has(number) ? [] : [`Redis ${key}: a client got ${number}`]));
  });
}

/** Recorder and Redis have the same ticks, but for what a kill of the gateway took from either. */
function recorderFaults({ redis, recorded, kills }: Evidence): string[] {
  const ends = kills.filter(({ what }) => what === 'gateway').map(({ goneMs }) => goneMs);
  return [...redis].flatMap(([key, ticks]) => {
    const others = new Set((recorded.get(key) ?? []).map(({ number }) => number));
    const kept = new Set(ticks.map(({ number }) => number));
    const isLate = ({ receivedMs }: Kept): boolean =>
      ends.some((goneMs) => receivedMs <= goneMs && receivedMs >= goneMs - unrecordedMs);
    // Where no tick came after the last kill of a gateway, what it had not stored lies in no gap.
    const wasUnderWay = ({ receivedMs }: Kept): boolean => ends.some((goneMs) => receivedMs <= goneMs);
    const [first, last] = [ticks[0]?.number ?? 0, ticks.at(-1)?.number ?? 0];
    return [
      ...ticks
        .filter((each) => !others.has(each.number) && !isLate(each))
        .map(({ number }) => `recorder ${key}: lacks ${number}`),
      // What lies in a gap of Redis is reported there.
      ...(recorded.get(key) ?? [])
        .filter(({ number }) => (number < first || number > last) && !kept.has(number))
        .filter((each) => each.number < first || !wasUnderWay(each))
        .map(({ number }) => `Redis ${key}: the recorder has ${number}`),
    ];
  });
}
