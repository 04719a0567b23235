import type { BackupManifest } from '../../contracts/backup.ts';
import { failure } from '../failure.ts';
import { quoted } from '../../domain/sql/statement.ts';
import type { Query, Row } from '../postgres.ts';

/** What identifies a database and its server. */
export type DatabaseFacts = BackupManifest['source'];

/** Of the database that the session is connected to. */
export async function readFacts(query: Query): Promise<DatabaseFacts> {
  const [facts] = await query<DatabaseFacts & Row>(`
    SELECT current_database() AS name,
           (SELECT system_identifier::text FROM pg_control_system()) AS "systemIdentifier",
           current_setting('server_version') AS "serverVersion",
           pg_database_size(oid)::float8 AS bytes,
           pg_encoding_to_char(encoding) AS encoding, datcollate AS collate, datctype AS ctype
    FROM pg_database WHERE datname = current_database()`);
  return facts!;
}

export interface DatabaseState {
  exists: boolean;
  takesConnections: boolean;
  sessions: number;
  /** Fencing token that was last written on it; 0 when none was. */
  fence: number;
}

/** Of any database of the server. */
export async function readState(query: Query, name: string): Promise<DatabaseState> {
  const [found] = await query<{ allowed: boolean; sessions: number; settings: string[] | null }>(
    `SELECT datallowconn AS allowed,
            (SELECT count(*) FROM pg_stat_activity WHERE datname = d.datname) AS sessions,
            (SELECT setconfig FROM pg_db_role_setting WHERE setdatabase = d.oid AND setrole = 0) AS settings
     FROM pg_database d WHERE datname = $1`,
    [name],
  );
  if (!found) return { exists: false, takesConnections: false, sessions: 0, fence: 0 };
  const setting = found.settings?.find((each) => each.startsWith(`${FENCE}=`));
  return {
    exists: true,
    takesConnections: found.allowed,
    sessions: found.sessions,
    fence: Number(setting?.slice(FENCE.length + 1) ?? 0),
  };
}

/** A setting of the database under a name of our own: it is renamed with it, and any owner may write it. */
const FENCE = 'windlass.fence';
/** Every change below takes this lock for its transaction, so that none slips between another's look and its change. */
const LOCK = 0x77_69_6e_64;

/**
 * Changes databases of a server in one transaction, if the fence on one of them is ours.
 * @throws ApplicationFailure Fenced when a newer token is on it, Interfered when ours is not
 */
export async function changeFenced<T>(
  query: Query,
  fenced: { database: string; token: number },
  change: () => Promise<T>,
): Promise<T> {
  return transaction(query, async () => {
    const { fence } = await readState(query, fenced.database);
    if (fence > fenced.token) throw displaced(fenced, fence);
    if (fence !== fenced.token)
      throw failure(
        'Interfered',
        `database ${fenced.database} carries token ${fence || 'none'}, ours is ${fenced.token}: somebody replaced it or reset ${FENCE}.`,
      );
    return change();
  });
}

/** Puts the token on a database, unless a newer one is there. @throws ApplicationFailure Fenced, NotFound */
export async function raiseFence(query: Query, fenced: { database: string; token: number }): Promise<void> {
  await transaction(query, async () => {
    const { exists, fence } = await readState(query, fenced.database);
    if (!exists) throw failure('NotFound', `there is no database ${fenced.database} on this server`);
    if (fence > fenced.token) throw displaced(fenced, fence);
    if (fence < fenced.token) await writeFence(query, fenced);
  });
}

/** Within a transaction of `changeFenced`. */
export async function writeFence(query: Query, { database, token }: { database: string; token: number }) {
  await query(`ALTER DATABASE ${quoted(database)} SET ${FENCE} = '${Math.trunc(token)}'`);
}

async function transaction<T>(query: Query, work: () => Promise<T>): Promise<T> {
  await query('BEGIN');
  try {
    await query('SELECT pg_advisory_xact_lock($1)', [LOCK]);
    const result = await work();
    await query('COMMIT');
    return result;
  } catch (error) {
    await query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

/** Creates an empty database of the given kind; one of that name, which an earlier attempt left, goes first. */
export async function createAnew(query: Query, name: string, like: DatabaseFacts): Promise<void> {
  await dropDatabase(query, name);
  const text = (value: string): string => `'${value.replaceAll("'", "''")}'`;
  await query(
    `CREATE DATABASE ${quoted(name)} TEMPLATE template0 ENCODING ${text(like.encoding)} ` +
      `LC_COLLATE ${text(like.collate)} LC_CTYPE ${text(like.ctype)}`,
  );
}

/** Drops a database and ends the sessions in it; nothing happens when it is not there. */
export async function dropDatabase(query: Query, name: string): Promise<void> {
  await query(`DROP DATABASE IF EXISTS ${quoted(name)} WITH (FORCE)`);
}

/** Ends every session in a database but our own. @returns how many there were */
export async function endSessions(query: Query, name: string): Promise<number> {
  const ended = await query(
    'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND pid <> pg_backend_pid()',
    [name],
  );
  return ended.length;
}

const displaced = ({ database, token }: { database: string; token: number }, fence: number) =>
  failure('Fenced', `database ${database} carries token ${fence}, ours is ${token}: another procedure took it over.`, [
    { fence, token },
  ]);
