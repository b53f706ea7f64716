import type { Logger } from 'pino';
import type { InstrumentDirectory } from '../market/instruments/instrumentDirectory.js';
import { marked } from '../base/logEvents.js';

export interface SlotKeeperParts {
  readonly directory: Pick<InstrumentDirectory, 'giveBack' | 'slots'>;
  /** Whether somebody may still speak of the instrument, or something of it is kept. */
  readonly isInUse: (slot: number) => boolean;
  /** Forgets what is noted by slot. */
  readonly onFreed: (slot: number) => void;
  readonly log: Pick<Logger, 'warn'>;
}

/** Takes slots back that nobody needs, and says once that there are none left. */
export class SlotKeeper {
  readonly #options: SlotKeeperParts;
  #refusedBefore = 0;
  #hasWarned = false;

  constructor(options: SlotKeeperParts) {
    this.#options = options;
  }

  /** To be called about once a second. @param most slots to look at, in turn */
  sweep(most: number): void {
    const { directory, isInUse, onFreed, log } = this.#options;
    directory.giveBack(most, isInUse, onFreed);
    const { used, free, refused } = directory.slots;
    const isRefusing = refused > this.#refusedBefore;
    this.#refusedBefore = refused;
    if (isRefusing && !this.#hasWarned) {
      this.#hasWarned = true;
      log.warn(
        marked('no_slots', { used, free }),
        `clients ask for more instruments that are not listed than the gateway keeps: ${used} are kept, further ones are refused with no_slots`,
      );
    }
    // There is room again: the next time is news.
    if (!isRefusing && free > used) this.#hasWarned = false;
  }
}
