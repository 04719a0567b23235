import { Connection } from '@temporalio/client';
import { randomBytes } from 'node:crypto';
import { readEndpoints } from '../../scripts/sandbox/endpoints.ts';
import { canaries } from '../support/canaries.ts';
import { needleScanner } from '../support/needle-scanner.ts';
import { plantLeaks } from '../support/plant-leaks.ts';
import { STORES } from '../support/stores.ts';

// Runs last, when everything that the other parts did is still there: no secret that any of their workers had is in any
// store. One that is leaked on purpose shows that it would be found.
const PLANTED = `planted-${randomBytes(12).toString('hex')}`;
const names = Object.keys(STORES) as (keyof typeof STORES)[];
const findings = new Map<string, { leaks: string[]; planted: number; pieces: number; bytes: number }>();
let known: Record<string, string | Buffer>;

beforeAll(async () => {
  const endpoints = readEndpoints();
  const connection = await Connection.connect({ address: endpoints.temporal.address });
  known = canaries(endpoints);
  const find = needleScanner({ ...known, [PLANTED]: PLANTED });
  const clear = await plantLeaks(endpoints, connection, PLANTED);
  try {
    await Promise.all(
      names.map(async (name) => {
        const result = { leaks: [] as string[], planted: 0, pieces: 0, bytes: 0 };
        findings.set(name, result);
        try {
          for await (const { where, content } of STORES[name](endpoints, connection)) {
            result.pieces++;
            result.bytes += content.length;
            for (const { secret, wrapped } of find(content))
              if (secret === PLANTED) result.planted++;
              else result.leaks.push(`${where}: ${secret}${wrapped ? `, in ${wrapped}` : ''}`);
          }
        } catch (cause) {
          throw new Error(`the search of ${name} ended after ${result.pieces} pieces`, { cause });
        }
      }),
    );
  } finally {
    await clear();
    await connection.close();
  }
  const sizes = [...findings].map(([name, { pieces, bytes }]) => `${name} ${pieces} (${(bytes / 1e6).toFixed(1)} MB)`);
  process.stderr.write(`  looked for ${Object.keys(known).length} secrets in ${sizes.join(', ')}\n`);
}, 300_000);

test('the secrets are known: those of the sandbox, and those that workers of the tests were given', () => {
  expect(Object.keys(known)).toEqual(expect.arrayContaining(['password of PostgreSQL', 'key of the object store']));
  expect(Object.keys(known)).toEqual(expect.arrayContaining(['password of Redis', 'bytes of the backup key']));
});

test.each(names)('in %s, what is leaked on purpose is found', (name) => {
  expect(findings.get(name)!.planted).toBeGreaterThan(0);
});

test.each(names)('in %s there is no secret', (name) => {
  expect(findings.get(name)!.leaks).toEqual([]);
});
