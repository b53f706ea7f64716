import { XMLParser } from 'fast-xml-parser';
import { encodingByMark } from '../config/byteOrderMark.js';
import { isFrontAddress } from '../config/frontAddress.js';
import { isRecord } from '../config/record.js';
import { findXmlFault } from './xmlBalance.js';

/** A server of a broker and its market-data fronts, as RegisterFront takes them. */
export interface BrokerServer {
  readonly name: string;
  readonly fronts: readonly string[];
}

export interface Broker {
  readonly id: string;
  readonly name: string;
  readonly servers: readonly BrokerServer[];
}

/** A broker.xml that cannot be used; the message is one line without the file's name. */
export class BrokerFileError extends Error {
  override readonly name = 'BrokerFileError';
}

const declaration = /^\s*<\?xml[^>]*?encoding\s*=\s*["']([^"']*)["']/i;
/** Declared names that mean one of China's national character sets; the last one contains the others. */
const chineseEncodings = new Set(['gb2312', 'gbk', 'gb18030', 'x-gbk', 'cp936', 'windows-936', 'hz-gb-2312']);

const undeclared =
  'declares no encoding and is not UTF-8; a file from a Chinese Windows needs <?xml version="1.0" encoding="GB18030"?> as its first line';

function decodeAs(
  encoding: string,
  bytes: Uint8Array,
  wrong = `is not ${encoding} text, although it says so`,
): string {
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch (error) {
    if (error instanceof RangeError)
      throw new BrokerFileError(`the declared encoding "${encoding}" is unknown`);
    throw new BrokerFileError(wrong);
  }
}

/** Decodes by byte order mark, else by the XML declaration, else as UTF-8, which XML prescribes. */
export function decodeBrokerFile(bytes: Uint8Array): string {
  const marked = encodingByMark(bytes);
  if (marked !== undefined) return decodeAs(marked, bytes);
  const head = Buffer.from(bytes.subarray(0, 512)).toString('latin1');
  const declared = declaration.exec(head)?.[1]?.trim().toLowerCase();
  if (declared === undefined) return decodeAs('utf-8', bytes, undeclared);
  return decodeAs(chineseEncodings.has(declared) ? 'gb18030' : declared, bytes);
}

function list(value: unknown): unknown[] {
  return value === undefined ? [] : Array.isArray(value) ? (value as unknown[]) : [value];
}

/** Text of an attribute or an element, the latter with or without attributes of its own. */
function textOf(value: unknown): string {
  const plain = isRecord(value) ? value['#text'] : list(value)[0];
  return typeof plain === 'string' ? plain.trim() : '';
}

function member(value: unknown, name: string): unknown {
  return isRecord(value) ? value[name] : undefined;
}

/** Elements called broker, at any depth: the root's name differs between terminals. */
function brokerElements(node: unknown): unknown[] {
  if (Array.isArray(node)) return node.flatMap(brokerElements);
  if (!isRecord(node)) return [];
  return Object.entries(node).flatMap(([name, value]) =>
    name === 'broker' ? list(value) : brokerElements(value),
  );
}

/** host:port or a full address; undefined for anything else. */
function frontOf(item: string): string | undefined {
  const address = item.includes('://') ? item : `tcp://${item}`;
  return isFrontAddress(address) ? address : undefined;
}

function readServer(element: unknown, warn: (text: string) => void): BrokerServer {
  const marketData = member(element, 'marketdata');
  const listed = list(marketData).flatMap((part) => [...list(member(part, 'item')), part]);
  const items = listed.flatMap((item) => textOf(item).split(/[\s,;]+/)).filter((item) => item !== '');
  const fronts = items.flatMap((item) => {
    const front = frontOf(item);
    if (front === undefined) warn(`the address "${item.slice(0, 80)}" is not host:port and is left out`);
    return front ?? [];
  });
  return { name: textOf(member(element, 'name')), fronts: [...new Set(fronts)] };
}

/**
 * Reads the broker.xml that futures terminals ship: broker elements with BrokerID and BrokerName, each with
 * Servers/Server of Name and MarketData/item. Names may be attributes or elements, in any case of letters. Throws a
 * BrokerFileError; smaller oddities go to `warn`.
 */
export function parseBrokerFile(bytes: Uint8Array, warn: (text: string) => void): Broker[] {
  if (bytes.length === 0) throw new BrokerFileError('is empty');
  const text = decodeBrokerFile(bytes);
  const fault = findXmlFault(text);
  if (fault !== undefined) throw new BrokerFileError(fault);
  const parser = new XMLParser({
    ignoreAttributes: false,
    attributeNamePrefix: '',
    parseTagValue: false,
    parseAttributeValue: false,
    transformTagName: (name) => name.toLowerCase(),
    transformAttributeName: (name) => name.toLowerCase(),
    processEntities: {
      enabled: true,
      maxTotalExpansions: 1000,
      maxExpandedLength: 100_000,
      maxEntityCount: 20,
    },
  });
  let root: unknown;
  try {
    root = parser.parse(text);
  } catch (error) {
    throw new BrokerFileError((error as Error).message.replaceAll(/\s+/g, ' '), { cause: error });
  }
  const elements = brokerElements(root);
  if (elements.length === 0) throw new BrokerFileError('holds no broker element');
  return elements.map((element, index) => {
    const id = textOf(member(element, 'brokerid'));
    const name = textOf(member(element, 'brokername'));
    const title = [id === '' ? `broker number ${index + 1}` : `broker ${id}`, name].join(' ').trim();
    const inside = [...list(member(element, 'servers')), element].flatMap((part) =>
      list(member(part, 'server')),
    );
    return {
      id,
      name,
      servers: inside.map((server) => readServer(server, (line) => warn(`${title}: ${line}`))),
    };
  });
}
