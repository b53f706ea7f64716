import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { allocateEventRing, EventReader } from '../../src/ring/eventRing.js';
import { loadRingHammer, type RingHammer } from '../native/ringHammer.js';

let hammer: RingHammer;
beforeAll(() => {
  hammer = loadRingHammer();
});

const frontConnected = 1;
const subscribeRefused = 7;

function push(
  ring: SharedArrayBuffer,
  code: number,
  critical: boolean,
  id = '',
  text = Buffer.alloc(1),
): number {
  const bytes = new Uint8Array(ring);
  const type = critical ? frontConnected : subscribeRefused;
  return hammer.pushEvent(bytes, bytes.length, type, code, id, text, critical ? 1 : 0);
}

describe('an event ring', () => {
  it('keeps order, drops what does not fit, keeps its reserve for critical events, and counts', () => {
    const step = fc.oneof(
      { weight: 3, arbitrary: fc.constant('ordinary' as const) },
      { weight: 1, arbitrary: fc.constant('critical' as const) },
      { weight: 2, arbitrary: fc.constant('take' as const) },
    );
    const firsts = fc.constantFrom(0, 2 ** 31 - 3, 2 ** 32 - 3);
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 3 }),
        fc.nat(),
        firsts,
        fc.array(step),
        (power, r, first, steps) => {
          const capacity = 2 ** power;
          const reserve = r % capacity;
          const ring = allocateEventRing(capacity, reserve, first);
          const reader = new EventReader(ring);
          const model: number[] = [];
          let code = 0;
          let ordinaryLost = 0;
          let criticalLost = 0;
          for (const kind of steps) {
            if (kind === 'take') {
              expect(reader.next()?.code).toBe(model.shift());
              continue;
            }
            const critical = kind === 'critical';
            const fits = model.length < (critical ? capacity : capacity - reserve);
            expect(push(ring, ++code, critical)).toBe(fits ? 1 : 0);
            if (fits) model.push(code);
            else if (critical) criticalLost++;
            else ordinaryLost++;
          }
          expect([reader.ordinaryLost, reader.criticalLost]).toEqual([ordinaryLost, criticalLost]);
          expect(reader.empty).toBe(model.length === 0);
          for (const left of model) expect(reader.next()?.code).toBe(left);
          expect(reader.next()).toBeUndefined();
        },
      ),
      { numRuns: 300 },
    );
  });

  it('reads texts as GB18030, also where they fill their field', () => {
    const ring = allocateEventRing(4, 1);
    const reader = new EventReader(ring);
    // "CTP:不合法的登录" as the vendor's library sends it.
    push(ring, 3, false, 'm2605-C-3000', Buffer.from('4354503ab2bbbacfb7a8b5c4b5c7c2bc00', 'hex'));
    push(ring, 3, false, 'x'.repeat(200), Buffer.alloc(200, 'y'));
    expect(reader.next()).toMatchObject({ instrumentId: 'm2605-C-3000', text: 'CTP:不合法的登录' });
    expect(reader.next()).toMatchObject({ instrumentId: 'x'.repeat(87), text: 'y'.repeat(87) });
  });

  it('refuses sizes and memory that make no ring', () => {
    expect(() => allocateEventRing(3, 1)).toThrow(RangeError);
    expect(() => allocateEventRing(8, 8)).toThrow(RangeError);
    expect(() => new EventReader(new SharedArrayBuffer(1024))).toThrow('not an event ring');
    expect(push(new SharedArrayBuffer(1024), 1, false)).toBe(-1);
  });
});
