const maxDepth = 64;
const numberPattern = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const escapePattern = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
const [space, quote, backslash] = [0x20, 0x22, 0x5c];
const blankPattern = /[ \t\r\n]*/y;
const wordPattern = /true|false|null/y;
const commentPattern = /\/\/|\/\*|#/y;

/** Text that is no JSON; line and column count from 1. The message never quotes the text: it may hold secrets. */
export class JsonTextError extends Error {
  override readonly name = 'JsonTextError';
  constructor(
    readonly line: number,
    readonly column: number,
    reason: string,
  ) {
    super(`line ${line}, column ${column}: ${reason}`);
  }
}

const longestKey = 80;

function shortened(key: string): string {
  return key.length <= longestKey ? key : `${key.slice(0, longestKey)}…`;
}

/** Walks over the text once; stops at the first place where the grammar is broken or a key comes twice. */
class JsonScanner {
  #at = 0;
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  scan(): void {
    this.#value(0);
    this.#blanks();
    if (this.#at < this.#text.length) this.#fail('nothing may follow the value');
  }

  #fail(expected: string, at = this.#at): never {
    commentPattern.lastIndex = at;
    const reason = commentPattern.test(this.#text) ? `${expected}; JSON has no comments` : expected;
    const before = this.#text.slice(0, at);
    const line = before.split('\n').length;
    throw new JsonTextError(
      line,
      at - before.lastIndexOf('\n'),
      at >= this.#text.length ? `${reason}, but the text ends` : reason,
    );
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    this.#at += found?.length ?? 0;
    return found;
  }

  #blanks(): void {
    this.#match(blankPattern);
  }

  #skip(character: string): boolean {
    this.#blanks();
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #closes(bracket: string): boolean {
    return this.#text[this.#at] === bracket;
  }

  #value(depth: number): void {
    if (depth > maxDepth) this.#fail(`nested more than ${maxDepth} levels deep`);
    if (this.#skip('{')) this.#members(depth);
    else if (this.#skip('[')) this.#items(depth);
    else if (this.#text[this.#at] === '"') this.#string();
    else if (this.#match(wordPattern) === undefined && this.#match(numberPattern) === undefined)
      this.#fail('expected a value (text in double quotes, number, true, false, null, list or object)');
  }

  #string(): string {
    const start = this.#at;
    // Step by step: a pattern for the whole of it would run out of stack at some millions of characters.
    for (this.#at++; ; this.#at++) {
      const code = this.#text.charCodeAt(this.#at);
      if (code === quote) break;
      // The number is NaN past the end.
      const isPlain = code >= space && code !== backslash;
      if (isPlain) continue;
      if (code !== backslash || this.#match(escapePattern) === undefined)
        this.#fail('this text is not closed on its line, or holds a wrong escape', start);
      this.#at--;
    }
    return this.#text.slice(start, ++this.#at);
  }

  #members(depth: number): void {
    const keys = new Set<string>();
    if (this.#skip('}')) return;
    do {
      this.#blanks();
      const start = this.#at;
      if (this.#text[this.#at] !== '"')
        this.#fail(
          `expected a key in double quotes${this.#closes('}') ? ', no comma stands before "}"' : ''}`,
        );
      const key = this.#string();
      if (keys.has(key)) this.#fail(`the key ${shortened(key)} comes twice`, start);
      keys.add(key);
      if (!this.#skip(':')) this.#fail('expected ":" after the key');
      this.#value(depth + 1);
    } while (this.#skip(','));
    if (!this.#skip('}')) this.#fail('expected "," or "}"');
  }

  #items(depth: number): void {
    if (this.#skip(']')) return;
    do {
      this.#blanks();
      if (this.#closes(']')) this.#fail('expected a value, no comma stands before "]"');
      this.#value(depth + 1);
    } while (this.#skip(','));
    if (!this.#skip(']')) this.#fail('expected "," or "]"');
  }
}

/**
 * JSON.parse with a place for every error, and with repeated keys refused (JSON.parse silently keeps the last).
 * A byte order mark is skipped. Throws JsonTextError.
 */
export function parseJsonText(text: string): unknown {
  const body = text.startsWith('\ufeff') ? text.slice(1) : text;
  new JsonScanner(body).scan();
  return JSON.parse(body);
}
