import js from '@eslint/js';
import tseslint from 'typescript-eslint';

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
    },
  },
  {
    files: ['**/*.js'],
    languageOptions: {
      globals: { process: 'readonly', console: 'readonly', URL: 'readonly', Buffer: 'readonly' },
    },
  },
  {
    // The threads' borders: only a connection worker talks to the vendor's library.
    files: ['src/{config,ring,market,coordinator,server,storage,simulator}/**/*.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        { patterns: [{ group: ['**/ctp/*.js'], message: 'src/ctp runs in connection workers alone' }] },
      ],
    },
  },
  {
    files: ['src/{ring,market}/**/*.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              group: [
                '**/ctp/*.js',
                '**/server/*.js',
                '**/coordinator/*.js',
                '**/storage/*.js',
                '**/gateway.js',
              ],
              message: 'layers point one way: gateway → server, coordinator → market → ring',
            },
          ],
        },
      ],
    },
  },
);
