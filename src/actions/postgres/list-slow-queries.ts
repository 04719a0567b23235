import { z } from 'zod';
import type { PostgresSession } from '../../adapters/postgres.ts';
import { duration } from '../../contracts/scalars.ts';
import { quoted, withoutLiterals } from '../../domain/sql/statement.ts';
import { defineAction } from '../action.ts';
import { databaseReference } from './database.ts';

interface Statement extends Record<string, unknown> {
  query: string;
  calls: number;
  meanMs: number;
  totalMs: number;
}

/**
 * Two sources, told apart in `source`: `pg_stat_statements` knows what was slow since its statistics began,
 * `pg_stat_activity` only what is slow at this moment. Literals are not shown.
 */
export const listSlowQueries = defineAction({
  name: 'listSlowQueries',
  description:
    'Lists the slowest statements of a database: by pg_stat_statements if it is there, else those running now',
  group: 'postgres',
  parameters: z.strictObject({
    ...databaseReference,
    slowerThan: duration.prefault('500ms').describe('On average, or so far'),
    limit: z.int().min(1).max(50).default(10).describe('So many, the slowest first'),
  }),
  example: { database: 'shop', slowerThan: '100ms' },
  output: z.object({
    source: z.string(),
    count: z.int(),
    queries: z.array(z.object({ query: z.string(), calls: z.int(), meanMs: z.number(), totalMs: z.number() })),
  }),
  changes: 'nothing',

  async run(context, { database, slowerThan, limit }) {
    const session = await context.postgres(database);
    const view = await statementsView(session);
    const found = await session.query<Statement>(view ? recorded(view) : RUNNING, [slowerThan, limit]);
    return {
      source: view ? 'pg_stat_statements' : 'pg_stat_activity',
      count: found.length,
      queries: found.map(({ query, ...rest }) => ({ ...rest, query: withoutLiterals(query).slice(0, 500) })),
    };
  },
});

/** The view's name, if the extension is both created here and loaded by the server: without the latter it only fails. */
async function statementsView({ query }: Pick<PostgresSession, 'query'>): Promise<string | undefined> {
  const [row] = await query<{ schema: string }>(`
    SELECT n.nspname AS schema FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
    WHERE e.extname = 'pg_stat_statements' AND current_setting('pg_stat_statements.max', true) IS NOT NULL`);
  return row && quoted(row.schema, 'pg_stat_statements');
}

const recorded = (view: string): string => `
  SELECT query, calls, round(mean_exec_time::numeric, 1) AS "meanMs", round(total_exec_time::numeric, 1) AS "totalMs"
  FROM ${view} s JOIN pg_database d ON d.oid = s.dbid
  WHERE d.datname = current_database() AND mean_exec_time >= $1 ORDER BY mean_exec_time DESC LIMIT $2`;

const RUNNING = `
  SELECT query, 1 AS calls, ms AS "meanMs", ms AS "totalMs"
  FROM pg_stat_activity, round(extract(epoch FROM clock_timestamp() - query_start) * 1000) AS ms
  WHERE datname = current_database() AND state = 'active' AND pid <> pg_backend_pid() AND ms >= $1
    AND backend_type = 'client backend' ORDER BY ms DESC LIMIT $2`;
