import { relative } from 'node:path/posix';
import js from '@eslint/js';
import tseslint from 'typescript-eslint';
import { noCircle } from './lint/noCircle.js';

/**
 * The folders of the sources, the lowest floor first. A folder imports, types included, from those on lower floors alone.
 * Folders on one floor know nothing of each other. ARCHITECTURE.md tells what each is for.
 */
export const floors = [
  ['src/base'],
  ['src/ring'],
  ['src/market/calendar'],
  ['src/market/instruments'],
  ['src/market/hours'],
  ['src/market/quotes'],
  ['src/market/sessions', 'src/tickText'],
  ['src/config', 'src/tape'],
  ['src/log', 'src/redis'],
  ['src/profile', 'src/storage/quotes'],
  ['src/storage/shared'],
  ['src/storage/spill'],
  ['src/storage/streams'],
  ['src/storage/thread', 'src/history'],
  ['src/recorder'],
  ['src/sinks', 'src/simulator', 'src/coordinator/measures', 'src/coordinator/workers'],
  ['src/coordinator/assignment', 'src/ctp'],
  ['src/coordinator'],
  ['src/server/uws'],
  ['src/server/shared'],
  ['src/server/fairness', 'src/server/symbols'],
  ['src/server/http'],
  ['src/server/socket'],
  ['src/server'],
  ['src/cli'],
  ['src/app'],
  ['src', 'workers'],
];

/** Folders that only these may import: the vendor's library is called by connection workers alone. */
const reserved = { 'src/ctp': ['src/cli', 'src/app', 'workers'] };

export default tseslint.config(
  { ignores: ['dist/', 'coverage/', 'libs/*/build/', 'bench/load/build/', 'ctpflow/', 'logs/'] },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.strictTypeChecked, ...tseslint.configs.stylisticTypeChecked],
    languageOptions: {
      parserOptions: { project: './tsconfig.test.json', tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      // Typed arrays are indexed on every hot line; the assertion says that the index is in range.
      '@typescript-eslint/no-non-null-assertion': 'off',
      'no-console': 'error',
      // A default says that the others are meant to be alike.
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
    },
  },
  {
    files: ['**/*.js'],
    languageOptions: {
      globals: { process: 'readonly', console: 'readonly', URL: 'readonly', Buffer: 'readonly' },
    },
  },
  {
    files: ['{src,workers}/**/*.ts'],
    ignores: ['src/log/**'],
    rules: { 'no-restricted-syntax': ['error', ...unmarkedLines()] },
  },
  {
    files: ['{src,workers}/**/*.ts'],
    plugins: { house: { rules: { 'no-circle': noCircle } } },
    rules: { 'house/no-circle': 'error' },
  },
  ...floorRules(),
);

/** Selects log lines of level warn and above that name no event of src/base/logEvents.ts. */
function unmarkedLines() {
  const message =
    "a warning or an error names its event: log.warn(marked('event'), text), see src/base/logEvents.ts";
  const severe = "[callee.property.name=/^(warn|error|fatal)$/]:not([arguments.0.callee.name='marked'])";
  const selectors = [
    `CallExpression[callee.object.name=/log(ger)?$/i]${severe}`,
    `CallExpression[callee.object.property.name=/log(ger)?$/i]${severe}`,
    "CallExpression[callee.property.name='write'][arguments.1.value=/^(warn|error|fatal)$/]:not([arguments.2.callee.name='marked'])",
  ];
  return selectors.map((selector) => ({ selector, message }));
}

/** ESLint's entries that hold each folder to its floor. */
function floorRules() {
  const all = floors.flat();
  return floors.flatMap((floor, height) =>
    floor.map((folder) => {
      const higher = all.filter((each) => each !== folder && heightOf(each) >= height);
      const closed = Object.keys(reserved).filter(
        (each) => each !== folder && !reserved[each].includes(folder),
      );
      const group = [...new Set([...higher, ...closed])].map((each) => importPattern(folder, each));
      const message = `${folder} may import from lower floors only (floors, in eslint.config.js)`;
      return {
        files: [`${folder}/*.ts`],
        rules:
          group.length === 0
            ? {}
            : { 'no-restricted-imports': ['error', { patterns: [{ group, message }] }] },
      };
    }),
  );
}

function heightOf(folder) {
  return floors.findIndex((floor) => floor.includes(folder));
}

/** What imports of the modules in one folder look like in another. */
function importPattern(from, to) {
  const path = relative(from, to);
  return `${path.startsWith('.') ? path : `./${path}`}/*.js`;
}
