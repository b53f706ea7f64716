import { mostRefusals, type LoginGate } from '../coordinator/workers/loginPlaces.js';
import type { LoginVerdict } from './errors.js';

/** Wait after a refusal of user or password, in ms; */
const refusedDelayMs = 60_000;
/** where there is no user: nothing gets locked then, but nothing soon gets better either. */
const refusedWithoutUserDelayMs = 3_600_000;
const invalidLogin = 3;

/** Refusals of a session's login, and whether it may be tried again. */
export class LoginRefusals {
  readonly #gate: LoginGate | undefined;
  /** Refusals of user or password since the last login. */
  #count = 0;
  #words = '';
  #isWrongPassword = true;
  #stands = false;

  /** @param gate what the logins of one user have in common; undefined where there is no user */
  constructor(gate: LoginGate | undefined) {
    this.#gate = gate;
  }

  /** The last refusal, while there was no login since; empty when there is none. */
  get words(): string {
    return this.#stands ? this.#words : '';
  }

  /** Before a login: whether it may be tried. `busy`: not yet. */
  begin(): 'taken' | 'busy' | 'spent' {
    const place = this.#gate?.take() ?? 'taken';
    if (place === 'spent') this.#stands = true;
    return place;
  }

  /** A login that may have been under way has ended without a word of the front. */
  ended(): void {
    this.#gate?.giveBack();
  }

  /** A session that was logged in has ended. */
  sessionEnded(): void {
    this.#gate?.sessionEnded();
  }

  accepted(): void {
    this.#gate?.accepted();
    this.#count = 0;
    this.#stands = false;
  }

  /**
   * The front has refused the login.
   *
   * @returns ms until it may be tried again; Infinity: never, unless something is put right
   */
  refused(verdict: Exclude<LoginVerdict, { readonly kind: 'ok' }>, code: number, words: string): number {
    this.#words = words;
    this.#isWrongPassword = code === invalidLogin;
    this.#stands = verdict.kind !== 'retry';
    switch (verdict.kind) {
      case 'retry':
        this.#gate?.giveBack();
        return verdict.minDelayMs;
      case 'fatal':
        this.#gate?.giveBack();
        return Infinity;
      case 'barred':
        this.#gate?.barred();
        return Infinity;
      case 'credentials': {
        if (this.#gate === undefined) return refusedWithoutUserDelayMs;
        const isLast = this.#gate.refused();
        return ++this.#count >= mostRefusals || isLast ? Infinity : refusedDelayMs;
      }
    }
  }

  /** Why the login is given up, in one line. */
  givenUp(kind: LoginVerdict['kind']): string {
    const until = 'not tried again until user_id or password change, or the configuration is reloaded';
    if (kind === 'fatal') return `${this.#words}: not tried again until the configuration is reloaded`;
    if (kind === 'barred') return `${this.#words}: ${until}`;
    const words = this.#words === '' ? '' : ` (${this.#words})`;
    return `${this.#isWrongPassword ? 'wrong password' : 'login refused'} three times${words}: ${until}`;
  }

  /** Starts again. @returns whether there was a refusal that kept the login from being tried */
  retry(): boolean {
    const stood = this.#stands;
    this.#count = 0;
    this.#stands = false;
    return stood;
  }
}
