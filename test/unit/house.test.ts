import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ESLint } from 'eslint';
import tseslint from 'typescript-eslint';
import { HOUSE } from '../../scripts/lint/house.ts';

const root = join(import.meta.dirname, '../..');

// Snippets stand in for files that are not on disk, which the type checker cannot know.
const untyped = new ESLint({ cwd: root, ignore: false, overrideConfig: [tseslint.configs.disableTypeChecked] });
const typed = new ESLint({ cwd: root, ignore: false });

async function lint(file: string, code: string, eslint = untyped): Promise<string[]> {
  const [result] = await eslint.lintText(code, { filePath: join(root, file) });
  return (result?.messages ?? [])
    .filter(({ ruleId }) => ruleId !== '@typescript-eslint/no-unused-vars')
    .map(({ ruleId, message }) => `${ruleId}: ${message}`);
}

const refused: [file: string, code: string, complaint: RegExp][] = [
  ['src/contracts/x.ts', `import { readFileSync } from 'node:fs';`, /arrows: src\/contracts may not import node:fs/],
  ['src/contracts/x.ts', `import { readFileSync } from 'fs';`, /arrows: src\/contracts may not import fs/],
  ['src/contracts/x.ts', `import { wait } from '../adapters/kubernetes.ts';`, /arrows: .* src\/adapters/],
  ['src/expressions/x.ts', `import { z } from 'zod';`, /arrows: src\/expressions may not import zod/],
  ['src/actions/x.ts', `import { evaluate } from '../expressions/expression.ts';`, /arrows: .* src\/expressions/],
  ['src/expressions/x.ts', `export const now = Date.now();`, /no-restricted-properties: .*clock/],
  ['src/domain/x.ts', `import { z } from 'zod';`, /arrows: src\/domain may not import zod/],
  ['src/domain/x.ts', `import { sleep } from '@temporalio/workflow';`, /arrows: .* @temporalio\/workflow/],
  ['src/domain/x.ts', `import { gate } from '../contracts/gates.ts';`, /arrows: .* only types of src\/contracts/],
  ['src/domain/deep/x.ts', `import { type G } from '../../contracts/gates.ts';`, /arrows: .* only types/],
  ['src/domain/x.ts', `export * from '../catalog/load.ts';`, /arrows: .* src\/catalog/],
  ['src/domain/x.ts', `export const pg = () => import('pg');`, /arrows: src\/domain may not import pg/],
  ['src/domain/x.ts', `export type Client = import('pg').Client;`, /arrows: src\/domain may not import pg/],
  ['src/catalog/x.ts', `import { s3 } from '../adapters/s3.ts';`, /arrows: src\/catalog may not import src\/adapters/],
  ['src/catalog/x.ts', `import { S3 } from '@aws-sdk/client-s3';`, /arrows: .* @aws-sdk\/client-s3/],
  ['src/cli/x.ts', `import { s3 } from '../adapters/s3.ts';`, /arrows: src\/cli may not import src\/adapters\/s3/],
  ['src/cli/x.ts', `import { KubeConfig } from '@kubernetes/client-node';`, /arrows: .* @kubernetes/],
  ['src/cli/x.ts', `import { start } from '../../worker/main.ts';`, /arrows: src\/cli may not import worker/],
  ['src/adapters/x.ts', `import { deploy } from '../../workflows/deploy.ts';`, /arrows: .* workflows/],
  ['src/server/x.ts', `import { Client } from 'pg';`, /arrows: src\/server may not import pg/],
  [
    'workflows/x.ts',
    `import { switchTraffic } from '../activities/traffic.ts';`,
    /arrows: .* only types of activities/,
  ],
  ['workflows/x.ts', `import { kubernetes } from '../src/adapters/kubernetes.ts';`, /arrows: .* src\/adapters/],
  ['workflows/x.ts', `import { hash } from 'node:crypto';`, /arrows: workflows may not import node:crypto/],
  ['workflows/x.ts', `import { Client } from '@temporalio/client';`, /arrows: .* @temporalio\/client/],
  ['activities/x.ts', `import { Client } from 'pg';`, /arrows: activities may not import pg/],
  ['activities/x.ts', `import { Client } from '@temporalio/client';`, /arrows: .* only types of @temporalio\/client/],
  [
    'activities/x.ts',
    `import { deploy } from '../workflows/deploy.ts';`,
    /arrows: activities may not import workflows/,
  ],
  ['worker/x.ts', `import { Client } from 'pg';`, /arrows: worker may not import pg/],
  ['worker/x.ts', `import { up } from '../scripts/sandbox/up.ts';`, /arrows: worker may not import scripts/],
  ['scripts/x.ts', `import { main } from '../worker/main.ts';`, /arrows: scripts may not import worker/],
  ['scripts/x.ts', `import { helper } from '../test/support/helper.ts';`, /arrows: scripts may not import test/],
  ['src/newcomer/x.ts', `import { z } from 'zod';`, /arrows: src\/newcomer is in no room of the house/],
  ['src/domain/x.ts', `export const now = Date.now();`, /no-restricted-properties: .*clock/],
  ['src/domain/x.ts', `export const now = new Date();`, /no-restricted-syntax: .*clock/],
  ['src/domain/x.ts', `export const now = Date();`, /no-restricted-syntax: .*clock/],
  ['src/domain/x.ts', `export const hour = (at: Date) => at.getHours();`, /no-restricted-syntax: .*time zone/],
  ['src/contracts/x.ts', `export const dice = Math.random();`, /no-restricted-properties: .*chance/],
  ['src/contracts/x.ts', `setTimeout(() => 1, 1);`, /no-restricted-globals: .*workflow sleep/],
  ['workflows/x.ts', `export const home = process.env.HOME;`, /no-restricted-globals: .*replay/],
  ['workflows/x.ts', `export const page = fetch('http://localhost');`, /no-restricted-globals: .*replay/],
  ['workflows/x.ts', `export const day = (at: Date) => at.getDay();`, /no-restricted-syntax: .*time zone/],
];

test.each(refused)('in %s it refuses: %s', async (file, code, complaint) => {
  expect(await lint(file, code)).toContainEqual(expect.stringMatching(complaint));
});

const allowed: [file: string, code: string][] = [
  ['src/contracts/x.ts', `import { z } from 'zod';\nexport const name = z.string();`],
  ['src/contracts/x.ts', `import { parseDuration } from '../domain/duration.ts';\nexport const p = parseDuration;`],
  ['src/domain/x.ts', `import type { Gate } from '../contracts/gates.ts';\nexport type G = Gate;`],
  ['src/domain/x.ts', `export const at = (ms: number) => new Date(ms).getUTCHours();`],
  ['src/catalog/x.ts', `import { readFileSync } from 'node:fs';\nexport const read = readFileSync;`],
  ['src/adapters/x.ts', `import { Client } from 'pg';\nexport const client = Client;`],
  ['src/cli/x.ts', `import { connect } from '../adapters/temporal/connect.ts';\nexport const c = connect;`],
  ['src/cli/x.ts', `import { connect } from '../adapters/temporal.ts';\nexport const c = connect;`],
  ['src/cli/x.ts', `import { Client } from '@temporalio/client';\nexport const c = Client;`],
  ['workflows/x.ts', `import type { Activities } from '../activities/index.ts';\nexport type A = Activities;`],
  ['workflows/x.ts', `import type { z } from 'zod';\nexport type Schema = z.ZodType;`],
  ['workflows/x.ts', `export const now = () => Date.now();`],
  ['activities/x.ts', `import { s3 } from '../src/adapters/s3.ts';\nexport const s = s3;`],
  ['activities/x.ts', `import type { Client } from '@temporalio/client';\nexport type C = Client;`],
  ['test/x.ts', `import { main } from '../worker/main.ts';\nexport const m = main;`],
];

test.each(allowed)('in %s it allows: %s', async (file, code) => {
  expect(await lint(file, code)).toEqual([]);
});

test('a cycle of imports is refused', async () => {
  const problems = await lint('test/support/fixtures/cycle/a.ts', `import { b } from './b.ts';\nexport const a = b;`);
  expect(problems).toContainEqual(expect.stringMatching(/^import-x\/no-cycle: /));
});

test('a promise that nobody awaits is refused', async () => {
  const problems = await lint('test/unit/house.test.ts', `Promise.resolve(1);\nexport {};`, typed);
  expect(problems).toContainEqual(expect.stringMatching(/^@typescript-eslint\/no-floating-promises: /));
});

test('every folder with code has a room in the house', () => {
  const folders = [...foldersIn('src').map((name) => `src/${name}`), ...foldersIn('.')];
  const withCode = folders.filter((folder) => folder !== 'src' && holdsTypeScript(folder));
  expect(withCode.filter((folder) => !(folder in HOUSE))).toEqual([]);
});

const NOT_OURS = /^(\.|node_modules$|dist$|reports$)/;

function foldersIn(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !NOT_OURS.test(entry.name))
    .map((entry) => entry.name);
}

function holdsTypeScript(folder: string): boolean {
  return readdirSync(join(root, folder), { recursive: true }).some((name) => String(name).endsWith('.ts'));
}
