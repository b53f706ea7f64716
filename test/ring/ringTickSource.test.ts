import { afterEach, describe, expect, it } from 'vitest';
import { RingTickSource } from '../../src/ring/ringTickSource.js';
import { allocateTickRing } from '../../src/ring/tickRing.js';
import { tickRecordBytes } from '../../src/ring/tickRecord.js';

const headerWords = 32;
const claimed = 16;
const head = 17;

/** Publishes records into a ring as the bridge would; `slot` is all that they hold. */
function write(ring: SharedArrayBuffer, count: number, slot: number): void {
  const words = new Int32Array(ring);
  const capacity = words[1]!;
  for (let i = 0; i < count; i++) {
    const n = words[head]!;
    Atomics.store(words, claimed, n + 1);
    const at = headerWords + ((n & (capacity - 1)) * tickRecordBytes) / 4;
    words[at] = n;
    words[at + 1] = slot;
    Atomics.store(words, head, n + 1);
  }
}

let source: RingTickSource;
afterEach(() => source.stop());

describe('RingTickSource', () => {
  it('lets no ring wait behind busier ones', async () => {
    const rings = Array.from({ length: 20 }, () => allocateTickRing(1024));
    source = new RingTickSource();
    rings.forEach((ring, index) => source.addRing(index, ring));
    const batches: Map<number, number>[] = [];
    let batch = new Map<number, number>();
    await new Promise<void>((resolve) => {
      source.start({
        onTick: ({ slot }) => batch.set(slot, (batch.get(slot) ?? 0) + 1),
        onBatchEnd: () => {
          batches.push(batch);
          batch = new Map();
          // Every ring is full again for the next turn.
          rings.forEach((ring, slot) => write(ring, 600, slot));
          if (batches.length === 12) resolve();
        },
      });
      rings.forEach((ring, slot) => write(ring, 600, slot));
      source.doorbell.ring();
    });
    const turns = rings.map((_, slot) => batches.filter((each) => each.has(slot)).length);
    expect(Math.max(...turns) - Math.min(...turns)).toBeLessThanOrEqual(1);
  });

  it('drains what is left, in order, and calls nobody after its stop', () => {
    const ring = allocateTickRing(1024);
    source = new RingTickSource();
    source.addRing(0, ring);
    const seen: number[] = [];
    source.start({ onTick: ({ slot }) => seen.push(slot), onBatchEnd: () => undefined });
    for (let slot = 0; slot < 5; slot++) write(ring, 1, slot);
    source.drain();
    expect(seen).toEqual([0, 1, 2, 3, 4]);
    source.stop();
    write(ring, 1, 9);
    source.drain();
    expect(seen).toHaveLength(5);
  });

  it('takes what waits at once when it is asked to, as one batch, and nothing from within the sink', () => {
    const ring = allocateTickRing(1024);
    source = new RingTickSource();
    source.addRing(0, ring);
    const calls: (number | 'end')[] = [];
    source.start({
      onTick: ({ slot }) => {
        calls.push(slot);
        source.takeWaiting();
      },
      onBatchEnd: () => {
        calls.push('end');
        source.takeWaiting();
      },
    });
    source.takeWaiting();
    expect(calls, 'without ticks there is no batch').toEqual([]);
    for (let slot = 0; slot < 3; slot++) write(ring, 1, slot);
    source.takeWaiting();
    expect(calls).toEqual([0, 1, 2, 'end']);
    write(ring, 1, 3);
    source.takeWaiting();
    expect(calls).toEqual([0, 1, 2, 'end', 3, 'end']);
  });
});
