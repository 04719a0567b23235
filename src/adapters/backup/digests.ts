import type { TableDigest } from '../../contracts/backup.ts';
import { quoted } from '../../domain/sql/statement.ts';
import type { Query } from '../postgres.ts';

/** So that a value has one text, whatever the server's or the role's settings are. */
const SETTINGS = [
  'search_path = pg_catalog',
  'datestyle = ISO',
  'intervalstyle = postgres',
  "timezone = 'UTC'",
  'extra_float_digits = 1',
  'bytea_output = hex',
];

const TABLES = `
  SELECT n.nspname AS schema, c.relname AS name
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind = 'r' AND c.relpersistence <> 't'
    AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    -- Tables of extensions come with the extension, not with a dump.
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
  ORDER BY 1, 2`;

/** Rows and content of every table that a dump contains, as the transaction of the session sees them. */
export async function digestTables(query: Query): Promise<TableDigest[]> {
  for (const setting of SETTINGS) await query(`SET LOCAL ${setting}`);
  const digests: TableDigest[] = [];
  for (const { schema, name } of await query<{ schema: string; name: string }>(TABLES)) {
    const from = quoted(schema, name);
    // ONLY: the rows of a partition or a child are counted in its own table.
    const [row] = await query<{ rows: number; digest: string }>(
      `SELECT count(*) AS rows, coalesce(sum(hashtextextended(t::text, 0)), 0)::text AS digest FROM ONLY ${from} AS t`,
    );
    digests.push({ table: `${schema}.${name}`, rows: row!.rows, digest: row!.digest });
  }
  return digests;
}
