import { readFileSync } from 'node:fs';
import { packagePath } from '../../base/paths.js';

/** The syllable of each character that products' names have, without tones; ü is written v. */
export type Spelling = ReadonlyMap<string, string>;

/** Reads data/pinyin.json: the characters of each syllable. */
export function loadSpelling(): Spelling {
  const syllables = JSON.parse(readFileSync(packagePath('data', 'pinyin.json'), 'utf8')) as Record<
    string,
    string
  >;
  return new Map(
    Object.entries(syllables).flatMap(([syllable, characters]) =>
      Array.from(characters, (character): [string, string] => [character, syllable]),
    ),
  );
}

/** A name in pinyin, in lower case: 豆粕 → doupo, 20号胶 → 20haojiao. What is neither known nor ASCII is skipped. */
export function spell(name: string, spelling: Spelling): string {
  return Array.from(
    name,
    (character) => spelling.get(character) ?? (/[A-Za-z0-9]/.test(character) ? character.toLowerCase() : ''),
  ).join('');
}
