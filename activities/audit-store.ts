import { cancellationSignal } from '@temporalio/activity';
import { hasSchema, migrateAudit, openAuditDatabase } from '../src/adapters/audit/connect.ts';
import { failure, isFailure } from '../src/adapters/failure.ts';
import type { PostgresSession } from '../src/adapters/postgres.ts';
import type { Dependencies } from './dependencies.ts';

type Needs = Pick<Dependencies, 'secrets' | 'audit'>;

/** The audit as the worker is configured. @throws Refused when it is off */
export function auditOf({ audit }: Pick<Dependencies, 'audit'>): NonNullable<Dependencies['audit']> {
  if (audit) return audit;
  throw failure(
    'Refused',
    'the audit is off on this worker: set WINDLASS_AUDIT_DATABASE to the reference of a PostgreSQL URL, such as file:/etc/windlass/audit.url (docs/audit.md)',
  );
}

/**
 * Connects to the audit's database and closes the connection whatever happens. The first time it looks for the schema,
 * and makes it where the worker has the owner's URL.
 * @throws Refused when the audit is off; NotFound when there is no schema; as openPostgres
 */
export async function withAudit<T>(deps: Needs, work: (session: PostgresSession) => Promise<T>): Promise<T> {
  const { database, owner, state } = auditOf(deps);
  const url = await deps.secrets.resolve(database);
  const session = await openAuditDatabase(url, cancellationSignal());
  try {
    if (!state.ready) {
      if (!(await hasSchema(session))) await makeSchema(deps, owner, url);
      state.ready = true;
    }
    return await work(session);
  } catch (error) {
    // A database that was made anew has no schema.
    if (isFailure(error, 'NotFound')) state.ready = false;
    throw error;
  } finally {
    await session.close();
  }
}

async function makeSchema({ secrets }: Needs, owner: string | undefined, url: string): Promise<void> {
  if (owner) return migrateAudit(await secrets.resolve(owner), url, cancellationSignal());
  throw failure(
    'NotFound',
    "the audit's database has no schema of this version: apply `windlass audit schema` as the owner, or set WINDLASS_AUDIT_OWNER_DATABASE",
  );
}
