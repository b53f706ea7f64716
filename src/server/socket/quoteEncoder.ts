import type { InstrumentDirectory } from '../../market/instruments/instrumentDirectory.js';
import type { QuoteBook } from '../../market/quotes/quoteBook.js';
import { ClockText } from '../../base/shanghaiText.js';
import { asciiBytes, putBytes, putNumber, putText } from '../../base/jsonBytes.js';
import { lotTerms } from '../../market/instruments/instrumentFile.js';
import { Field, fieldCount, quoteFields } from '../../market/quotes/quoteFields.js';
import { flagNames } from '../../market/quotes/tickFlags.js';
import type { FieldSet, KeyForm, Member, Rendering, TickView } from '../shared/pushOptions.js';

const cachedDiffsPerSlot = 16;

const pushHead = asciiBytes('{"action":"market_data","instrument_id":"');
const dataHead = asciiBytes('","data":');
const pushTail = asciiBytes('}}');
const quote = asciiBytes('"');
const nullText = asciiBytes('null');
const comma = asciiBytes(',');
const flagsHead = asciiBytes(',"flags":[');
const flagsTail = asciiBytes(']');
const quotedFlags = flagNames.map((name) => asciiBytes(`"${name}"`));
const rejectionHead = asciiBytes(',"left_out":');
const openBrace = 0x7b;
function member(name: string, field: number, rendering: Rendering, documented = true): Member {
  const lead = `,"${name}":`;
  return { name, lead, leadBytes: asciiBytes(lead), field, rendering, documented };
}

const timeMembers: readonly Member[] = [
  member('datetime', Field.timestamp, 'datetime'),
  member('update_time', Field.timestamp, 'update_time'),
  member('update_millisec', Field.timestamp, 'update_millisec'),
  member('timestamp', Field.timestamp, 'number'),
  member('trading_day', Field.tradingDay, 'day'),
];

const aidMembers: readonly Member[] = [
  ...timeMembers,
  ...quoteFields.flatMap((field, index) =>
    field.kind === 'time' ? [] : field.aid.map((name) => member(name, index, 'number')),
  ),
];

const actionMembers: readonly Member[] = [
  member('instrument_id', -1, 'instrument_id'),
  ...timeMembers,
  ...quoteFields.flatMap((field, index) =>
    field.kind === 'time' ? [] : [member(field.name, index, 'number', field.documented)],
  ),
];

/** The names that `fields` of an action subscribe may hold. */
export const actionFieldNames: readonly string[] = actionMembers.map((each) => each.name);

/** `EXCHANGE.id`, in quotes; a value, of which a time is the longest: "2024-04-11 09:30:00.500". */
const longestId = 98;
const longestValue = 40;

/** No action frame has more bytes: all members there are, all flags, and the longest id. */
export const longestFrame =
  pushHead.length +
  longestId +
  dataHead.length +
  actionMembers.reduce(
    (sum, { leadBytes, field }) => sum + leadBytes.length + (field < 0 ? longestId : longestValue),
    0,
  ) +
  flagsHead.length +
  quotedFlags.reduce((sum, flag) => sum + flag.length + comma.length, 0) +
  flagsTail.length +
  rejectionHead.length +
  longestValue +
  pushTail.length;

const documentedFields: FieldSet = { key: '', members: actionMembers.filter((each) => each.documented) };

/** Turns names into a field set, in the documented order and without repetition; or says which are unknown. */
export function parseFieldSet(names: readonly string[]): { set: FieldSet } | { unknown: string[] } {
  const unknown = names.filter((name) => !actionFieldNames.includes(name));
  if (unknown.length > 0) return { unknown };
  const members = actionMembers.filter((each) => names.includes(each.name));
  return { set: { key: members.map((each) => each.name).join(','), members } };
}

/** Texts that were encoded of one instrument for the aid side. */
class SlotTexts {
  /** Text of each field's number, and the version at which it was made. */
  readonly numbers = new Array<string>(fieldCount).fill('');
  readonly numberVersions = new Uint32Array(fieldCount);
  /** Diffs to `diffVersion`, by 2 × from-version + form. */
  diffVersion = 0;
  readonly diffKeys: number[] = [];
  readonly diffs: string[] = [];
  nextDiff = 0;
}

/**
 * JSON of quotes. Aid answers are joined from texts: that of a number is kept until the field changes, and a diff until
 * the instrument ticks, so clients in step share all work but the joining. Action frames are made once for all who get
 * them, as bytes, from the book alone.
 */
export class QuoteEncoder {
  readonly #book: QuoteBook;
  readonly #directory: InstrumentDirectory;
  readonly #clock = new ClockText();
  readonly #slots: (SlotTexts | undefined)[] = [];

  constructor(book: QuoteBook, directory: InstrumentDirectory) {
    this.#book = book;
    this.#directory = directory;
  }

  /**
   * `"key":{…}` with every field that changed after `fromVersion`; '' when none did. From version 0 it is a full
   * snapshot of all fields, with the instrument's own data: a client that connects again still holds what another
   * gateway told it. Absent values are `"-"`, the only mark that both of TqSdk's clients take as "no longer a number".
   */
  aidQuote(slot: number, fromVersion: number, form: KeyForm): string {
    const version = this.#book.version(slot);
    if (version <= fromVersion) return '';
    const texts = this.#textsOf(slot);
    if (texts.diffVersion !== version) {
      texts.diffVersion = version;
      texts.diffKeys.length = 0;
      texts.diffs.length = 0;
      texts.nextDiff = 0;
    }
    const key = fromVersion * 2 + form;
    const cached = texts.diffKeys.indexOf(key);
    if (cached >= 0) return texts.diffs[cached]!;
    const text = this.#encodeAid(slot, fromVersion, form);
    texts.diffKeys[texts.nextDiff] = key;
    texts.diffs[texts.nextDiff] = text;
    texts.nextDiff = (texts.nextDiff + 1) % cachedDiffsPerSlot;
    return text;
  }

  /**
   * Writes a market_data frame with all of `fields` (null: the documented ones) into memory that has room for
   * `longestFrame` bytes; its end. Absent values are null.
   */
  actionFrame(
    into: Uint8Array,
    at: number,
    slot: number,
    form: KeyForm,
    fields: FieldSet | null,
    view: TickView = 'plain',
  ): number {
    return this.#putAction(into, at, slot, -1, form, fields ?? documentedFields, view);
  }

  /** Writes a market_data frame of the tick that the book has just rejected, in the view `all`; its end. */
  rejectedFrame(into: Uint8Array, at: number, slot: number, form: KeyForm, fields: FieldSet | null): number {
    const { members } = fields ?? documentedFields;
    const start = this.#putHead(into, at, slot, form);
    let end = start;
    for (const each of members) {
      end = putBytes(into, end, each.leadBytes);
      if (each.field < 0) end = this.#putId(into, end, slot, form);
      else end = this.#putValue(into, end, each.rendering, this.#book.rejectedValue(each.field));
    }
    end = this.#putFlags(into, end, this.#book.rejectedFlags);
    end = putBytes(into, end, rejectionHead);
    end = putBytes(into, putText(into, putBytes(into, end, quote), this.#book.rejection), quote);
    into[start] = openBrace;
    return putBytes(into, end, pushTail);
  }

  /** Writes a market_data frame with only those of `fields` that changed after `fromVersion`; its end, `at` when none did. */
  actionDiffFrame(
    into: Uint8Array,
    at: number,
    slot: number,
    fromVersion: number,
    form: KeyForm,
    fields: FieldSet | null,
    view: TickView = 'plain',
  ): number {
    return this.#putAction(into, at, slot, fromVersion, form, fields ?? documentedFields, view);
  }

  #encodeAid(slot: number, fromVersion: number, form: KeyForm): string {
    const { key, id, staticJson } = this.#directory.bySlot(slot);
    let members = '';
    if (fromVersion === 0) {
      members = `,"instrument_id":"${key}"`;
      if (staticJson !== '') members += `,${staticJson}`;
    }
    for (const each of aidMembers) {
      if (fromVersion === 0 || this.#book.changedAt(slot, each.field) > fromVersion)
        members += each.lead + this.#text(slot, each, '"-"');
    }
    if (fromVersion === 0 || this.#book.changedAt(slot, Field.preSettlement) > fromVersion)
      members += this.#lotMembers(slot);
    if (members === '') return '';
    return `"${form === 1 ? key : id}":{${members.slice(1)}}`;
  }

  /** Members for simulated accounts, by the last settlement price; empty if it is unknown. */
  #lotMembers(slot: number): string {
    const { product, multiplier, class: kind } = this.#directory.bySlot(slot);
    const price = this.#book.value(slot, Field.preSettlement);
    if (product === undefined || kind !== 'FUTURE' || Number.isNaN(price)) return '';
    const { margin, commission } = lotTerms(product, multiplier, price);
    return `,"margin":${margin},"commission":${commission}`;
  }

  #putAction(
    into: Uint8Array,
    begin: number,
    slot: number,
    fromVersion: number,
    form: KeyForm,
    { members }: FieldSet,
    view: TickView,
  ): number {
    const book = this.#book;
    const start = this.#putHead(into, begin, slot, form);
    let at = start;
    for (const each of members) {
      const { field } = each;
      if (field < 0) {
        if (fromVersion > 0) continue;
        at = this.#putId(into, putBytes(into, at, each.leadBytes), slot, form);
      } else if (fromVersion < 0 || book.changedAt(slot, field) > fromVersion) {
        at = putBytes(into, at, each.leadBytes);
        at = this.#putValue(into, at, each.rendering, book.value(slot, field));
      }
    }
    if (view !== 'plain' && (at > start || book.flagsChangedAt(slot) > fromVersion)) {
      at = this.#putFlags(into, at, book.flags(slot));
      if (view === 'all') at = putBytes(into, putBytes(into, at, rejectionHead), nullText);
    }
    if (at === start) return begin;
    // In place of the first member's comma.
    into[start] = openBrace;
    return putBytes(into, at, pushTail);
  }

  #putHead(into: Uint8Array, at: number, slot: number, form: KeyForm): number {
    return putBytes(into, putText(into, putBytes(into, at, pushHead), this.#idOf(slot, form)), dataHead);
  }

  #putId(into: Uint8Array, at: number, slot: number, form: KeyForm): number {
    return putBytes(into, putText(into, putBytes(into, at, quote), this.#idOf(slot, form)), quote);
  }

  #idOf(slot: number, form: KeyForm): string {
    const { id, key } = this.#directory.bySlot(slot);
    return form === 1 ? key : id;
  }

  #putFlags(into: Uint8Array, begin: number, flags: number): number {
    let at = putBytes(into, begin, flagsHead);
    let isFirst = true;
    for (let bit = 0; bit < quotedFlags.length; bit++) {
      if ((flags & (1 << bit)) === 0) continue;
      if (!isFirst) at = putBytes(into, at, comma);
      isFirst = false;
      at = putBytes(into, at, quotedFlags[bit]!);
    }
    return putBytes(into, at, flagsTail);
  }

  #putValue(into: Uint8Array, at: number, rendering: Rendering, value: number): number {
    if (Number.isNaN(value)) return putBytes(into, at, nullText);
    switch (rendering) {
      case 'number':
        return putNumber(into, at, value);
      case 'update_millisec':
        return putNumber(into, at, value % 1000);
      case 'datetime':
        return putText(into, at, this.#clock.dateTime(value));
      case 'update_time':
        return putText(into, at, this.#clock.timeOfDay(value));
      case 'day':
      case 'instrument_id':
        return putBytes(into, putNumber(into, putBytes(into, at, quote), value), quote);
    }
  }

  #text(slot: number, { field, rendering }: Member, absent: string): string {
    const value = this.#book.value(slot, field);
    if (Number.isNaN(value)) return absent;
    switch (rendering) {
      case 'datetime':
        return this.#clock.microDateTime(value);
      case 'update_time':
        return this.#clock.timeOfDay(value);
      case 'update_millisec':
        return String(value % 1000);
      case 'day':
        return `"${value}"`;
      case 'number':
      case 'instrument_id':
        return this.#number(slot, field, value);
    }
  }

  #number(slot: number, field: number, value: number): string {
    const texts = this.#textsOf(slot);
    const version = this.#book.changedAt(slot, field);
    if (texts.numberVersions[field] !== version) {
      texts.numberVersions[field] = version;
      // Every finite double prints with just the digits that identify it, so no decimal is lost.
      texts.numbers[field] = String(value);
    }
    return texts.numbers[field]!;
  }

  #textsOf(slot: number): SlotTexts {
    // Some hundred bytes each: only for what ticks.
    while (this.#slots.length < slot) this.#slots.push(undefined);
    return (this.#slots[slot] ??= new SlotTexts());
  }
}
