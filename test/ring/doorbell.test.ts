import fc from 'fast-check';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Doorbell } from '../../src/ring/doorbell.js';
import { allocateTickRing, TickRingReader } from '../../src/ring/tickRing.js';
import { loadRingHammer, type RingHammer } from '../native/ringHammer.js';
import { until, untilCounted, untilIs } from '../helpers/until.js';

let hammer: RingHammer;
const bells: Doorbell[] = [];

function doorbell(): Doorbell {
  const bell = new Doorbell();
  bells.push(bell);
  return bell;
}

beforeAll(() => {
  hammer = loadRingHammer();
});
afterEach(() => {
  for (const bell of bells.splice(0)) bell.close();
});

function startHammer(
  ring: SharedArrayBuffer,
  bell: Doorbell,
  count: number,
  burst: number,
  pauseUs: number,
): void {
  const bytes = new Uint8Array(ring);
  const parked = new Int32Array(bell.handle.parked);
  expect(hammer.start(bytes, bytes.length, parked, bell.handle.eventFd, 0, count, burst, pauseUs)).toBe(0);
}

describe('a doorbell', () => {
  it('loses no wake-up, however writing and parking race', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(1, 2, 5, 30),
        fc.constantFrom(0, 1, 20, 200),
        fc.array(fc.boolean(), { minLength: 1, maxLength: 8 }),
        async (burst, pauseUs, yields) => {
          const count = 3000;
          const ring = allocateTickRing(4096);
          const reader = new TickRingReader(ring);
          const bell = doorbell();
          let read = 0;
          let parks = 0;
          const drain = async (): Promise<void> => {
            do {
              while (reader.next()) read++;
              // Sometimes a turn of the loop lies between the last look and the parking, sometimes none.
              if (yields[parks++ % yields.length]!) await turn();
            } while (!bell.park(() => !reader.pending));
          };
          bell.listen(() => void drain());
          await drain();
          startHammer(ring, bell, count, burst, pauseUs);
          await untilIs('all records read', () => read, count);
          expect(reader.missed).toBe(0);
          await untilIs('the writer has ended', () => hammer.running(), 0);
          bell.close();
        },
      ),
      { numRuns: 25 },
    );
  });

  it('loses no wake-up when each record comes while the reader is about to park', async () => {
    const count = 20_000;
    for (const maxSpin of [0, 10, 100, 1000]) {
      const ring = allocateTickRing(1024);
      const bytes = new Uint8Array(ring);
      const reader = new TickRingReader(ring);
      const bell = doorbell();
      const acks = new Int32Array(new SharedArrayBuffer(4));
      let read = 0;
      const drain = (): void => {
        do {
          while (reader.next()) Atomics.store(acks, 0, ++read);
          // The moment between the last look and the parking, made longer at times.
          for (let spin = (read * 7919) % 64; spin > 0; spin--) Atomics.load(acks, 0);
        } while (!bell.park(() => !reader.pending));
      };
      bell.listen(drain);
      drain();
      const parked = new Int32Array(bell.handle.parked);
      const fd = bell.handle.eventFd;
      expect(hammer.startReplies(bytes, bytes.length, parked, fd, acks, count, maxSpin)).toBe(0);
      try {
        await untilIs('all records read', () => read, count, 20_000);
      } finally {
        Atomics.store(acks, 0, -1);
        await untilIs('the writer has ended', () => hammer.running(), 0);
      }
      bell.close();
    }
  });

  it('does not wake a reader that is not parked', async () => {
    const ring = allocateTickRing(1024);
    const bell = doorbell();
    let wakeUps = 0;
    bell.listen(() => wakeUps++);
    startHammer(ring, bell, 100_000, 0, 0);
    await untilIs('the writer has ended', () => hammer.running(), 0);
    await turn();
    await turn();
    expect(wakeUps).toBe(0);
  });

  it('wakes a parked reader once for many records', async () => {
    const ring = allocateTickRing(1024);
    const reader = new TickRingReader(ring);
    const bell = doorbell();
    let wakeUps = 0;
    bell.listen(() => wakeUps++);
    expect(bell.park(() => !reader.pending)).toBe(true);
    startHammer(ring, bell, 1000, 0, 0);
    await until('woken', () => wakeUps > 0 && hammer.running() === 0);
    await turn();
    await turn();
    expect(wakeUps).toBe(1);
  });

  it('does not let a reader park that has something to read', async () => {
    const bell = doorbell();
    let wakeUps = 0;
    bell.listen(() => wakeUps++);
    expect(bell.park(() => false)).toBe(false);
    bell.ring();
    await turn();
    await turn();
    expect(wakeUps).toBe(0);
  });

  it('calls its listener as a task of its own, so that promises run at once', async () => {
    const bell = doorbell();
    const order: string[] = [];
    bell.listen(() => {
      void Promise.resolve().then(() => order.push('promise'));
      setImmediate(() => order.push('immediate'));
    });
    bell.park(() => true);
    bell.ring();
    await untilCounted('both ran', () => order.length, 2);
    expect(order).toEqual(['promise', 'immediate']);
  });

  it('is silent once it is closed, also for a wake-up that is already under way', async () => {
    const bell = doorbell();
    let wakeUps = 0;
    bell.listen(() => wakeUps++);
    bell.park(() => true);
    bell.ring();
    bell.close();
    bell.close();
    await turn();
    await turn();
    expect(wakeUps).toBe(0);
    expect(() => bell.listen(() => undefined)).toThrow('closed');
  });

  it('never writes to its descriptor after it was closed while writers continue', async () => {
    const ring = allocateTickRing(1024);
    for (let i = 0; i < 50; i++) {
      const bell = doorbell();
      startHammer(ring, bell, 20_000, 0, 0);
      for (let k = 0; k < 20; k++) bell.park(() => true);
      bell.close();
      // The next eventfd gets the same number; a stray write would wake its listener.
      const next = doorbell();
      expect(next.handle.eventFd).toBe(bell.handle.eventFd);
      let wakeUps = 0;
      next.listen(() => wakeUps++);
      await untilIs('the writer has ended', () => hammer.running(), 0);
      await turn();
      expect(wakeUps).toBe(0);
      next.close();
    }
  });
});
