import { setTimeout as delay } from 'node:timers/promises';
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
const silenceMs = 2_000;
const stormMs = 2_000;
const mostStormed = 500;
const releaseMs = 10_000;
const loginMs = 20_000;
const tickMs = 60_000;
const manySessions = 20;

function result(trial: string, outcome: Outcome, text: string): TrialResult {
  return { trial, outcome, text };
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
    const connected = await probe.until(() => probe.state.everConnected === sessions, connectMs);
    if (probe.crash !== '') return result(trial, 'failed', probe.crash);
    await delay(sessions === 1 ? silenceMs : 0);
    const { everConnected, disconnected, reasons } = probe.state;
    const said = front.received > 0 ? ` and sends ${front.received} bytes first` : '';
    const lost =
      disconnected > 0 ? `, lost ${disconnected} times: ${reasons.map(disconnectText).join(', ')}` : '';
    const text = connected
      ? `OnFrontConnected${sessions > 1 ? ` on all ${sessions}` : ''}${said}${lost}`
      : front.accepted === 0
        ? 'does not dial'
        : `dials${said}, but OnFrontConnected on ${everConnected} of ${sessions}${lost}`;
    const end = await close(probe, text, trial);
    return connected || end.outcome !== 'ok' ? end : { ...end, outcome: 'trouble' };
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
    await probe.until(() => front.accepted > dials, connectMs);
    if (probe.crash !== '') return result(trial, 'failed', `${probe.crash} after ${dials} dials`);
    const { connected, reasons } = probe.state;
    const rate = dials > 10 ? `, some ${Math.round(dials / seconds)} a second` : '';
    const told = reasons.length > 0 ? `: ${reasons.map(disconnectText).join(', ')}` : '';
    return await close(probe, `${dials} dials${rate}, OnFrontConnected ${connected} times${told}`, trial);
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
