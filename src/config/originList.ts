import type { Format } from './formats.js';

const maxOrigins = 64;
const oneAllowed =
  'an origin such as "https://desk.example:8443", "null" for pages from files, or "*" for all';

function isOrigin(entry: unknown): boolean {
  if (typeof entry !== 'string') return false;
  if (entry === '*' || entry === 'null') return true;
  return URL.canParse(entry) && /^https?:/.test(entry) && new URL(entry).origin === entry.toLowerCase();
}

/** Origins of web pages; as text, with commas between them. */
export const originList: Format<readonly string[]> = {
  name: 'origin list',
  allowed: `a list of at most ${maxOrigins} of ${oneAllowed}`,
  accepts: (value) => Array.isArray(value) && value.length <= maxOrigins && value.every(isOrigin),
  parse: (given) => given.split(',').map((entry) => entry.trim()),
  normalize: (value) =>
    Array.isArray(value) ? [...new Set(value.map((entry) => String(entry).toLowerCase()))] : [],
  blame: (value) => {
    if (!Array.isArray(value)) return undefined;
    const list = value as unknown[];
    const index = list.findIndex((entry) => !isOrigin(entry));
    return index < 0 ? undefined : { index, value: list[index], allowed: oneAllowed };
  },
};
