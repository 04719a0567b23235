import { z } from 'zod';
import { defineAction } from '../action.ts';
import { databaseReference } from './database.ts';

const table = z.object({ table: z.string(), bytes: z.number(), rows: z.number(), deadRows: z.number() });

/** Row counts are the server's estimates: counting would read everything. */
export const readDatabaseSize = defineAction({
  name: 'readDatabaseSize',
  description: 'Reads the size of a database, and of its largest tables with their indexes',
  group: 'postgres',
  parameters: z.strictObject({
    ...databaseReference,
    tables: z.int().min(0).max(50).default(10).describe('So many of its largest tables'),
  }),
  example: { database: 'shop' },
  output: z.object({ bytes: z.number(), mebibytes: z.number(), tables: z.array(table) }),
  changes: 'nothing',

  async run(context, { database, tables: limit }) {
    const session = await context.postgres(database);
    const [row] = await session.query<{ bytes: number }>('SELECT pg_database_size(current_database()) AS bytes');
    const tables = await session.query<z.output<typeof table>>(
      `SELECT schemaname || '.' || relname AS table, pg_total_relation_size(relid) AS bytes,
              n_live_tup AS rows, n_dead_tup AS "deadRows"
       FROM pg_stat_user_tables ORDER BY 2 DESC, 1 LIMIT $1`,
      [limit],
    );
    const { bytes } = row!;
    return { bytes, mebibytes: Math.round(bytes / 2 ** 20), tables };
  },
});
