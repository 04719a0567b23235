import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import type { Client } from '@temporalio/client';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import pg from 'pg';
import { createAuditActivities, type AuditActivities } from '../../activities/audit.ts';
import type { Dependencies } from '../../activities/dependencies.ts';
import { readEndpoints } from '../../scripts/sandbox/endpoints.ts';
import { migrateAudit } from '../../src/adapters/audit/connect.ts';
import { createSealedStore, type SealedStoreOptions } from '../../src/adapters/sealed-store.ts';
import { createSecretResolver } from '../../src/adapters/secrets.ts';
import { createTestDatabase, type TestDatabase } from './test-database.ts';

/** An audit of one test: a database with a writer and an owner, and a prefix in the sandbox's object store. */
export interface AuditWorld {
  database: TestDatabase;
  /** URLs as the references of the worker's configuration resolve to them. */
  urls: { writer: string; owner: string };
  prefix: string;
  store: SealedStoreOptions;
  dependencies(
    temporal: Client,
    over?: Partial<NonNullable<Dependencies['audit']>>,
  ): Pick<Dependencies, 'temporal' | 'secrets' | 'audit'>;
  /** Calls an activity as a worker does. */
  act<Name extends keyof AuditActivities>(
    deps: Pick<Dependencies, 'temporal' | 'secrets' | 'audit'>,
    name: Name,
    ...args: Parameters<AuditActivities[Name]>
  ): ReturnType<AuditActivities[Name]>;
  /** Makes the schema, and has the audit believe that whatever ended before now is in it: other tests leave hundreds of runs. */
  beginNow(): Promise<void>;
  /** A client as the writer. */
  asWriter(): Promise<pg.Client>;
  remove(): Promise<void>;
}

export async function createAuditWorld(): Promise<AuditWorld> {
  const { postgres, s3 } = readEndpoints();
  const database = await createTestDatabase();
  const writer = `audit_${randomBytes(4).toString('hex')}`;
  const password = randomBytes(12).toString('hex');
  const admin = await database.connect();
  await admin.query(`CREATE ROLE ${writer} LOGIN PASSWORD '${password}'`);
  const ownerPassword = encodeURIComponent(readFileSync(postgres.passwordFile, 'utf8').trim());
  const at = `${postgres.host}:${postgres.port}/${database.name}?sslmode=disable`;
  const urls = {
    writer: `postgres://${writer}:${password}@${at}`,
    owner: `postgres://${postgres.user}:${ownerPassword}@${at}`,
  };
  const prefix = `test/${database.name}`;
  const store: SealedStoreOptions = {
    ...{ ...s3, secretAccessKey: readFileSync(s3.secretKeyFile, 'utf8').trim() },
    ...{ lock: 'governance', retentionMs: 60_000 },
  };
  const secrets = createSecretResolver({ env: { AUDIT_URL: urls.writer, AUDIT_OWNER_URL: urls.owner } });
  return {
    database,
    urls,
    prefix,
    store,
    dependencies: (temporal, over = {}) => ({
      temporal,
      secrets,
      audit: {
        ...{ database: 'env:AUDIT_URL', owner: 'env:AUDIT_OWNER_URL', prefix, state: { ready: false } },
        sealed: createSealedStore(store),
        ...over,
      },
    }),
    act(deps, name, ...args) {
      const activity = createAuditActivities(deps)[name] as (...given: unknown[]) => Promise<unknown>;
      const inActivity = new MockActivityEnvironment(undefined, { logger: new DefaultLogger('ERROR') });
      return inActivity.run(activity, ...args) as never;
    },
    async beginNow() {
      await migrateAudit(urls.owner, urls.writer, new AbortController().signal);
      // The search looks an hour further back than the mark.
      await admin.query("INSERT INTO windlass_audit.marks (until) VALUES (now() + interval '1 hour')");
    },
    async asWriter() {
      const client = new pg.Client({ connectionString: urls.writer.replace('?sslmode=disable', '') });
      client.on('error', () => undefined);
      await client.connect();
      return client;
    },
    async remove() {
      await admin.query('DROP SCHEMA IF EXISTS windlass_audit CASCADE');
      await admin.query(`DROP OWNED BY ${writer}`);
      await admin.query(`DROP ROLE ${writer}`);
      await admin.end();
      await database.remove();
    },
  };
}
