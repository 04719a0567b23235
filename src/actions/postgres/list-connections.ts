import { z } from 'zod';
import { defineAction } from '../action.ts';
import { databaseReference } from './database.ts';

const group = z.object({
  user: z.string(),
  database: z.string(),
  state: z.string(),
  count: z.int(),
  oldestSeconds: z.number(),
});

/** Of the whole server, because its databases share `max_connections`. Age: since the state began. */
export const listConnections = defineAction({
  name: 'listConnections',
  description: 'Counts connections of a PostgreSQL server by user, database and state, against its limit',
  group: 'postgres',
  parameters: z.strictObject(databaseReference),
  example: { database: 'shop' },
  output: z.object({ total: z.int(), limit: z.int(), usedPercent: z.number(), groups: z.array(group) }),
  changes: 'nothing',

  async run(context, { database }) {
    const session = await context.postgres(database);
    const groups = await session.query<z.output<typeof group>>(`
      SELECT coalesce(usename, '') AS user, coalesce(datname, '') AS database, coalesce(state, '') AS state,
             count(*) AS count,
             coalesce(round(max(extract(epoch FROM now() - state_change))), 0) AS "oldestSeconds"
      FROM pg_stat_activity WHERE backend_type = 'client backend'
      GROUP BY 1, 2, 3 ORDER BY 4 DESC, 1, 2, 3 LIMIT 100`);
    const [row] = await session.query<{ limit: number; total: number }>(`
      SELECT current_setting('max_connections')::int AS limit,
             (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') AS total`);
    const { limit, total } = row!;
    return { total, limit, usedPercent: Math.round((1000 * total) / limit) / 10, groups };
  },
});
