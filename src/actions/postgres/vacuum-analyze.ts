import { z } from 'zod';
import { failure } from '../../adapters/failure.ts';
import { quoted } from '../../domain/sql/statement.ts';
import { defineAction, type ActionContext } from '../action.ts';
import { beating } from '../beat.ts';
import { databaseReference, identifier } from './database.ts';

const LONGEST_MS = 6 * 3_600_000;

/**
 * Convergent: a table that was vacuumed twice is as one that was vacuumed once. Tables go in the order of their names,
 * and the heartbeat says which is done, so that an attempt after one that died goes on behind it.
 */
export const vacuumAnalyze = defineAction({
  name: 'vacuumAnalyze',
  description:
    'Frees dead rows and renews planner statistics, of one table or of all in a schema; nothing is locked out',
  group: 'postgres',
  parameters: z.strictObject({
    ...databaseReference,
    schema: identifier.default('public').describe('Its tables are meant'),
    table: identifier.optional().describe('Only this one'),
  }),
  example: { database: 'shop' },
  output: z.object({ tables: z.int() }),
  changes: 'convergent',
  timeoutMs: LONGEST_MS,

  async plan(context, parameters) {
    const tables = await tablesOf(context, parameters);
    return { lines: tables.map((table) => `table ${parameters.schema}.${table} is vacuumed and analyzed`) };
  },

  async run(context, parameters) {
    const { database, schema } = parameters;
    const tables = await tablesOf(context, parameters);
    const session = await context.postgres(database);
    const done = (context.former as { done?: string } | undefined)?.done ?? '';
    const left = tables.filter((table) => !tables.includes(done) || tables.indexOf(table) > tables.indexOf(done));
    if (left.length > 0) await context.assertFence();
    await session.limit(LONGEST_MS);
    for (const table of left) {
      await beating(context, session.query(`VACUUM (ANALYZE) ${quoted(schema, table)}`));
      context.heartbeat({ done: table });
    }
    return { tables: tables.length };
  },
});

async function tablesOf(
  context: ActionContext,
  { database, schema, table }: { database: string; schema: string; table?: string | undefined },
): Promise<string[]> {
  const { query } = await context.postgres(database);
  const rows = await query<{ name: string }>(
    `SELECT relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = $1 AND relkind IN ('r', 'm', 'p') AND ($2::text IS NULL OR relname = $2) ORDER BY relname`,
    [schema, table ?? null],
  );
  if (table !== undefined && rows.length === 0)
    throw failure('NotFound', `database ${database} has no table ${schema}.${table}.`);
  return rows.map(({ name }) => name);
}
