import { z } from 'zod';
import { quoted } from '../../domain/sql/statement.ts';
import { defineAction } from '../action.ts';
import { beating } from '../beat.ts';
import { indexReference } from './create-index-concurrently.ts';
import { findIndex } from './index-state.ts';

const LONGEST_MS = 3_600_000;

/** Convergent: one that is gone is what was wanted. One of a constraint is refused by the server. */
export const dropIndexConcurrently = defineAction({
  name: 'dropIndexConcurrently',
  description: 'Drops an index while its table is read and written',
  group: 'postgres',
  parameters: z.strictObject(indexReference),
  example: { database: 'shop', index: 'orders_customer' },
  output: z.object({ dropped: z.boolean() }),
  changes: 'convergent',
  timeoutMs: LONGEST_MS,

  async plan(context, { database, schema, index }) {
    const found = await findIndex(await context.postgres(database), schema, index);
    return {
      lines: found ? [`index ${schema}.${index} on ${found.table} (${found.columns.join(', ')}) is dropped`] : [],
    };
  },

  async run(context, { database, schema, index }) {
    const session = await context.postgres(database);
    if (!(await findIndex(session, schema, index))) return { dropped: false };
    await context.assertFence();
    await session.limit(LONGEST_MS);
    await beating(context, session.query(`DROP INDEX CONCURRENTLY IF EXISTS ${quoted(schema, index)}`));
    return { dropped: true };
  },
});
