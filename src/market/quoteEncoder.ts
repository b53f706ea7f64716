import type { InstrumentDirectory } from './instrumentDirectory.js';
import type { QuoteBook } from './quoteBook.js';
import { ClockText } from './clockText.js';
import { F, fieldCount, quoteFields } from './quoteFields.js';

/** 0: under the bare id, 1: under `EXCHANGE.id`. */
export type KeyForm = 0 | 1;

/** What a member shows of the book field that it is made from. */
type Rendering = 'number' | 'day' | 'datetime' | 'update_time' | 'update_millisec' | 'instrument_id';

interface Member {
  readonly name: string;
  /** `,"name":` */
  readonly lead: string;
  /** Book field whose change sends the member; -1 for the instrument's id. */
  readonly field: number;
  readonly rendering: Rendering;
  readonly documented: boolean;
}

/** A choice of members for action pushes. Equal choices have equal keys. */
export interface FieldSet {
  readonly key: string;
  readonly members: readonly Member[];
}

const cachedDiffsPerSlot = 16;

function member(name: string, field: number, rendering: Rendering, documented = true): Member {
  return { name, lead: `,"${name}":`, field, rendering, documented };
}

const timeMembers: readonly Member[] = [
  member('datetime', F.timestamp, 'datetime'),
  member('update_time', F.timestamp, 'update_time'),
  member('update_millisec', F.timestamp, 'update_millisec'),
  member('timestamp', F.timestamp, 'number'),
  member('trading_day', F.tradingDay, 'day'),
];
const isTime = (field: number): boolean => field === F.timestamp || field === F.tradingDay;

const aidMembers: readonly Member[] = [
  ...timeMembers,
  ...quoteFields.flatMap((field, index) =>
    isTime(index) ? [] : field.aid.map((name) => member(name, index, 'number')),
  ),
];

const actionMembers: readonly Member[] = [
  member('instrument_id', -1, 'instrument_id'),
  ...timeMembers,
  ...quoteFields.flatMap((field, index) =>
    isTime(index) ? [] : [member(field.name, index, 'number', field.documented)],
  ),
];

/** The names that `fields` of an action subscribe may hold. */
export const actionFieldNames: readonly string[] = actionMembers.map((each) => each.name);

const documentedFields: FieldSet = { key: '', members: actionMembers.filter((each) => each.documented) };

/** Turns names into a field set, in the documented order and without repetition; or says which are unknown. */
export function parseFieldSet(names: readonly string[]): { set: FieldSet } | { unknown: string[] } {
  const unknown = names.filter((name) => !actionFieldNames.includes(name));
  if (unknown.length > 0) return { unknown };
  const members = actionMembers.filter((each) => names.includes(each.name));
  return { set: { key: members.map((each) => each.name).join(','), members } };
}

/** What has been encoded of one instrument. */
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
 * JSON text of quotes. The text of a number is kept until the field changes, and a diff until the instrument ticks,
 * so clients in step share all work but the joining of fragments.
 */
export class QuoteEncoder {
  readonly #book: QuoteBook;
  readonly #directory: InstrumentDirectory;
  readonly #clock = new ClockText();
  readonly #slots: SlotTexts[] = [];

  constructor(book: QuoteBook, directory: InstrumentDirectory) {
    this.#book = book;
    this.#directory = directory;
  }

  /**
   * `"key":{…}` with every field that changed after `fromVersion`; '' when nothing did. From version 0 it is a full
   * snapshot of what was ever set, with the instrument's own data. Absent values are `"-"`, the only mark that
   * both of TqSdk's clients take as "no longer a number".
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

  /** A market_data frame with all of `fields` (null: the documented ones). Absent values are null. */
  actionFrame(slot: number, form: KeyForm, fields: FieldSet | null): string {
    return this.#actionFrame(slot, -1, form, fields ?? documentedFields);
  }

  /** A market_data frame with those of `fields` that changed after `fromVersion`; '' when none did. */
  actionDiffFrame(slot: number, fromVersion: number, form: KeyForm, fields: FieldSet | null): string {
    return this.#actionFrame(slot, fromVersion, form, fields ?? documentedFields);
  }

  #encodeAid(slot: number, fromVersion: number, form: KeyForm): string {
    const { key, id, staticJson } = this.#directory.bySlot(slot);
    let members = '';
    if (fromVersion === 0) {
      members = `,"instrument_id":"${key}"`;
      if (staticJson !== '') members += `,${staticJson}`;
    }
    for (const each of aidMembers) {
      if (this.#book.changedAt(slot, each.field) > fromVersion)
        members += each.lead + this.#text(slot, each, '"-"');
    }
    return `"${form === 1 ? key : id}":{${members.slice(1)}}`;
  }

  #actionFrame(slot: number, fromVersion: number, form: KeyForm, fields: FieldSet): string {
    const instrument = this.#directory.bySlot(slot);
    const id = form === 1 ? instrument.key : instrument.id;
    let members = '';
    for (const each of fields.members) {
      if (each.field < 0) {
        if (fromVersion <= 0) members += `${each.lead}"${id}"`;
      } else if (fromVersion < 0 || this.#book.changedAt(slot, each.field) > fromVersion) {
        members += each.lead + this.#text(slot, each, 'null');
      }
    }
    if (members === '') return '';
    return `{"action":"market_data","instrument_id":"${id}","data":{${members.slice(1)}}}`;
  }

  #text(slot: number, { field, rendering }: Member, absent: string): string {
    const value = this.#book.value(slot, field);
    if (Number.isNaN(value)) return absent;
    switch (rendering) {
      case 'datetime':
        return this.#clock.dateTime(value);
      case 'update_time':
        return this.#clock.timeOfDay(value);
      case 'update_millisec':
        return String(value % 1000);
      case 'day':
        return `"${value}"`;
      default:
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
    while (this.#slots.length <= slot) this.#slots.push(new SlotTexts());
    return this.#slots[slot]!;
  }
}
