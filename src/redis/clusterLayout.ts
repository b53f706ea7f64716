import { slotCount } from './clusterSlot.js';

const malformed = 'its answer to CLUSTER SLOTS is malformed';
const incomplete = 'it does not know a master of every slot';

/**
 * Who has which slot, from a server's answer to CLUSTER SLOTS: `[[first, last, [host, port, …], …], …]`.
 *
 * @param asked host of the server that has answered: the one that is meant where none is named
 * @returns address of each slot's master, or why there is none: a server that was just started, or is cut off from the
 *   others, knows of nobody; and what answers may be no server of a cluster at all
 */
export function clusterLayout(answer: unknown, asked: string): readonly string[] | string {
  if (!Array.isArray(answer)) return malformed;
  const slots = new Array<string>(slotCount).fill('');
  for (const range of answer as unknown[]) {
    const [first, last, master] = asArray(range);
    const [host, port] = asArray(master);
    if (!isWithin(first, 0, slotCount - 1) || !isWithin(last, first, slotCount - 1)) return malformed;
    if (!isWithin(port, 1, 65_535) || !(host === null || typeof host === 'string')) return malformed;
    slots.fill(
      `${host === null || host === '' || host === unknownHost ? asked : host}:${port}`,
      first,
      last + 1,
    );
  }
  return slots.includes('') ? incomplete : slots;
}

/** A server that is to be known by its name, and has none. */
const unknownHost = '?';

function asArray(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : [];
}

function isWithin(value: unknown, least: number, most: number): value is number {
  return Number.isInteger(value) && (value as number) >= least && (value as number) <= most;
}
