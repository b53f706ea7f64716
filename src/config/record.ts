import convict from 'convict';
import type { Option, OptionTable, Values } from './options.js';
import { namesSecret, displayValue } from './displayValue.js';
import { shownKey, UnknownKeys } from './unknownKey.js';

/** Values by dotted path, as one source (file, environment, command line) gives them. */
export type Layer = ReadonlyMap<string, unknown>;

export interface ValueFault {
  /** Dotted path of the key. */
  readonly path: string;
  /** Ends the sentence "<path>: …". */
  readonly text: string;
}

interface SchemaNode {
  [key: string]: SchemaNode | convict.SchemaObj<unknown>;
}

/** True for a JSON object: neither list nor null. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function refusal(path: string, option: Option<unknown>, value: unknown): ValueFault {
  const blamed = option.format.blame?.(value);
  if (blamed !== undefined)
    return {
      path: `${path}[${blamed.index}]`,
      text: `must be ${blamed.allowed}, not ${displayValue(blamed.value)}${blamed.problem === undefined ? '' : `: ${blamed.problem}`}`,
    };
  const seen = option.secret === true ? 'the given value (not shown)' : displayValue(value);
  return { path, text: `must be ${option.format.allowed}, not ${seen}` };
}

/** convict's schema of a table. Every format is our own: convict's turn "12abc" into 12 and "no" into true. */
function schemaOf(table: OptionTable): SchemaNode {
  const schema: SchemaNode = {};
  for (const [path, option] of Object.entries(table)) {
    convict.addFormat({
      name: option.format.name,
      validate: (value: unknown) => {
        if (!option.format.accepts(value)) throw new Error('refused');
      },
    });
    const [section, key] = path.includes('.') ? path.split('.') : [undefined, path];
    const node = section === undefined ? schema : ((schema[section] ??= {}) as SchemaNode);
    node[key] = {
      default: option.default ?? null,
      format: option.format.name,
      nullable: true,
      doc: option.doc,
    };
  }
  return schema;
}

/** Sections of a table: the first parts of its two-part paths. */
function sectionsOf(table: OptionTable): ReadonlySet<string> {
  return new Set(Object.keys(table).flatMap((path) => (path.includes('.') ? [path.split('.')[0]!] : [])));
}

function unknownKey(
  path: string,
  value: unknown,
  siblings: UnknownKeys,
  { table, showUnknown }: { readonly table: OptionTable; readonly showUnknown: boolean },
): string {
  const prefix = path.slice(0, path.lastIndexOf('.') + 1);
  const near = siblings.near(path.slice(prefix.length));
  const secret = namesSecret(path) || (near !== undefined && table[prefix + near]?.secret === true);
  const allowed = near === undefined ? siblings.allowed : `did you mean ${prefix}${near}?`;
  return `unknown key${secret || !showUnknown ? '' : ` with the value ${displayValue(value)}`}, ${allowed}`;
}

/**
 * Flattens a record of the file into a layer. What does not fit the table's shape (unknown keys, null, a section
 * that is no object) becomes a fault, since convict either passes it or fails on it. Values of unknown keys are not
 * shown where `showUnknown` is false: beside a password any of them may be one.
 */
export function flattenRecord(
  record: Readonly<Record<string, unknown>>,
  table: OptionTable,
  showUnknown = true,
): { layer: Map<string, unknown>; faults: ValueFault[] } {
  const layer = new Map<string, unknown>();
  const faults: ValueFault[] = [];
  const sections = sectionsOf(table);
  const visit = (members: Readonly<Record<string, unknown>>, prefix: string): void => {
    const siblings = Object.keys(table)
      .filter((path) => path.startsWith(prefix))
      .map((path) => path.slice(prefix.length).split('.')[0]!);
    const unknown = new UnknownKeys([...new Set(siblings)], 'docs/configuration.md lists all settings');
    for (const [key, value] of Object.entries(members)) {
      const path = prefix + key;
      if (prefix === '' && sections.has(key)) {
        if (isRecord(value)) visit(value, `${key}.`);
        else faults.push({ path, text: `must be an object, not ${displayValue(value)}` });
      } else if (key.includes('.') || !Object.hasOwn(table, path)) {
        faults.push({ path: shownKey(path), text: unknownKey(path, value, unknown, { table, showUnknown }) });
      } else layer.set(path, value);
    }
  };
  visit(record, '');
  return { layer, faults };
}

/** Checks one layer with convict: every value that its option refuses gives one fault. */
export function checkLayer(layer: Layer, table: OptionTable): ValueFault[] {
  const faults: ValueFault[] = [];
  const config = convict<Record<string, unknown>>(schemaOf(table), {
    env: {},
    args: [],
  });
  for (const [path, value] of layer) {
    // convict would take an object for a section of its own, and lets null pass where a key is optional.
    if (typeof value === 'object' && !Array.isArray(value)) faults.push(refusal(path, table[path]!, value));
    else config.set(path, value);
  }
  try {
    config.validate({ allowed: 'strict' });
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    for (const line of error.message.split('\n')) {
      const path = line.slice(0, line.indexOf(':'));
      const option = table[path];
      if (option === undefined) throw new Error(`convict said: ${line}`, { cause: error });
      faults.push(refusal(path, option, layer.get(path)));
    }
  }
  return faults;
}

/** Lays checked layers over the defaults; the last layer wins. Keys without default and value give faults. */
export function merge<Table extends OptionTable>(
  table: Table,
  layers: readonly Layer[],
): { values: Values<Table>; missing: ValueFault[] } {
  const missing: ValueFault[] = [];
  const entries = Object.entries(table).map(([path, option]) => {
    const value = layers.findLast((layer) => layer.has(path))?.get(path) ?? option.default;
    if (value === undefined) missing.push({ path, text: `is missing, must be ${option.format.allowed}` });
    return [path, value === undefined ? undefined : option.format.normalize(value)];
  });
  // Each value has passed its option's format, whose type parameter is the type claimed here.
  return { values: Object.fromEntries(entries) as Values<Table>, missing };
}
