import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Deliveries } from '../../src/server/socket/deliveries.js';

/** Writes a text of ASCII as a frame for so many clients. */
function frameOf(deliveries: Deliveries, text: string, clients: number): number {
  deliveries.reserve(text.length);
  const { memory, position } = deliveries;
  for (let i = 0; i < text.length; i++) memory[position + i] = text.charCodeAt(i);
  return deliveries.addFrame(position + text.length, clients);
}

function textOf(frame: Uint8Array | undefined): string | undefined {
  return frame === undefined ? undefined : Buffer.from(frame).toString('latin1');
}

describe('Deliveries', () => {
  it('give each client its frames in order, as they were written, anyone who comes and goes', () => {
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.record({ act: fc.constant('tick' as const), of: fc.nat(2 ** 8 - 1) }) },
      { weight: 6, arbitrary: fc.record({ act: fc.constant('take' as const), of: fc.nat(7) }) },
      { weight: 1, arbitrary: fc.record({ act: fc.constant('join' as const), of: fc.nat(7) }) },
      { weight: 1, arbitrary: fc.record({ act: fc.constant('leave' as const), of: fc.nat(7) }) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 400 }), fc.integer({ min: 1, max: 9000 }), (steps, longest) => {
        const deliveries = new Deliveries();
        // What each client has to come, by place; the number that it has at the time beside it.
        const clients = new Map<number, { number: number; due: string[] }>();
        let ticks = 0;
        for (const { act, of } of steps) {
          const client = clients.get(of);
          if (act === 'join' && client === undefined) {
            clients.set(of, { number: deliveries.addClient(), due: [] });
          } else if (act === 'leave' && client !== undefined) {
            deliveries.removeClient(client.number);
            clients.delete(of);
          } else if (act === 'take' && client !== undefined) {
            expect(deliveries.isEmpty(client.number)).toBe(client.due.length === 0);
            expect(textOf(deliveries.take(client.number))).toBe(client.due.shift());
          } else if (act === 'tick') {
            const members = [...clients].filter(([place]) => ((of >> place) & 1) === 1);
            if (members.length === 0) continue;
            const text = `${ticks++} `.padEnd(1 + ((ticks * 7919) % longest), '.');
            const frame = frameOf(deliveries, text, members.length);
            for (const [, { number, due }] of members) {
              deliveries.queue(frame, number);
              due.push(text);
            }
          }
        }
        const due = [...clients.values()].reduce((sum, each) => sum + each.due.length, 0);
        expect(deliveries.length).toBe(due);
        for (const { number, due: texts } of clients.values()) {
          for (const text of texts) expect(textOf(deliveries.take(number))).toBe(text);
          expect(deliveries.take(number)).toBeUndefined();
        }
      }),
    );
  });

  it('use their memory again', () => {
    const deliveries = new Deliveries();
    const clients = Array.from({ length: 200 }, () => deliveries.addClient());
    const pages = new Set<ArrayBufferLike>();
    for (let i = 0; i < 20_000; i++) {
      const frame = frameOf(deliveries, 'x'.repeat(600), clients.length);
      pages.add(deliveries.memory.buffer);
      for (const client of clients) deliveries.queue(frame, client);
      if (i % 300 === 299) for (const client of clients) while (deliveries.take(client) !== undefined);
    }
    expect(pages.size).toBeLessThan(10);
  });
});
