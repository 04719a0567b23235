// Three kinds of rules: what the compiler cannot see (recommended sets), the arrows of the house (scripts/lint/house.ts),
// and determinism: what runs inside a workflow gives the same answer on every replay, on every machine.
import js from '@eslint/js';
import { defineConfig, globalIgnores } from 'eslint/config';
import importX from 'eslint-plugin-import-x';
import tseslint from 'typescript-eslint';
import { arrows } from './scripts/lint/arrows.ts';
import { deterministic, pure } from './scripts/lint/determinism.ts';

export default defineConfig(
  globalIgnores(['dist/', 'reports/', 'test/support/fixtures/']),
  js.configs.recommended,
  { files: ['**/*.js'], languageOptions: { globals: globalsOfNode() } },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommendedTypeChecked],
    plugins: { house: { rules: { arrows } }, 'import-x': importX },
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    settings: {
      'import-x/extensions': ['.ts'],
      'import-x/parsers': { '@typescript-eslint/parser': ['.ts'] },
      'import-x/resolver': { node: { extensions: ['.ts', '.js'] } },
    },
    rules: {
      'house/arrows': 'error',
      'import-x/no-cycle': ['error', { ignoreExternal: true }],
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      // `const { dropped: _, ...kept }` leaves something out on purpose.
      '@typescript-eslint/no-unused-vars': [
        'error',
        { ignoreRestSiblings: true, varsIgnorePattern: '^_', argsIgnorePattern: '^_' },
      ],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      // An implementation of an asynchronous interface need not await anything.
      '@typescript-eslint/require-await': 'off',
      eqeqeq: ['error', 'always', { null: 'ignore' }],
    },
  },
  { files: ['workflows/**/*.ts'], rules: deterministic },
  {
    files: ['src/audit/**/*.ts', 'src/contracts/**/*.ts', 'src/domain/**/*.ts', 'src/expressions/**/*.ts'],
    rules: pure,
  },
  {
    // Tests read answers of other programs (JSON, HTTP), whose shape the assertion itself checks.
    files: ['test/**/*.ts'],
    rules: {
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/unbound-method': 'off',
    },
  },
);

function globalsOfNode() {
  return Object.fromEntries(Object.getOwnPropertyNames(globalThis).map((name) => [name, 'readonly']));
}
