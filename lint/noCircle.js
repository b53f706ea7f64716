import { existsSync, readFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import ts from 'typescript';

/** What modules import, types included, by absolute path; read once for each run. */
const importsOf = new Map();

function modulesIn(path, text) {
  return ts
    .preProcessFile(text)
    .importedFiles.filter(({ fileName }) => fileName.startsWith('.'))
    .map(({ fileName }) => resolve(dirname(path), fileName).replace(/\.js$/, '.ts'));
}

function importsOfFile(path) {
  const known = importsOf.get(path);
  if (known !== undefined) return known;
  const found = existsSync(path) ? modulesIn(path, readFileSync(path, 'utf8')) : [];
  importsOf.set(path, found);
  return found;
}

/** The way from a module back to it, or undefined. */
function circleThrough(path, text) {
  const ways = modulesIn(path, text).map((each) => [each]);
  const seen = new Set();
  for (let way = ways.shift(); way !== undefined; way = ways.shift()) {
    const last = way.at(-1);
    if (last === path) return way;
    if (seen.has(last)) continue;
    seen.add(last);
    for (const next of importsOfFile(last)) ways.push([...way, next]);
  }
  return undefined;
}

/** ESLint's rule against modules that import each other, on whatever way; import-x has one that lets types pass. */
export const noCircle = {
  meta: {
    type: 'problem',
    schema: [],
    messages: { circle: 'modules import each other: {{way}}' },
  },
  create(context) {
    return {
      Program(node) {
        const circle = circleThrough(context.filename, context.sourceCode.text);
        if (circle === undefined) return;
        const way = circle.map((each) => relative(context.cwd, each)).join(' → ');
        context.report({ node, messageId: 'circle', data: { way } });
      },
    };
  },
};
