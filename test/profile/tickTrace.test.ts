import { expect, it } from 'vitest';
import { TickTrace, type TickTraceReport } from '../../src/profile/tickTrace.js';
import { doubleWord, intWord, TickRecord } from '../../src/ring/tickRecord.js';

function follow(trace: TickTrace, each: TickRecord): void {
  trace.taken(each);
  trace.applied(each);
  trace.published(each);
}

function tick(slot: number, volume: number): TickRecord {
  const record = new TickRecord();
  record.i32[intWord.slot] = slot;
  record.i32[intWord.volume] = volume;
  record.f64[doubleWord.openInterest] = volume * 10;
  const receivedNs = BigInt(Date.now() - 1) * 1_000_000n;
  record.i32[intWord.receiveTimeLow] = Number(receivedNs & 0xffffffffn) | 0;
  record.i32[intWord.receiveTimeHigh] = Number(receivedNs >> 32n);
  return record;
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** What a recording finds of that which `work` does. */
async function recorded(trace: TickTrace, oneIn: number, work: () => void): Promise<TickTraceReport> {
  const stop = new AbortController();
  const report = trace.record(60, oneIn, stop.signal);
  work();
  await nextTurn();
  stop.abort();
  return report;
}

it('stamps a tick on its way, in order', async () => {
  const trace = new TickTrace((slot) => `id${slot}`);
  const { samples } = await recorded(trace, 1, () => {
    follow(trace, tick(3, 17));
    trace.batchEnd();
  });
  expect(samples).toHaveLength(1);
  const [instrument, volume, openInterest, ...times] = samples[0]!;
  expect([instrument, volume, openInterest]).toEqual(['id3', 17, 170]);
  expect(times).toHaveLength(7);
  expect(times).toEqual([...times].sort((a, b) => a - b));
});

it('does not follow a tick that the book skips', async () => {
  const trace = new TickTrace(String);
  const { samples } = await recorded(trace, 1, () => {
    trace.taken(tick(1, 1));
    trace.batchEnd();
    follow(trace, tick(2, 2));
    trace.batchEnd();
  });
  expect(samples.map(([instrument]) => instrument)).toEqual(['2']);
});

it('follows the tick that was taken, whatever else comes to the book in its batch', async () => {
  const trace = new TickTrace(String);
  const { samples } = await recorded(trace, 1, () => {
    const [heldBack, leftOut, next] = [tick(1, 1), tick(2, 2), tick(3, 3)] as const;
    trace.taken(leftOut);
    trace.applied(heldBack);
    trace.published(heldBack);
    follow(trace, next);
    trace.batchEnd();
  });
  expect(samples.map(([instrument]) => instrument)).toEqual(['3']);
});

it('follows about one in so many', async () => {
  const trace = new TickTrace(String);
  const { samples } = await recorded(trace, 10, () => {
    for (let i = 0; i < 10_000; i++) {
      follow(trace, tick(i % 7, i));
    }
    trace.batchEnd();
  });
  expect(samples.length).toBeGreaterThan(800);
  expect(samples.length).toBeLessThan(1200);
});

it('records nothing unasked, one recording at a time, and again each time', async () => {
  const trace = new TickTrace(String);
  follow(trace, tick(1, 1));
  trace.batchEnd();
  const first = await recorded(trace, 1, () => undefined);
  expect(first.samples).toEqual([]);
  const stop = new AbortController();
  const running = trace.record(60, 1, stop.signal);
  await expect(trace.record(1, 1, stop.signal)).rejects.toThrow('already');
  stop.abort();
  await running;
});
