import { disconnectText } from '../ctp/errors.js';
import { ProbeFront, type FrontManner } from './probeFront.js';
import type { ProbeLogin, ProbeOrder } from './probeMessages.js';
import { ProbeProcess } from './probeProcess.js';

/** How a trial ended: as it should, in a way that the gateway must cope with, or not at all. */
export type Outcome = 'ok' | 'trouble' | 'failed';

export interface TrialResult {
  readonly trial: string;
  readonly outcome: Outcome;
  /** One line. */
  readonly text: string;
}

export type LibraryUnderTest = Pick<ProbeOrder, 'library' | 'libraryVersion' | 'production'>;

const openMs = 30_000;
const connectMs = 10_000;
const silenceMs = 1_000;
const stormMs = 1_000;
const mostStormed = 500;
/** Libraries wait longer from dial to dial, up to this. */
const againMs = 20_000;
const releaseMs = 10_000;
const loginMs = 20_000;
const tickMs = 60_000;
const manySessions = 20;

function result(trial: string, outcome: Outcome, text: string): TrialResult {
  return { trial, outcome, text };
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** Opens the sessions. The result of a trial that ends here; undefined when they are open. */
async function open(trial: string, probe: ProbeProcess, sessions: number): Promise<TrialResult | undefined> {
  if (await probe.until(() => probe.state.opened === sessions, openMs)) return undefined;
  const text = probe.crash || probe.failure || `no session within ${openMs / 1000} s`;
  await probe.ended(0);
  return result(trial, 'failed', text);
}

/** Releases the sessions and ends the process: what a trial that has gone well comes to. */
async function close(probe: ProbeProcess, text: string, trial: string): Promise<TrialResult> {
  probe.command('release');
  const released = await probe.until(() => probe.state.released === probe.state.opened, releaseMs);
  if (released) {
    if (await probe.end()) return result(trial, 'ok', text);
    return result(trial, 'trouble', `${text}; then ${probe.crash || 'the process does not end'}`);
  }
  const how = probe.crash || `it lets go of ${probe.state.released} of ${probe.state.opened} sessions only`;
  await probe.ended(0);
  return result(trial, 'trouble', `${text}; at its release ${how}`);
}

function order(
  library: LibraryUnderTest,
  fronts: readonly string[],
  sessions: number,
  login?: ProbeLogin,
): Omit<ProbeOrder, 'folder'> {
  return { ...library, fronts, sessions, login };
}

/** Connects so many sessions to a front that says nothing. */
async function connect(trial: string, library: LibraryUnderTest, sessions: number): Promise<TrialResult> {
  const front = await ProbeFront.open('silent');
  try {
    const probe = new ProbeProcess(order(library, [front.address], sessions));
    const failed = await open(trial, probe, sessions);
    if (failed !== undefined) return failed;
    const isConnected = (): boolean => probe.state.everConnected === sessions;
    const hasSpoken = (): boolean => front.accepted >= sessions && front.received > 0;
    await probe.until(() => isConnected() || hasSpoken(), connectMs);
    await probe.until(() => false, silenceMs);
    if (probe.crash !== '') return result(trial, 'failed', probe.crash);
    const { everConnected, disconnected, reasons } = probe.state;
    const connected = isConnected();
    const bytes = Math.round(front.received / Math.max(1, front.accepted));
    const said = bytes > 0 ? `, sends ${bytes} bytes first` : '';
    const lost =
      disconnected > 0 ? `, lost ${disconnected} times: ${reasons.map(disconnectText).join(', ')}` : '';
    const all = sessions > 1 ? ` on all ${sessions}` : '';
    const text = connected
      ? `OnFrontConnected${all} when TCP is${said}${lost}`
      : front.accepted === 0
        ? 'does not dial'
        : everConnected === 0 && bytes > 0
          ? `dials${all}${said}, and reports OnFrontConnected only when a front answers them${lost}`
          : `dials${said}, but reports OnFrontConnected on ${everConnected} of ${sessions} sessions${lost}`;
    const good = connected || (everConnected === 0 && hasSpoken());
    const end = await close(probe, text, trial);
    return good || end.outcome !== 'ok' ? end : { ...end, outcome: 'trouble' };
  } finally {
    await front.close();
  }
}

const mannerNames: Readonly<Record<Exclude<FrontManner, 'silent'>, string>> = {
  close: 'accept and close',
  garbage: 'garbage',
  reset: 'reset',
};

/** Lets a front treat a session badly for a while, then well. */
async function endure(
  manner: Exclude<FrontManner, 'silent'>,
  library: LibraryUnderTest,
): Promise<TrialResult> {
  const trial = mannerNames[manner];
  const front = await ProbeFront.open(manner);
  try {
    const probe = new ProbeProcess(order(library, [front.address], 1));
    const failed = await open(trial, probe, 1);
    if (failed !== undefined) return failed;
    await probe.until(() => front.accepted > 0, connectMs);
    const begun = performance.now();
    await probe.until(() => front.accepted > mostStormed, stormMs);
    const seconds = (performance.now() - begun) / 1000;
    const dials = front.accepted;
    front.manner = 'silent';
    // What comes after a few dials comes at the library's leisure.
    const again = await probe.until(() => front.accepted > dials, againMs);
    if (probe.crash !== '') return result(trial, 'failed', `${probe.crash} after ${dials} dials`);
    // The release comes amid whatever the library does then.
    front.manner = manner;
    front.hangUp();
    await probe.until(() => front.accepted > dials + 1, connectMs);
    const { connected, reasons } = probe.state;
    const rate = dials > 10 ? `, some ${Math.round(dials / seconds)} a second` : '';
    const told = reasons.length > 0 ? `: ${reasons.map(disconnectText).join(', ')}` : '';
    const text = `${counted(dials, 'dial')}${rate}, OnFrontConnected ${counted(connected, 'time')}${told}`;
    const end = await close(probe, again ? text : `${text}, then none for ${againMs / 1000} s`, trial);
    return again || end.outcome !== 'ok' ? end : { ...end, outcome: 'trouble' };
  } finally {
    await front.close();
  }
}

async function logIn(
  library: LibraryUnderTest,
  fronts: readonly string[],
  login: ProbeLogin,
  password: string,
): Promise<TrialResult> {
  const trial = 'front';
  const probe = new ProbeProcess(order(library, fronts, 1, login), password);
  const failed = await open(trial, probe, 1);
  if (failed !== undefined) return failed;
  const answered = await probe.until(() => probe.state.login !== undefined, loginMs);
  const { login: answer, everConnected, reasons } = probe.state;
  const refusal = (): string => {
    if (probe.crash !== '') return probe.crash;
    if (everConnected === 0) return `no answer from ${fronts.join(', ')}`;
    if (!answered)
      return `connected, but the login is not answered${reasons.length > 0 ? `: ${reasons.map(disconnectText).join(', ')}` : ''}`;
    return answer!.code === 0 ? '' : `login refused: ${answer!.code} ${answer!.text}`.trimEnd();
  };
  const why = refusal();
  if (why !== '') {
    await probe.end();
    return result(trial, 'failed', why);
  }
  const ticked = await probe.until(() => probe.state.ticks > 0, tickMs);
  if (probe.crash !== '') return result(trial, 'failed', `logged in, then ${probe.crash}`);
  const text = `logged in at ${answer!.text || 'a front without a name'}, trading day ${answer!.tradingDay}`;
  const end = await close(
    probe,
    ticked
      ? `${text}, ticks come`
      : `${text}, but no tick within ${tickMs / 1000} s of ${login.instruments.join(', ')}`,
    trial,
  );
  return ticked || end.outcome !== 'ok' ? end : { ...end, outcome: 'trouble' };
}

/** Takes a library through all that fronts do, each time in a process of its own. Ends early when it never connects. */
export async function* tryLibrary(
  library: LibraryUnderTest,
  front:
    | { readonly addresses: readonly string[]; readonly login: ProbeLogin; readonly password: string }
    | undefined,
): AsyncGenerator<TrialResult> {
  const first = await connect('connect', library, 1);
  yield first;
  if (first.outcome === 'failed') return;
  for (const manner of ['close', 'garbage', 'reset'] as const) yield await endure(manner, library);
  yield await connect(`${manySessions} sessions`, library, manySessions);
  if (front !== undefined) yield await logIn(library, front.addresses, front.login, front.password);
}
