import { newestVerified } from '../helpers/generations.js';
import { expect } from 'vitest';
import { layouts, type AbiEvent, type AbiSession, type Fields, type Generation } from './abiClient.js';

export const absent = Number.MAX_VALUE;
export const utf8Of = (latin1: unknown): string =>
  new TextDecoder('gb18030').decode(Buffer.from(String(latin1), 'latin1'));

const dayPattern = /^20\d\d(0[1-9]|1[0-2])([0-2]\d|3[01])$/;
const timePattern = /^([01]\d|2[0-3]):[0-5]\d:[0-5]\d$/;

export interface Field {
  readonly name: string;
  readonly offset: number;
  readonly type: string;
}

/** The fields of a struct as a generation has it. */
export function fieldsOf(generation: Generation, struct: string): Field[] {
  const size = generation.sizes[struct]!;
  return layouts.structs[struct]!.flatMap((line) => {
    const [offset, type, name, range = '..'] = line.split(' ') as [string, string, string, string?];
    const [from, until] = range.split('..').map(Number) as [number, number];
    const missing = (from > 0 && size < from) || (until > 0 && size > until);
    return missing ? [] : [{ name, offset: Number(offset), type }];
  });
}

/** No callback so far came on a wrong thread, in a wrong slot, or with bytes that its struct does not have. */
export function expectCleanCallbacks(session: AbiSession): void {
  expect(session.events.flatMap((event) => event.problems ?? [])).toEqual([]);
  expect(session.callbacks('trap')).toEqual([]);
  expect(session.callbacks('heartbeat_warning')).toEqual([]);
}

/** HH:MM:SS as seconds of the day. */
const seconds = (time: unknown): number =>
  String(time)
    .split(':')
    .reduce((sum, part) => sum * 60 + Number(part), 0);

/** Every field of a login's answer. */
export function expectLogin(session: AbiSession, event: AbiEvent, again: boolean): void {
  const { generation } = session;
  const fields = event.fields!;
  expect(Object.keys(fields)).toEqual(fieldsOf(generation, 'login').map((field) => field.name));
  expect(event).toMatchObject({ request: 7, last: true, info: { ErrorID: 0, ErrorMsg: 'CTP:No Error' } });
  expect(fields).toMatchObject({
    BrokerID: '9999',
    UserID: 'gateway',
    SystemName: 'simulated exchange',
    MaxOrderRef: '1',
  });
  expect(fields['TradingDay']).toMatch(dayPattern);
  expect(fields['FrontID']).toBe(1);
  expect(fields['SessionID']).toBeGreaterThan(0);
  // The simulated exchanges' clocks are apart by whole seconds, so that no field can pass for its neighbour.
  const clocks = ['LoginTime', 'SHFETime', 'DCETime', 'CZCETime', 'FFEXTime', 'INETime', 'GFEXTime'];
  const apart = [0, 0, 1, 2, 3, 4, 5];
  clocks.forEach((name, i) => {
    if (!(name in fields)) return;
    expect(fields[name]).toMatch(timePattern);
    expect((seconds(fields[name]) - seconds(fields['LoginTime']) + 86_400) % 86_400, name).toBe(apart[i]);
  });
  if ('SysVersion' in fields) expect(fields['SysVersion']).toBe(`simulated back end ${newestVerified}`);
  if ('LoginDRIdentityID' in fields)
    expect(fields).toMatchObject({ LoginDRIdentityID: 1, UserDRIdentityID: 1 });
  if ('LastLoginTime' in fields) {
    expect(fields['LastLoginTime']).toMatch(again ? /^20\d{6}([01]\d|2[0-3]):[0-5]\d:[0-5]\d$/ : /^$/);
    expect(fields['ReserveInfo']).toBe('');
  }
}

/** Every field of a tick, as far as one tick can tell. */
export function expectTick(generation: Generation, id: string, fields: Fields): void {
  expect(Object.keys(fields)).toEqual(fieldsOf(generation, 'depth').map((field) => field.name));
  const value = (name: string): number => Number(fields[name]);
  const given = (...names: string[]): boolean => names.every((name) => value(name) !== absent);

  expect(fields['InstrumentID']).toBe(id);
  expect(fields).toMatchObject({ ExchangeID: '', ExchangeInstID: '' });
  expect(fields['TradingDay']).toMatch(dayPattern);
  if ('ActionDay' in fields) expect(fields['ActionDay']).toMatch(dayPattern);
  expect(fields['UpdateTime']).toMatch(timePattern);
  expect(value('UpdateMillisec')).toBeGreaterThanOrEqual(0);
  expect(value('UpdateMillisec')).toBeLessThan(1000);

  for (const name of [
    'PreSettlementPrice',
    'PreClosePrice',
    'PreOpenInterest',
    'UpperLimitPrice',
    'LowerLimitPrice',
  ])
    expect(value(name), name).toBeGreaterThan(0);
  expect(value('LowerLimitPrice')).toBeLessThan(value('PreSettlementPrice'));
  expect(value('UpperLimitPrice')).toBeGreaterThan(value('PreSettlementPrice'));
  expect(value('Volume')).toBeGreaterThanOrEqual(0);
  expect(value('OpenInterest')).toBeGreaterThan(0);
  for (const name of ['LastPrice', 'OpenPrice', 'HighestPrice', 'LowestPrice', 'BidPrice1', 'AskPrice1']) {
    if (!given(name)) continue;
    expect(value(name), name).toBeGreaterThanOrEqual(value('LowerLimitPrice'));
    expect(value(name), name).toBeLessThanOrEqual(value('UpperLimitPrice'));
  }
  if (given('LastPrice', 'HighestPrice', 'LowestPrice')) {
    expect(value('HighestPrice')).toBeGreaterThanOrEqual(value('LastPrice'));
    expect(value('LowestPrice')).toBeLessThanOrEqual(value('LastPrice'));
    expect(value('Turnover')).toBeGreaterThan(value('Volume'));
    expect(value('AveragePrice')).toBeGreaterThanOrEqual(value('LowestPrice'));
  }
  for (let level = 1; level <= 5; level++) {
    expect(value(`BidVolume${level}`)).toBeGreaterThanOrEqual(0);
    expect(value(`AskVolume${level}`)).toBeGreaterThanOrEqual(0);
    if (!given(`BidPrice${level}`)) expect(value(`BidVolume${level}`)).toBe(0);
    if (!given(`AskPrice${level}`)) expect(value(`AskVolume${level}`)).toBe(0);
    if (level === 1) continue;
    if (given(`BidPrice${level}`))
      expect(value(`BidPrice${level}`)).toBeLessThan(value(`BidPrice${level - 1}`));
    if (given(`AskPrice${level}`))
      expect(value(`AskPrice${level}`)).toBeGreaterThan(value(`AskPrice${level - 1}`));
  }
  if (given('BidPrice1', 'AskPrice1')) expect(value('AskPrice1')).toBeGreaterThan(value('BidPrice1'));
}
