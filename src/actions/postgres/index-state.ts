import type { PostgresSession } from '../../adapters/postgres.ts';

export interface IndexState extends Record<string, unknown> {
  table: string;
  columns: string[];
  unique: boolean;
  method: string;
  /** False: its build did not finish. It is not used, and it costs at every write. */
  valid: boolean;
  /** A backend builds it at this moment. */
  building: boolean;
}

/** An index by name; undefined when there is none. Building it is in a progress view, whoever started it. */
export async function findIndex(
  { query }: Pick<PostgresSession, 'query'>,
  schema: string,
  name: string,
): Promise<IndexState | undefined> {
  const [found] = await query<IndexState>(
    `SELECT t.relname AS table, i.indisunique AS unique, i.indisvalid AS valid, m.amname AS method,
            ARRAY(SELECT coalesce(a.attname::text, '(expression)')
                  FROM unnest(i.indkey) WITH ORDINALITY AS k(attnum, place)
                  LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
                  ORDER BY k.place) AS columns,
            EXISTS (SELECT FROM pg_stat_progress_create_index p WHERE p.index_relid = i.indexrelid) AS building
     FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
     JOIN pg_class t ON t.oid = i.indrelid JOIN pg_am m ON m.oid = c.relam
     WHERE n.nspname = $1 AND c.relname = $2`,
    [schema, name],
  );
  return found;
}
