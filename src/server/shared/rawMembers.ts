import { ownText } from '../../base/ownText.js';

/**
 * The members of a JSON object at its top level, by name: the text of each value, to the letter. A number keeps all its
 * digits so, which a JavaScript number has not.
 *
 * @param text a JSON object, valid as a whole
 */
export function rawMembers(text: string): ReadonlyMap<string, string> {
  const members = new Map<string, string>();
  let at = afterBlanks(text, text.indexOf('{') + 1);
  while (text.charCodeAt(at) === quote) {
    const nameEnd = afterString(text, at);
    const name = JSON.parse(text.slice(at, nameEnd)) as string;
    const start = afterBlanks(text, text.indexOf(':', nameEnd) + 1);
    const end = afterValue(text, start);
    members.set(name, ownText(text.slice(start, end)));
    at = afterBlanks(text, end);
    if (text.charCodeAt(at) === comma) at = afterBlanks(text, at + 1);
  }
  return members;
}

const quote = 0x22;
const comma = 0x2c;
const openBracket = 0x5b;
const backslash = 0x5c;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const blank = 0x20;

function afterBlanks(text: string, from: number): number {
  let at = from;
  while (text.charCodeAt(at) <= blank) at++;
  return at;
}

/** @param from of the opening quote */
function afterString(text: string, from: number): number {
  for (let at = from + 1; ; at++) {
    at = text.indexOf('"', at);
    let escapes = 0;
    while (text.charCodeAt(at - 1 - escapes) === backslash) escapes++;
    if (escapes % 2 === 0) return at + 1;
  }
}

function afterValue(text: string, from: number): number {
  let depth = 0;
  for (let at = from; ; at++) {
    const code = text.charCodeAt(at);
    if (code === quote) at = afterString(text, at) - 1;
    else if (code === openBrace || code === openBracket) depth++;
    else if (depth === 0 && (code === comma || code === closeBrace || code <= blank)) return at;
    else if (code === closeBrace || code === closeBracket) depth--;
  }
}
