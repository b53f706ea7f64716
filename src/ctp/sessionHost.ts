import type { ConnectionSpec, WorkerEvent } from '../coordinator/workers/workerMessages.js';
import type { BridgeEvent } from '../ring/eventRing.js';
import { libraryUnderTrial, openVendorLibrary, type VendorLibrary, VendorSession } from './bridge.js';
import { disconnectText, instrumentNotFound } from './errors.js';
import { LoginPlaces } from '../coordinator/workers/loginPlaces.js';
import { CtpSession } from './session.js';
import type { SessionCommand, SessionInput } from './sessionMessages.js';
import { errorText } from '../base/errorText.js';

/** Node's timers take no more. */
const maxTimerMs = 2 ** 31 - 1;
/** Between two looks at whether a library's trial is over. */
const trialPollMs = 20;

export interface SessionHostParts {
  readonly spec: ConnectionSpec;
  /** EventChannelHandle.owner. */
  readonly owner: number;
  /** WorkerDeadlines.releaseMs */
  readonly releaseMs: number;
  readonly post: (event: WorkerEvent) => void;
  readonly onLibrary: (library: VendorLibrary, connection: number) => void;
  readonly onClosed: () => void;
}

/** Carries out what a Session decides, with the vendor's library and a timer. */
export class SessionHost {
  readonly #options: SessionHostParts;
  readonly #session: CtpSession;
  #library: VendorLibrary | undefined;
  #vendor: VendorSession | undefined;
  #timer: NodeJS.Timeout | undefined;
  #timerAt = Infinity;
  #trialTimer: NodeJS.Timeout | undefined;
  #refusalsLost = 0;

  constructor(options: SessionHostParts) {
    this.#options = options;
    const { fronts, loginPlaces } = options.spec;
    const gate = loginPlaces === undefined ? undefined : new LoginPlaces(loginPlaces);
    this.#session = new CtpSession(fronts, Math.random(), options.releaseMs, gate);
  }

  /** The handle that the session's events bear; undefined before it is open. */
  get handle(): number | undefined {
    return this.#vendor?.handle;
  }

  /** Gives an input to the session and does what it wants. */
  step(input: SessionInput): void {
    for (const command of this.#session.step(input, performance.now())) this.#execute(command);
    this.#armTimer();
  }

  /** An event of the bridge that bears this session's handle. */
  onBridgeEvent(event: BridgeEvent): void {
    switch (event.type) {
      case 'front_connected':
      case 'released':
        this.step({ type: event.type });
        break;
      case 'front_disconnected':
        this.step({ type: 'front_disconnected', text: disconnectText(event.code) });
        break;
      case 'login_response':
        this.step({ type: 'login_response', code: event.code, text: event.text });
        break;
      case 'error':
        this.step({ type: 'error', code: event.code, text: event.text, requestId: event.requestId });
        break;
      case 'subscribe_refused':
        if (event.instrumentId === '') this.#warn(`a subscription was refused: ${event.code} ${event.text}`);
        else this.step({ type: 'refused', id: event.instrumentId, code: event.code, text: event.text });
        break;
      case 'unsubscribe_refused':
        this.#warn(`unsubscribing ${event.instrumentId} was refused: ${event.code} ${event.text}`);
        break;
      case 'heartbeat_warning':
        this.#warn(`nothing heard from the front for ${event.code} s`);
        break;
      case 'logout_response':
        this.#warn(`the front logged the session out: ${event.code} ${event.text}`);
        break;
    }
  }

  /** Ordinary events of this worker were lost: refusals of this session, perhaps. */
  checkRefusals(): void {
    const lost = this.#vendor?.refusalsLost ?? 0;
    const count = lost - this.#refusalsLost;
    this.#refusalsLost = lost;
    if (count > 0) this.step({ type: 'refusals_lost', count });
  }

  /** Connection events of this worker were lost: goes by what the library says now. */
  resynchronise(): void {
    if (this.#vendor === undefined) return;
    if (this.#vendor.released) this.step({ type: 'released' });
    this.step({ type: 'front_disconnected', text: 'events of the front were lost' });
    if (this.#vendor.frontUp) this.step({ type: 'front_connected' });
  }

  #execute(command: SessionCommand): void {
    const { spec } = this.#options;
    const connection = spec.connection;
    switch (command.type) {
      case 'open':
        this.#open();
        break;
      case 'login': {
        const code = this.#vendor!.login(spec.brokerId, spec.userId, spec.password, command.requestId);
        if (code < 0) this.step({ type: 'login_failed', code });
        break;
      }
      case 'subscribe': {
        this.#subscribe(command.ids, command.slots);
        break;
      }
      case 'unsubscribe': {
        const code = this.#vendor!.unsubscribe(command.ids);
        if (code < 0) this.step({ type: 'unsubscribe_failed', ids: command.ids, code });
        break;
      }
      case 'release':
        this.#release();
        break;
      case 'abandon':
        this.#vendor = undefined;
        break;
      case 'state':
      case 'refused':
        this.#options.post({ ...command, connection });
        break;
      case 'warn':
        this.#warn(command.text);
        break;
      case 'closed':
        clearTimeout(this.#timer);
        this.#options.post({ type: 'closed', connection });
        this.#options.onClosed();
        break;
    }
  }

  /** Ids that are too long for the library's structs would be cut off, and the front's answers with them. */
  #subscribe(ids: readonly string[], slots: readonly number[]): void {
    const { longestId } = this.#library!;
    const tooLong = ids.filter((id) => id.length > longestId);
    if (tooLong.length > 0) {
      const text = `this version of the library takes ids of at most ${longestId} characters`;
      for (const id of tooLong) this.step({ type: 'refused', id, code: instrumentNotFound, text });
      const fitting = ids.flatMap((id, i) => (id.length > longestId ? [] : [i]));
      if (fitting.length > 0)
        this.#subscribe(
          fitting.map((i) => ids[i]!),
          fitting.map((i) => slots[i]!),
        );
      return;
    }
    const code = this.#vendor!.subscribe(ids, slots);
    if (code < 0) this.step({ type: 'subscribe_failed', ids, code });
    else this.#options.post({ type: 'requested', connection: this.#options.spec.connection, slots });
  }

  /** Waits for the library's trial without holding up the thread's other sessions. */
  #open(): void {
    const { spec, owner, onLibrary } = this.#options;
    this.#trialTimer = undefined;
    if (libraryUnderTrial(spec.library)) {
      this.#trialTimer = setTimeout(() => this.#open(), trialPollMs);
      this.step({ type: 'opening' });
      return;
    }
    let library: VendorLibrary;
    try {
      library = openVendorLibrary(spec);
    } catch (error) {
      this.step({ type: 'open_failed', text: errorText(error), lasting: true });
      return;
    }
    this.#library = library;
    onLibrary(library, spec.connection);
    try {
      const { connection, flowFolder, tickRing, tickDoorbells } = spec;
      this.#refusalsLost = 0;
      this.#vendor = new VendorSession({
        owner,
        library,
        connection,
        flowFolder,
        tickRing,
        tickDoorbells,
      });
    } catch (error) {
      this.step({ type: 'open_failed', text: errorText(error), lasting: false });
      return;
    }
    const code = this.#vendor.start(spec.fronts);
    if (code < 0) this.step({ type: 'start_failed', text: `the library failed to start, code ${code}` });
  }

  #release(): void {
    if (this.#trialTimer === undefined) {
      this.#vendor!.close();
      return;
    }
    clearTimeout(this.#trialTimer);
    this.#trialTimer = undefined;
    this.step({ type: 'released' });
  }

  #warn(text: string): void {
    const { connection } = this.#options.spec;
    this.#options.post({ type: 'log', level: 'warn', event: 'front_trouble', text, connection });
  }

  #armTimer(): void {
    const at = this.#session.wakeAt;
    if (at === this.#timerAt) return;
    clearTimeout(this.#timer);
    this.#timerAt = at;
    if (at === Infinity) return;
    const delay = Math.min(maxTimerMs, Math.max(0, Math.ceil(at - performance.now())));
    this.#timer = setTimeout(() => {
      this.#timerAt = Infinity;
      this.step({ type: 'time' });
    }, delay);
  }
}
