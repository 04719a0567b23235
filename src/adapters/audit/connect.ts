import type { DatabaseServer } from '../../contracts/database.ts';
import { failure, isFailure } from '../failure.ts';
import { openPostgres, type PostgresSession } from '../postgres.ts';
import { SCHEMA_VERSION, schemaStatements } from '../../audit/schema.ts';

/** Making the schema on a large table, or storing the record of a long procedure. */
const STATEMENT_MS = 60_000;

/** What a URL such as `postgres://windlass_audit:…@db.example.com:5432/audit?sslmode=verify-full` says. @throws InvalidInput */
export function parseDatabaseUrl(text: string): { server: DatabaseServer; database: string; password: string } {
  // The URL has a password in it: no part of it is quoted.
  const wrong = (what: string) =>
    failure(
      'InvalidInput',
      `the audit's database: expected postgres://user:password@host:port/database?sslmode=…, ${what}`,
    );
  if (!URL.canParse(text)) throw wrong('got no URL');
  const { protocol, hostname, port, username, password, pathname, searchParams } = new URL(text);
  if (!/^postgres(ql)?:$/.test(protocol)) throw wrong('got another protocol');
  if (!hostname || !username || pathname.length < 2) throw wrong('got none of host, user or database');
  const tls = searchParams.get('sslmode') ?? 'verify-full';
  if (tls !== 'verify-full' && tls !== 'require' && tls !== 'disable')
    throw wrong('got another sslmode than verify-full, require or disable');
  const [user, secret, database] = [username, password, pathname.slice(1)].map(decodeURIComponent) as [
    string,
    string,
    string,
  ];
  const server = {
    host: hostname.replace(/^\[|\]$/g, ''),
    port: Number(port || 5432),
    user,
    password: '',
    tls,
  } as const;
  return { server: server, database, password: secret };
}

/** Opens the audit's database. Whoever asks closes it. @throws as openPostgres; InvalidInput for a wrong URL */
export async function openAuditDatabase(url: string, signal: AbortSignal): Promise<PostgresSession> {
  const session = await openPostgres({ ...parseDatabaseUrl(url), signal });
  await session.limit(STATEMENT_MS);
  return session;
}

/** Whether the schema is there in the version we know. @throws as openPostgres */
export async function hasSchema({ query }: PostgresSession): Promise<boolean> {
  const [row] = await query<{ comment: string | null }>(
    `SELECT obj_description(oid, 'pg_namespace') AS comment FROM pg_namespace WHERE nspname = 'windlass_audit'`,
  );
  return row?.comment === SCHEMA_VERSION;
}

/**
 * Makes the schema as its owner, all of it or nothing, one at a time.
 * @throws Forbidden when the role may not; NotFound when the writer's role does not exist
 */
export async function migrateAudit(url: string, writerUrl: string, signal: AbortSignal): Promise<void> {
  const session = await openAuditDatabase(url, signal);
  try {
    await session.transaction(async (query) => {
      for (const statement of schemaStatements(parseDatabaseUrl(writerUrl).server.user)) await query(statement);
    });
  } catch (error) {
    if (isFailure(error)) throw error;
    throw failure('Unavailable', `the audit's schema was not made: ${String(error)}`);
  } finally {
    await session.close();
  }
}
