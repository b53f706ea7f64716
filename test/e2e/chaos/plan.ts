/**
 * What a chaos run does, drawn from a seed. Pure: the same seed and shape give the same plan on every machine.
 *
 * A plan is a row of episodes. Each disturbs the lines of one broker alone, one thing after the other, and ends with
 * everything put right again. As the lines of an instrument belong to different brokers, and the next episode begins when
 * the gateway is whole, at most one line of any instrument is down at any time.
 */

export interface ChaosShape {
  readonly brokers: number;
  /** Fronts of each broker; all are in one process. */
  readonly fronts: number;
}

/** What can be done to a broker's process with all its fronts; the last two undo the first two. */
export const processActions = ['kill', 'freeze', 'restart', 'thaw'] as const;
/** Faults of one front that stay until they are cleared. */
export const lastingFaults = [
  'stall',
  'refuse',
  'login_error',
  'delay',
  'flood',
  'duplicate_ticks',
  'regressing_ticks',
  'subscribe_responses',
  'stale_snapshot',
] as const;
/** Faults of one front that happen once. */
export const passingFaults = ['disconnect', 'garbage', 'return_code'] as const;
/** What is done to the gateway. */
export const gatewayActions = ['worker_crash', 'remove_connection', 'change_priority'] as const;

export type Action =
  | { readonly do: (typeof processActions)[number] }
  | {
      readonly do: (typeof lastingFaults)[number] | (typeof passingFaults)[number];
      readonly front: number;
      readonly fields: Readonly<Record<string, number | string>>;
    }
  | { readonly do: 'remove_connection'; readonly front: number }
  | { readonly do: 'change_priority'; readonly front: number; readonly priority: number }
  /** Of any broker, since a worker does not say whose it is; nothing else happens in its episode. */
  | { readonly do: 'worker_crash' };

export interface Step {
  readonly action: Action;
  /** Ticks that the clients are to see before the next step. */
  readonly ticks: number;
}

export interface Episode {
  readonly broker: number;
  readonly steps: readonly Step[];
}

type ProcessState = 'running' | 'gone' | 'frozen';

const mostSteps = 4;
const workerCrashShare = 0.12;
const shortestTicks = 20;
const longestTicks = 900;

/** A number from 0 on below 1, and the next one each time: mulberry32. */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Episodes without end. */
export function* planChaos(seed: number, shape: ChaosShape): Generator<Episode, never> {
  const random = randomOf(seed);
  const below = (count: number): number => Math.floor(random() * count);
  const oneOf = <T>(list: readonly T[]): T => list[below(list.length)]!;

  const fieldsOf = (name: Action['do']): Record<string, number | string> => {
    switch (name) {
      case 'disconnect':
        return { reason: oneOf([0x1001, 0x1002, 0x2001, 0x2002, 0x2003]) };
      case 'garbage':
        return { bytes: 1 + below(4096) };
      case 'return_code':
        return { code: oneOf([-1, -2, -3]), calls: 1 + below(3) };
      case 'refuse':
        return { how: oneOf(['refuse', 'cut']) };
      case 'login_error':
        // Wrong users and passwords are not tried again soon: the first is an error of no meaning.
        return oneOf([{ error: 68 }, { error: -1, text: 'api login over limit freq' }]);
      case 'delay':
        return { ms: 20 + below(3000) };
      case 'flood':
        return { ticks_per_s: 500 + below(5000) };
      case 'duplicate_ticks':
        return { every: 1 + below(3) };
      case 'regressing_ticks':
        return { every: 1 + below(3), by_ms: 200 + below(5000) };
      case 'subscribe_responses':
        return { how: oneOf(['none', 'missing', 'repeated', 'each_last', 'never_last']) };
      case 'stale_snapshot':
        return { age_s: 1 + below(5) };
      default:
        return {};
    }
  };

  const reload = (): Action => {
    const front = below(shape.fronts);
    if (random() < 0.5) return { do: 'remove_connection', front };
    return { do: 'change_priority', front, priority: 1 + below(10) };
  };

  const fault = (name: (typeof lastingFaults)[number] | (typeof passingFaults)[number]): Action => {
    return { do: name, front: below(shape.fronts), fields: fieldsOf(name) };
  };

  /** What can be done next to a broker whose process runs, is gone, or stands still. */
  const actionOf = (process: ProcessState): Action => {
    const kind = random();
    if (kind < 0.15) return reload();
    if (process === 'gone') return { do: 'restart' };
    if (process === 'frozen') return { do: kind < 0.8 ? 'thaw' : 'kill' };
    if (kind < 0.35) return { do: random() < 0.5 ? 'kill' : 'freeze' };
    return fault(kind < 0.75 ? oneOf(lastingFaults) : oneOf(passingFaults));
  };

  const ticks = (): number => shortestTicks + below(longestTicks - shortestTicks);

  for (;;) {
    const broker = below(shape.brokers);
    if (random() < workerCrashShare) {
      yield { broker, steps: [{ action: { do: 'worker_crash' }, ticks: ticks() }] };
      continue;
    }
    let process: ProcessState = 'running';
    const steps: Step[] = [];
    for (let left = 1 + below(mostSteps); left > 0; left--) {
      const action = actionOf(process);
      process = processAfter(process, action);
      steps.push({ action, ticks: ticks() });
    }
    yield { broker, steps };
  }
}

function processAfter(before: ProcessState, action: Action): ProcessState {
  switch (action.do) {
    case 'kill':
      return 'gone';
    case 'freeze':
      return 'frozen';
    case 'restart':
    case 'thaw':
      return 'running';
    default:
      return before;
  }
}
