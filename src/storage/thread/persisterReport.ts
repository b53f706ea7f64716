import type { PersisterEvent } from '../shared/persisterMessages.js';
import type { RedisLink } from '../../redis/redisLink.js';
import type { SpillFolder } from '../spill/spillFolder.js';
import type { LogEvent } from '../../base/logEvents.js';

/** Logs the state of Redis and of the spill file: each change once. */
export class PersisterReport {
  readonly #link: RedisLink;
  readonly #folder: () => SpillFolder | undefined;
  readonly #post: (event: PersisterEvent) => void;
  #wasUp = false;
  #isToldDown = false;
  #isToldTrouble = false;
  /** The last logged reason why ticks cannot go to the file; empty if they can. */
  #toldTrouble = '';
  /** The last logged fault of the file. */
  #toldFault = '';
  readonly #toldRefusals = new Set<string>();

  constructor(link: RedisLink, folder: () => SpillFolder | undefined, post: (event: PersisterEvent) => void) {
    this.#link = link;
    this.#folder = folder;
    this.#post = post;
  }

  /** Redis answers. */
  up(): void {
    if (this.#isToldDown || !this.#wasUp)
      this.#info(`${this.#link.name} ${this.#isToldDown ? 'answers again' : 'is connected'}`);
    this.#wasUp = true;
    this.#isToldDown = false;
  }

  /** Redis does not answer any more. */
  down(cause: string): void {
    if (!this.#isToldDown)
      this.#warn('redis_down', `${this.#link.name} cannot be used: ${cause}; trying again`);
    this.#isToldDown = true;
  }

  /** Logs advice for the operator of Redis. */
  advice(text: string): void {
    this.#warn('redis_advice', text);
  }

  /** States of an earlier run have been read, or some of them were refused. */
  restored(refusal: string | undefined): void {
    if (refusal !== undefined)
      this.#warn(
        'redis_read_refused',
        `${this.#link.name} does not give the states of an earlier run: ${refusal}`,
      );
  }

  /** Why ticks cannot wait on disk, and that they can again. */
  disk(): void {
    const folder = this.#folder();
    if (folder === undefined) return;
    const fault = folder.takeError()?.message;
    const { trouble } = folder;
    if (trouble !== this.#toldTrouble) {
      if (trouble === '') this.#info('the file for ticks that wait for Redis can be used again');
      else this.#error('spill_failed', `the file for ticks that wait for Redis: ${trouble}`);
    } else if (trouble === '' && fault !== undefined && fault !== this.#toldFault) {
      this.#error('spill_failed', `the file for ticks that wait for Redis: ${fault}`);
      this.#toldFault = fault;
    }
    this.#toldTrouble = trouble;
  }

  /**
   * What has become of a batch.
   *
   * @param trouble why it was not stored; undefined when it was
   * @param refusals what was refused for good, and why
   */
  batch(trouble: string | undefined, refusals: readonly string[]): void {
    // The connection itself reports an outage.
    const isRefusal = trouble !== undefined && this.#link.isUp;
    if (isRefusal && !this.#isToldTrouble)
      this.#warn('redis_write_refused', `${this.#link.name} does not store ticks: ${trouble}; they wait`);
    if (trouble === undefined && this.#isToldTrouble) this.#info(`${this.#link.name} stores ticks again`);
    if (isRefusal) this.#isToldTrouble = true;
    else if (trouble === undefined) this.#isToldTrouble = false;
    for (const refusal of refusals) {
      if (!this.#toldRefusals.has(refusal)) this.#error('ticks_refused', refusal);
      this.#toldRefusals.add(refusal);
    }
    this.disk();
  }

  #info(text: string): void {
    this.#post({ type: 'log', level: 'info', text });
  }

  #warn(event: LogEvent, text: string): void {
    this.#post({ type: 'log', level: 'warn', event, text });
  }

  #error(event: LogEvent, text: string): void {
    this.#post({ type: 'log', level: 'error', event, text });
  }
}
