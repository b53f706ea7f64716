/** Refusals after which a user and password are not tried any more: brokers lock accounts for a few more. */
export const mostRefusals = 3;
/** A place that was taken for so long, in s, was left by a thread that has ended: no login takes that long. */
const leaseS = 60;
const free = 0;
const refused = -1;

/** Effect of a login on its place, see LoginPlaces. */
export interface LoginGate {
  /** `busy`: as many logins are under way as may be refused; `spent`: so many were refused. */
  take(): 'taken' | 'busy' | 'spent';
  /** The front has accepted the login: refusals before it count no more. */
  accepted(): void;
  /** The front has refused user or password. @returns whether that was the last time that it may */
  refused(): boolean;
  /** The account is of no use to any connection. */
  barred(): void;
  /** The login has ended without a word on user and password. */
  giveBack(): void;
  /** A session that was logged in has ended: what others were refused meanwhile is no evidence against the password. */
  sessionEnded(): void;
}

/**
 * The logins that connections may still try with one user and password, in memory that all of their threads share. There
 * are as many places as refusals are borne: a login takes one, a refusal keeps it, anything else gives it back. So however
 * many connections log in at once, there are never more refusals than places.
 *
 * Refusals while another session is logged in say nothing against the password. The end of that session forgets them, once
 * until the next login is accepted: should the password have changed meanwhile, the ends of many sessions forgive no more.
 *
 *   place   0 = free, -1 = refused, otherwise the second in which it was taken, on the clock that all threads share
 *   proof   behind the places: 1 = a login was accepted since refusals were last forgotten for it, otherwise 0
 */
export class LoginPlaces implements LoginGate {
  readonly #places: Int32Array;
  readonly #proof: Int32Array;
  readonly #seconds: () => number;
  #mine = -1;
  /** The second in which it was taken; another one's lease when the place holds another. */
  #taken = free;

  constructor(memory: SharedArrayBuffer, seconds: () => number = uptimeSeconds) {
    this.#places = new Int32Array(memory, 0, mostRefusals);
    this.#proof = new Int32Array(memory, this.#places.byteLength, 1);
    this.#seconds = seconds;
  }

  static allocate(): SharedArrayBuffer {
    return new SharedArrayBuffer((mostRefusals + 1) * Int32Array.BYTES_PER_ELEMENT);
  }

  take(): 'taken' | 'busy' | 'spent' {
    if (this.#mine >= 0) return 'taken';
    const now = Math.max(1, this.#seconds());
    let refusals = 0;
    for (let place = 0; place < this.#places.length; place++) {
      const held = Atomics.load(this.#places, place);
      if (held === refused) refusals++;
      else if (held === free || now - held > leaseS) {
        if (Atomics.compareExchange(this.#places, place, held, now) !== held) continue;
        this.#mine = place;
        this.#taken = now;
        return 'taken';
      }
    }
    return refusals === this.#places.length ? 'spent' : 'busy';
  }

  accepted(): void {
    this.giveBack();
    this.forget();
    Atomics.store(this.#proof, 0, 1);
  }

  refused(): boolean {
    if (!this.#leave(refused)) this.#refuseOne();
    return this.#places.every((_, place) => Atomics.load(this.#places, place) === refused);
  }

  barred(): void {
    this.#mine = -1;
    Atomics.store(this.#proof, 0, 0);
    for (let place = 0; place < this.#places.length; place++) Atomics.store(this.#places, place, refused);
  }

  giveBack(): void {
    this.#leave(free);
  }

  sessionEnded(): void {
    if (Atomics.exchange(this.#proof, 0, 0) === 1) this.forget();
  }

  /** Refusals so far count no more. */
  forget(): void {
    for (let place = 0; place < this.#places.length; place++)
      Atomics.compareExchange(this.#places, place, refused, free);
  }

  /** @returns false when there is no place to leave, or it has gone to another login, or with the account */
  #leave(as: number): boolean {
    const mine = this.#mine;
    this.#mine = -1;
    return mine >= 0 && Atomics.compareExchange(this.#places, mine, this.#taken, as) === this.#taken;
  }

  /** The answer came after its login was given up, and its place with it. */
  #refuseOne(): void {
    for (let place = 0; place < this.#places.length; place++)
      if (Atomics.compareExchange(this.#places, place, free, refused) === free) return;
  }
}

function uptimeSeconds(): number {
  return process.hrtime()[0];
}
