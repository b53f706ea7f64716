import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { errorFrame } from '../../src/server/socket/frames.js';
import { parseInsList } from '../../src/server/socket/insList.js';
import { parseMessage, type ClientMessage } from '../../src/server/socket/clientMessages.js';

const parse = (value: unknown): ClientMessage => parseMessage(JSON.stringify(value));
function rejection(text: string): { side: string; code: string; message: string } {
  const message = parseMessage(text);
  if (message.kind !== 'rejected') throw new Error(`accepted as ${message.kind}`);
  return message.error;
}

describe('parseMessage', () => {
  it('reads every message of both protocols', () => {
    expect(parse({ aid: 'peek_message' })).toEqual({ kind: 'peek_message' });
    expect(parseMessage('{"aid": "peek_message"}')).toEqual({ kind: 'peek_message' });
    expect(parseMessage('{ "aid" : "peek_message" }')).toEqual({ kind: 'peek_message' });
    expect(parse({ aid: 'subscribe_quote', ins_list: 'a,b' })).toEqual({
      kind: 'subscribe_quote',
      insList: 'a,b',
    });
    expect(parse({ action: 'subscribe', instruments: ['rb2410'] })).toEqual({
      kind: 'subscribe',
      instruments: ['rb2410'],
      options: { fields: null, diff: false, view: 'plain' },
    });
    expect(parse({ action: 'subscribe', instruments: [], fields: ['volume'], diff: true })).toMatchObject({
      options: { fields: { key: 'volume' }, diff: true },
    });
    expect(parse({ action: 'unsubscribe', instruments: ['rb2410'] })).toEqual({
      kind: 'unsubscribe',
      instruments: ['rb2410'],
    });
    expect(parse({ action: 'list_instruments' })).toEqual({ kind: 'list_instruments', filter: {} });
    expect(parse({ action: 'list_instruments', search: 'rb', exchange: 'SHFE' })).toEqual({
      kind: 'list_instruments',
      filter: { search: 'rb', exchange: 'SHFE' },
    });
    expect(parse({ action: 'ping' })).toEqual({ kind: 'ping' });
  });

  it.each([
    ['{"action":"subscribe","instrments":["rb2701"]}', 'it has "instrments", did you mean instruments?'],
    ['{"action":"subscribe","Instruments":["rb2701"]}', 'it has "Instruments", did you mean instruments?'],
    ['{"action":"unsubscribe","instrument":"rb2701"}', 'it has "instrument", did you mean instruments?'],
    ['{"action":"subscribe","id":1}', 'not absent'],
    ['{"action":"subscribe","instruments":"rb2701","instrment":1}', 'not "rb2701"'],
    ['{"action":"heartbeat","intervall":5}', 'not absent; it has "intervall", did you mean interval?'],
    [
      '{"action":"subcribe","instruments":[]}',
      'unknown action "subcribe": did you mean subscribe? use subscribe, ',
    ],
    ['{"action":"PING"}', 'did you mean ping? use'],
    [
      '{"action":"fly"}',
      'unknown action "fly": use subscribe, unsubscribe, list_instruments, heartbeat or ping',
    ],
    [
      '{"aid":"peek_mesage"}',
      'did you mean peek_message? use subscribe_quote, peek_message, set_chart or ins_query',
    ],
    ['{"aid":"subscribe_quote","inslist":"rb2701"}', 'not absent; it has "inslist", did you mean ins_list?'],
    ['{"acton":"ping","id":3}', 'this one has neither; it has "acton", did you mean action?'],
    ['{"Aid":"peek_message"}', 'this one has neither; it has "Aid", did you mean aid?'],
    ['{"op":"ping"}', 'this one has neither'],
    ['{"id":3}', 'this one has neither'],
  ])('says of %s what may have been meant', (text, end) => {
    expect(rejection(text).message).toContain(end);
    if (!end.includes('mean')) expect(rejection(text).message.endsWith(end)).toBe(true);
  });

  it('ignores unknown keys', () => {
    expect(parse({ aid: 'peek_message', more: [1] })).toEqual({ kind: 'peek_message' });
    expect(parse({ action: 'ping', id: 7 })).toEqual({ kind: 'ping' });
  });

  it.each([
    ['', 'both', 'invalid_json'],
    ['{"aid":', 'both', 'invalid_json'],
    ['\u0000', 'both', 'invalid_json'],
    ['null', 'both', 'not_an_object'],
    ['[]', 'both', 'not_an_object'],
    ['"peek_message"', 'both', 'not_an_object'],
    ['{}', 'both', 'missing_kind'],
    ['{"__proto__":{"aid":"peek_message"}}', 'both', 'missing_kind'],
    ['{"aid":"peek_message","action":"ping"}', 'both', 'ambiguous_kind'],
    ['{"aid":"set_wings"}', 'aid', 'unknown_aid'],
    ['{"aid":null}', 'aid', 'unknown_aid'],
    ['{"aid":"toString"}', 'aid', 'unknown_aid'],
    ['{"aid":"subscribe_quote"}', 'aid', 'invalid_ins_list'],
    ['{"aid":"subscribe_quote","ins_list":["rb2410"]}', 'aid', 'invalid_ins_list'],
    ['{"action":"fly"}', 'action', 'unknown_action'],
    ['{"action":{}}', 'action', 'unknown_action'],
    ['{"action":"subscribe"}', 'action', 'invalid_instruments'],
    ['{"action":"subscribe","instruments":"rb2410"}', 'action', 'invalid_instruments'],
    ['{"action":"unsubscribe","instruments":[1]}', 'action', 'invalid_instruments'],
    ['{"action":"subscribe","instruments":[],"fields":"volume"}', 'action', 'invalid_fields'],
    ['{"action":"subscribe","instruments":[],"fields":[]}', 'action', 'invalid_fields'],
    ['{"action":"subscribe","instruments":[],"fields":["volum"]}', 'action', 'unknown_field'],
    ['{"action":"subscribe","instruments":[],"diff":1}', 'action', 'invalid_diff'],
    ['{"action":"list_instruments","search":1}', 'action', 'invalid_filter'],
    ['{"action":"list_instruments","exchange":[]}', 'action', 'invalid_filter'],
    ['{"action":"list_instruments","exchange":"shfe"}', 'action', 'unknown_exchange'],
    ['{"action":"list_instruments","exchange":""}', 'action', 'unknown_exchange'],
  ])('answers %j on the side %s with %s', (text, side, code) => {
    expect(rejection(text)).toMatchObject({ side, code });
  });

  it('names what is wrong', () => {
    expect(rejection('{"aid":"set_wings"}').message).toContain('"set_wings"');
    expect(rejection('{"aid":"subscribe_quote","ins_list":["a"]}').message).toMatch(
      /^ins_list must be a string such as "SHFE\.rb\d\d01,cu\d\d01", not a list$/,
    );
    expect(rejection('{"action":"subscribe","instruments":["a",1]}').message).toMatch(
      /^instruments must be a list of ids such as \["rb\d\d01","SHFE\.cu\d\d01"\], and entry 1 of this one is 1$/,
    );
    expect(rejection('{"action":"subscribe","instruments":"a"}').message).toMatch(/, not "a"$/);
    expect(rejection('{"action":"subscribe","instruments":[],"fields":[]}').message).toBe(
      'fields must be a list of field names, not an empty list',
    );
    expect(rejection('{"action":"list_instruments","exchange":"NYSE"}')).toMatchObject({
      message: 'unknown exchange "NYSE": there are SHFE, INE, DCE, CZCE, CFFEX, GFEX',
      details: { exchanges: ['SHFE', 'INE', 'DCE', 'CZCE', 'CFFEX', 'GFEX'] },
    });
    expect(rejection('{"action":"subscribe","instruments":[],"fields":["volum","x"]}')).toMatchObject({
      message: 'unknown fields: volum, x',
      details: {
        unknown: ['volum', 'x'],
        allowed: expect.arrayContaining(['volume', 'last_price']) as unknown,
      },
    });
  });

  it('survives nesting without end', () => {
    const deep = '['.repeat(500_000);
    expect(rejection(deep).code).toBe('invalid_json');
    expect(rejection(`{"aid":${deep}${']'.repeat(500_000)}}`).code).toBe('unknown_aid');
  });

  it('never throws, and every rejection makes a JSON frame', () => {
    const frames = fc.oneof(
      fc.string(),
      fc.json(),
      fc
        .record({ aid: fc.anything(), action: fc.anything(), ins_list: fc.anything() }, { requiredKeys: [] })
        .map((value) => JSON.stringify(value, (_, each: unknown) => (typeof each === 'bigint' ? 1 : each))),
      fc
        .record({
          action: fc.constantFrom('subscribe', 'unsubscribe', 'list_instruments'),
          instruments: fc.jsonValue(),
          fields: fc.jsonValue(),
          diff: fc.jsonValue(),
          flags: fc.jsonValue(),
          all: fc.jsonValue(),
          search: fc.jsonValue(),
        })
        .map((value) => JSON.stringify(value)),
    );
    fc.assert(
      fc.property(frames, (text) => {
        const message = parseMessage(text);
        if (message.kind !== 'rejected') return;
        const frame = errorFrame(message.error, message.isObject ? text : undefined);
        expect(JSON.parse(frame)).toMatchObject({ code: message.error.code });
      }),
    );
  });
});

describe('parseInsList', () => {
  it('takes lists of any length apart as one would at their commas', () => {
    const part = fc.constantFrom('', ' ', 'rb2410', ' SHFE.cu2406', 'm2409 ', 'x'.repeat(50));
    fc.assert(
      fc.property(fc.array(part, { maxLength: 5000 }), (parts) => {
        const keys = parts.map((each) => each.trim()).filter((each) => each !== '');
        expect(parseInsList(parts.join(','))).toEqual([...new Set(keys)]);
      }),
      { numRuns: 50 },
    );
  });

  it('tolerates blanks around commas, empty parts and repetitions', () => {
    expect(parseInsList(' SHFE.rb2410 ,, cu2406,\tcu2406 ,')).toEqual(['SHFE.rb2410', 'cu2406']);
    expect(parseInsList('')).toEqual([]);
    expect(parseInsList(' , ')).toEqual([]);
  });

  it('keeps the blank within a combination', () => {
    expect(parseInsList('SP a2405&a2409, m2409')).toEqual(['SP a2405&a2409', 'm2409']);
  });
});
