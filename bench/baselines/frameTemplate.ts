/** Digits that both stamps have throughout a run, so that every frame of an instrument has the same length. */
const sequenceDigits = 7;
const intendedDigits = 10;
export const firstSequence = 10 ** (sequenceDigits - 1);
/** Intended times begin here, in µs: a run may last until the next power of ten, two and a half hours later. */
export const firstIntendedUs = 10 ** (intendedDigits - 1);

interface Push {
  readonly action: string;
  readonly instrument_id: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** A market_data frame of the gateway as the fields that it is made of. */
export function parsePush(frame: string): Push {
  return JSON.parse(frame) as Push;
}

/** One instrument's frame as bytes in which only the two stamps change: what publish can do at best. */
export class FrameTemplate {
  readonly bytes: Buffer;
  readonly #sequenceAt: number;
  readonly #intendedAt: number;

  /** @param sample a market_data frame of the gateway, of any instrument */
  constructor(sample: string, instrument: string) {
    const push = parsePush(sample);
    const data = {
      ...push.data,
      instrument_id: instrument,
      volume: firstSequence,
      open_interest: firstIntendedUs,
    };
    this.bytes = Buffer.from(JSON.stringify({ ...push, instrument_id: instrument, data }));
    const volume = '"volume":';
    const interest = '"open_interest":';
    this.#sequenceAt = this.bytes.indexOf(`,${volume}`) + volume.length + 1;
    this.#intendedAt = this.bytes.indexOf(`,${interest}`) + interest.length + 1;
  }

  stamp(sequence: number, intendedUs: number): void {
    writeDigits(this.bytes, this.#sequenceAt, sequenceDigits, sequence);
    writeDigits(this.bytes, this.#intendedAt, intendedDigits, intendedUs);
  }
}

function writeDigits(bytes: Buffer, at: number, digits: number, value: number): void {
  let left = value;
  for (let place = at + digits - 1; place >= at; place--) {
    const rest = Math.floor(left / 10);
    bytes[place] = 48 + left - rest * 10;
    left = rest;
  }
}
