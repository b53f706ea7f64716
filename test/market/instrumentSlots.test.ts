import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InstrumentDirectory } from '../../src/market/instruments/instrumentDirectory.js';
import { InstrumentSlots } from '../../src/market/instruments/instrumentSlots.js';
import { loadProducts } from '../../src/market/instruments/products.js';
import { SlotKeeper } from '../../src/app/slotKeeper.js';

const products = loadProducts();
const now = Date.parse('2026-03-02T02:00:00Z');
const strike = (i: number): string => `m2609-C-${2000 + i}`;
const nothing = (): void => undefined;

describe('InstrumentSlots', () => {
  it('give every user of a slot another tag, and know the tags of earlier users for what they are', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(9), { maxLength: 200, size: 'max' }), (choices) => {
        const slots = new InstrumentSlots(6);
        const users = new Map<number, number>();
        const outdated: number[] = [];
        for (const choice of choices) {
          const [slot] = [...users.keys()].slice(choice % 6);
          if (choice < 6 && slot !== undefined) {
            outdated.push(users.get(slot)!);
            users.delete(slot);
            slots.giveBack(slot);
          } else {
            const taken = slots.take();
            expect(taken === undefined).toBe(users.size === 6);
            if (taken === undefined) continue;
            expect(users.has(taken)).toBe(false);
            users.set(taken, slots.tagOf(taken));
          }
          expect(slots.used).toBe(users.size);
          for (const [each, tag] of users) expect(slots.slotOf(tag)).toBe(each);
          for (const tag of outdated) expect(slots.slotOf(tag)).toBe(-1);
        }
      }),
      { numRuns: 50 },
    );
  });

  it('have small tags for their first users, which fit a signed word for the last', () => {
    const slots = new InstrumentSlots(65_536);
    const slot = slots.take()!;
    expect(slots.tagOf(slot)).toBe(slot);
    for (let i = 0; i < 32_767; i++) slots.giveBack(slot);
    expect(slots.tagOf(slot)).toBe(0x7fff_0000);
    expect(slots.slotOf(slots.tagOf(slot))).toBe(slot);
  });
});

describe('InstrumentDirectory: slots', () => {
  const full = (): InstrumentDirectory =>
    new InstrumentDirectory({ products, maxInstruments: 40, now: () => now });
  const fill = (directory: InstrumentDirectory): number => {
    let count = 0;
    while (directory.resolve(strike(count)) !== undefined) count++;
    return count;
  };

  it('are taken back from what is of no use, whole and in parts', () => {
    const directory = full();
    expect(fill(directory)).toBe(30);
    expect(directory.lacksSlot(strike(30))).toBe(true);
    expect(directory.lacksSlot(strike(3))).toBe(false);
    expect(directory.lacksSlot('nonsense')).toBe(false);
    const freed: number[] = [];
    const kept = new Set([directory.find(strike(2))!.slot, directory.find(strike(20))!.slot]);
    for (let i = 0; i < 4; i++)
      directory.giveBack(
        10,
        (slot) => kept.has(slot),
        (slot) => freed.push(slot),
      );
    expect(freed).toHaveLength(28);
    expect(directory.slots).toEqual({ used: 2, free: 28, refused: 0 });
    expect(directory.find(strike(2))).toMatchObject({ id: strike(2) });
    expect(directory.find(strike(3))).toBeUndefined();
    expect(directory.find(`DCE.${strike(2)}`)).toBe(directory.find(strike(2)));
    expect(directory.find(`SHFE.${strike(2)}`)).toBeUndefined();
  });

  it('go to other instruments under another tag, and the earlier tag stands for nothing', () => {
    const directory = full();
    const first = directory.resolve(strike(0))!;
    const tag = directory.tagOf(first.slot);
    directory.giveBack(10, () => false, nothing);
    expect(directory.slotOf(tag)).toBe(-1);
    expect(directory.nameOf(first.slot)).toBe('');
    expect(() => directory.bySlot(first.slot)).toThrow(RangeError);
    const second = directory.resolve(strike(1))!;
    expect(second.slot).toBe(first.slot);
    expect(directory.bySlot(second.slot)).toBe(second);
    expect(directory.slotOf(tag)).toBe(-1);
    expect(directory.slotOf(directory.tagOf(second.slot))).toBe(second.slot);
    expect(directory.resolve(strike(0))!.slot, 'the first one is new again').not.toBe(first.slot);
  });

  it('are left for those who have few, by who has many; what is listed has slots of its own', () => {
    const directory = full();
    const take = (first: number): number => {
      let held = 0;
      while (directory.resolve(strike(first + held), held) !== undefined) held++;
      return held;
    };
    expect(take(0)).toBe(20);
    expect(take(100)).toBe(7);
    expect(take(200)).toBe(2);
    fill(directory);
    expect(directory.resolve(directory.list()[0]!)).toBeDefined();
  });
});

it('SlotKeeper says once that there are no slots left, and again after there were many', () => {
  const directory = new InstrumentDirectory({ products, maxInstruments: 40, now: () => now });
  const warnings: string[] = [];
  let inUse = true;
  const keeper = new SlotKeeper({
    directory,
    isInUse: () => inUse,
    onFreed: nothing,
    log: { warn: (_: unknown, text: string) => void warnings.push(text) } as never,
  });
  const fill = (): void => {
    for (let i = 0; i < 40; i++) if (directory.resolve(strike(i)) === undefined) directory.countRefused(1);
  };
  fill();
  for (let i = 0; i < 5; i++) {
    keeper.sweep(100);
    directory.countRefused(1);
  }
  expect(warnings).toEqual([expect.stringContaining('30 are kept, further ones are refused with no_slots')]);
  inUse = false;
  keeper.sweep(100);
  keeper.sweep(100);
  inUse = true;
  fill();
  keeper.sweep(100);
  expect(warnings).toHaveLength(2);
});
