import { cancellationSignal } from '@temporalio/activity';
import { parseKey } from '../src/adapters/backup/cipher.ts';
import { readFacts, type DatabaseFacts } from '../src/adapters/backup/server.ts';
import { openBackupStore, type BackupStore } from '../src/adapters/backup/store.ts';
import { failure } from '../src/adapters/failure.ts';
import type { PostgresTarget } from '../src/adapters/backup/tools.ts';
import { openPostgres, type PostgresSession, type Query } from '../src/adapters/postgres.ts';
import type { DatabaseSlice } from '../src/contracts/catalog.ts';
import type { BackupPlan } from '../src/contracts/database.ts';
import type { Dependencies } from './dependencies.ts';

type Secrets = Pick<Dependencies, 'secrets'>;

/** Creating and dropping a database copies and removes files. */
const ADMINISTRATION_MS = 120_000;
/** Every server has it, and no procedure renames it. */
const MAINTENANCE = 'postgres';

/** How to connect to a database of the slice's server. The password exists in memory only. @throws SecretMissing */
export async function targetOn(
  { secrets }: Secrets,
  { server }: DatabaseSlice,
  database: string,
): Promise<PostgresTarget> {
  return { server, database, password: await secrets.resolve(server.password) };
}

/** Opens a connection and closes it whatever happens. @throws as `openPostgres` */
export async function withPostgres<T>(
  target: PostgresTarget,
  work: (session: PostgresSession) => Promise<T>,
): Promise<T> {
  const session = await openPostgres({ ...target, signal: cancellationSignal() });
  try {
    return await work(session);
  } finally {
    await session.close();
  }
}

/**
 * Works on the server of a database, connected to a database that is never swapped.
 * @param identity system identifier that was learned at the plan, when the catalog names none
 * @throws WrongCluster before anything else is asked; as `openPostgres`
 */
export async function onServer<T>(
  deps: Secrets,
  slice: DatabaseSlice,
  work: (query: Query, facts: DatabaseFacts) => Promise<T>,
  identity?: string,
): Promise<T> {
  const target = await targetOn(deps, slice, MAINTENANCE);
  return withPostgres(target, async ({ query, limit }) => {
    const facts = await readFacts(query);
    const { host, port } = slice.server;
    if (identity !== undefined && facts.systemIdentifier !== identity)
      throw failure(
        'WrongCluster',
        `PostgreSQL at ${host}:${port} is server ${facts.systemIdentifier}, the plan was made for ${identity}: somebody moved it.`,
      );
    await limit(ADMINISTRATION_MS);
    return work(query, facts);
  });
}

/** The backup part of a database. @throws Refused when it has none */
export function backupPlanOf({ spec, database, system }: DatabaseSlice): BackupPlan {
  if (spec.backup) return spec.backup;
  throw failure(
    'Refused',
    `database ${database} of ${system} has no backup in the catalog: add databases.${database}.backup`,
  );
}

/** Opens the store and closes it whatever happens. @throws SecretMissing, Refused */
export async function withStore<T>(
  { secrets }: Secrets,
  slice: DatabaseSlice,
  work: (store: BackupStore, prefix: string) => Promise<T>,
): Promise<T> {
  const { endpoint, region, bucket, prefix, ...references } = backupPlanOf(slice).store;
  const [accessKeyId, secretAccessKey] = await Promise.all([
    secrets.resolve(references.accessKeyId),
    secrets.resolve(references.secretAccessKey),
  ]);
  const store = openBackupStore({ region, bucket, accessKeyId, secretAccessKey, ...(endpoint ? { endpoint } : {}) });
  try {
    return await work(store, [prefix, slice.system, slice.environment, slice.database].filter(Boolean).join('/'));
  } finally {
    store.close();
  }
}

/** @throws SecretMissing */
export async function encryptionKeyOf({ secrets }: Secrets, slice: DatabaseSlice): Promise<Buffer> {
  const reference = backupPlanOf(slice).encryptionKey;
  return parseKey(await secrets.resolve(reference), reference);
}
