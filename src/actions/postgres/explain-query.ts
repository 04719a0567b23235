import { z } from 'zod';
import { defineAction } from '../action.ts';
import { databaseReference, query } from './database.ts';

/** Without ANALYZE: the statement is planned and not run. */
export const explainQuery = defineAction({
  name: 'explainQuery',
  description: 'Shows how the server would run a query, without running it',
  group: 'postgres',
  parameters: z.strictObject({ ...databaseReference, sql: query.describe('One SELECT, without parameters') }),
  example: { database: 'shop', sql: 'SELECT count(*) FROM pg_class' },
  output: z.object({ cost: z.number(), plan: z.array(z.string()) }),
  changes: 'nothing',

  async run(context, { database, sql }) {
    const session = await context.postgres(database);
    const rows = await session.readOnly((query) =>
      query<{ 'QUERY PLAN': string }>(`EXPLAIN (ANALYZE FALSE, FORMAT TEXT) ${sql}`),
    );
    const plan = rows.map((row) => row['QUERY PLAN']);
    const [, cost = '0'] = /cost=[\d.]+\.\.([\d.]+)/.exec(plan[0] ?? '') ?? [];
    return { cost: Number(cost), plan: plan.slice(0, 200) };
  },
});
