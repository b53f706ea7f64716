import { encodingByMark } from './byteOrderMark.js';

const workbooks = [
  { begins: [0x50, 0x4b, 0x03, 0x04], kind: 'an Excel workbook (.xlsx)' },
  { begins: [0xd0, 0xcf, 0x11, 0xe0], kind: 'an old Excel workbook (.xls)' },
] as const;

/**
 * The text of a table as spreadsheets and scripts save it: in the encoding of its byte order mark, otherwise UTF-8, or GB18030
 * where it is not UTF-8 (terminals and Excel on a Chinese Windows). Throws an Error whose message ends the sentence "<path>: …".
 */
export function tableText(bytes: Uint8Array): string {
  const workbook = workbooks.find(({ begins }) => begins.every((byte, index) => bytes[index] === byte));
  if (workbook !== undefined) throw new Error(`is ${workbook.kind}, not a text: save it as "CSV UTF-8"`);
  const marked = encodingByMark(bytes);
  if (marked === undefined && bytes.includes(0))
    throw new Error(
      'is no text in UTF-8 or GB18030, for it holds zero bytes: save it as "CSV UTF-8", or as UTF-16 with a byte order mark',
    );
  if (marked !== undefined) return decodeStrictly(marked, bytes);
  try {
    return decodeStrictly('utf-8', bytes);
  } catch {
    return new TextDecoder('gb18030').decode(bytes);
  }
}

function decodeStrictly(encoding: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch (error) {
    throw new Error(`is not ${encoding} text, although its byte order mark says so`, { cause: error });
  }
}

const separators = [',', '\t', ';'] as const;

/** Separator of a table's columns, by its first line: comma, tab (Excel's "Unicode text") or semicolon. */
export function separatorOf(text: string): string {
  const [header = ''] = text.split(/\r?\n|\r/, 1);
  const counts = separators.map((separator) => header.split(separator).length);
  return separators[counts.indexOf(Math.max(...counts))]!;
}
