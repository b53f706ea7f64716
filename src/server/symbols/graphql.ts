/** Words such as FUTURE come as strings. */
export type GraphqlValue =
  string | number | boolean | null | { readonly variable: string } | readonly GraphqlValue[];

export interface GraphqlField {
  readonly name: string;
  readonly args: ReadonlyMap<string, GraphqlValue>;
  /** Members, including those of inline fragments. */
  readonly fields: readonly GraphqlField[];
  /** Takes in fragments by their names. */
  readonly hasSpread: boolean;
}

type Selection = Pick<GraphqlField, 'fields' | 'hasSpread'>;

const kinds = ['mark', 'string', 'number', 'word'] as const;

interface Token {
  readonly kind: (typeof kinds)[number];
  readonly text: string;
  readonly at: number;
}

const blankForm = /[\s,]+|#[^\n]*/y;
const tokenForm =
  /(?<mark>\.\.\.|[{}()[\]:!=$])|(?<string>"(?:[^"\\\n]|\\.)*")|(?<number>-?\d+(?:\.\d+)?)|(?<word>[A-Za-z_]\w*)/y;
const deepest = 16;
const words: Readonly<Record<string, boolean | null>> = { true: true, false: false, null: null };

class Unreadable extends Error {}

/**
 * The root fields of a GraphQL query: a document of one query, shorthand or not, and of fragments, which are left aside.
 * Aliases, directives and objects as values are not read.
 */
export function readGraphql(text: string): Selection | { readonly problem: string } {
  try {
    return new Reader(text).document();
  } catch (error) {
    if (error instanceof Unreadable) return { problem: error.message };
    throw error;
  }
}

class Reader {
  readonly #text: string;
  #next: Token | undefined;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
    this.#advance();
  }

  document(): Selection {
    if (this.#takes('query')) {
      if (this.#next?.kind === 'word') this.#advance();
      if (this.#takes('(')) this.#skipVariables();
    }
    const selection = this.#selection(0);
    while (this.#takes('fragment')) {
      this.#expect('word');
      this.#expectText('on');
      this.#expect('word');
      this.#selection(0);
    }
    if (this.#next !== undefined) this.#fail('nothing more');
    return selection;
  }

  /** Declared types of variables are ignored: their values say everything. */
  #skipVariables(): void {
    while (!this.#takes(')')) {
      if (this.#next === undefined) this.#fail(')');
      this.#advance();
    }
  }

  #selection(depth: number): Selection {
    if (depth > deepest) throw new Unreadable(`it is nested more than ${deepest} deep`);
    this.#expectText('{');
    const fields: GraphqlField[] = [];
    let hasSpread = false;
    while (!this.#takes('}')) {
      if (!this.#takes('...')) fields.push(this.#field(depth));
      else if (this.#takes('on')) {
        this.#expect('word');
        const inner = this.#selection(depth + 1);
        fields.push(...inner.fields);
        hasSpread ||= inner.hasSpread;
      } else {
        this.#expect('word');
        hasSpread = true;
      }
    }
    return { fields, hasSpread };
  }

  #field(depth: number): GraphqlField {
    const name = this.#expect('word');
    const args = new Map<string, GraphqlValue>();
    if (this.#takes('('))
      while (!this.#takes(')')) {
        const argument = this.#expect('word');
        this.#expectText(':');
        args.set(argument, this.#value(0));
      }
    const selection =
      this.#next?.text === '{' ? this.#selection(depth + 1) : { fields: [], hasSpread: false };
    return { name, args, ...selection };
  }

  #value(depth: number): GraphqlValue {
    if (depth > deepest) throw new Unreadable(`it is nested more than ${deepest} deep`);
    if (this.#takes('$')) return { variable: this.#expect('word') };
    if (this.#takes('[')) {
      const values: GraphqlValue[] = [];
      while (!this.#takes(']')) values.push(this.#value(depth + 1));
      return values;
    }
    const token = this.#next;
    if (token === undefined || token.kind === 'mark') return this.#fail('a value');
    this.#advance();
    if (token.kind === 'number') return Number(token.text);
    if (token.kind === 'word') return Object.hasOwn(words, token.text) ? words[token.text]! : token.text;
    try {
      return JSON.parse(token.text) as string;
    } catch {
      throw new Unreadable(`the string at character ${token.at + 1} has an escape that there is not`);
    }
  }

  #takes(text: string): boolean {
    if (this.#next?.text !== text || this.#next.kind === 'string') return false;
    this.#advance();
    return true;
  }

  #expectText(text: string): void {
    if (!this.#takes(text)) this.#fail(text);
  }

  #expect(kind: Token['kind']): string {
    const token = this.#next;
    if (token?.kind !== kind) return this.#fail('a name');
    this.#advance();
    return token.text;
  }

  #fail(wanted: string): never {
    const found =
      this.#next === undefined ? 'it ends' : `character ${this.#next.at + 1} is of something else`;
    throw new Unreadable(`${found} where ${wanted} is expected`);
  }

  #advance(): void {
    const text = this.#text;
    do blankForm.lastIndex = this.#at;
    while (blankForm.test(text) && (this.#at = blankForm.lastIndex) < text.length);
    this.#next = undefined;
    if (this.#at >= text.length) return;
    tokenForm.lastIndex = this.#at;
    const groups = tokenForm.exec(text)?.groups;
    if (groups === undefined) throw new Unreadable(`character ${this.#at + 1} begins nothing of GraphQL`);
    for (const kind of kinds) {
      const found = groups[kind];
      if (found !== undefined) this.#next = { kind, text: found, at: this.#at };
    }
    this.#at = tokenForm.lastIndex;
  }
}
