import { expect, it } from 'vitest';
import { ConnectionRecord } from '../../src/coordinator/assignment/connectionRecord.js';
import { newWant, type Want } from '../../src/coordinator/assignment/want.js';
import { LineTable } from '../../src/coordinator/assignment/lineTable.js';
import { Shortage } from '../../src/coordinator/assignment/shortage.js';
import { Standing } from '../../src/coordinator/assignment/standing.js';
import { keyOf, plan } from './world.js';

let looks = 0;

/** Of connections; counts how often somebody looks into it. */
class Refusers extends Set<ConnectionRecord> {
  override has(connection: ConnectionRecord): boolean {
    looks++;
    return super.has(connection);
  }
}

it('thousands that wait for what others want more are not compared with each of them', () => {
  const many = 2_000;
  const table = new LineTable(() => 0);
  const added: number[] = [];
  const shortage = new Shortage(
    table,
    ({ slot }) => void added.push(slot),
    () => undefined,
  );
  const connection = new ConnectionRecord(0, plan('full', { maxSubscriptions: many }), 0);
  connection.takeState('logged_in', '', 0);
  const want = (slot: number, sessions: number): Want => {
    const made = newWant(slot, keyOf(slot), sessions, false);
    made.refusedBy = new Refusers();
    table.wants.set(slot, made);
    return made;
  };
  for (let slot = 0; slot < many; slot++) {
    const carried = want(slot, 3);
    table.add(carried, connection);
    table.setState(carried.lines[0]!, 'active');
    carried.standing = Standing.ticked;
  }
  for (let slot = many; slot < 2 * many; slot++) {
    shortage.note(want(slot, 1), 0, 1);
  }
  const most = want(2 * many, 6);
  most.standing = Standing.ticked;
  shortage.note(most, 0, 1);
  shortage.makeRoom(true, 0, 0);
  expect(added).toEqual([2 * many]);
  expect(looks).toBeLessThan(10);
});
