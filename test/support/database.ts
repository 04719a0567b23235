import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import pg from 'pg';
import { createBackupActivities } from '../../activities/backups.ts';
import { createRestoreDraftActivities } from '../../activities/restore-draft.ts';
import { createRestoreActivities } from '../../activities/restores.ts';
import { readEndpoints } from '../../scripts/sandbox/endpoints.ts';
import { createSecretResolver } from '../../src/adapters/secrets.ts';
import { systemSchema, type DatabaseSlice } from '../../src/contracts/catalog.ts';
import { inActivityContext } from './release.ts';

/** A database of its own on the sandbox's PostgreSQL, and the activities that work on it. */
export interface DatabaseBench {
  /** Its name; also the prefix of every other database that a test makes. */
  name: string;
  /** Prefix of its store. */
  prefix: string;
  slice: DatabaseSlice;
  act: ReturnType<typeof activitiesWith>;
  /** The same activities with other secrets: a wrong key, a wrong password. */
  actWith(secrets: Record<string, string>): ReturnType<typeof activitiesWith>;
  /** An independent client of it, or of another database of the server. */
  sql<Row = Record<string, unknown>>(text: string, database?: string): Promise<Row[]>;
  /** A connection that stays open until the test closes it. */
  connect(database?: string): Promise<pg.Client>;
  /** Names of the server's databases that begin like ours. */
  databases(): Promise<string[]>;
  objects: TestObjects;
  /** Those of another place below the same prefix. */
  objectsOf(place: string): TestObjects;
  /** Drops what is left. */
  remove(): Promise<void>;
}

/** The stored objects of the bench's database, by key below its prefix. */
export interface TestObjects {
  list(): Promise<string[]>;
  read(name: string): Promise<Buffer>;
  write(name: string, body: Buffer): Promise<void>;
  remove(name: string): Promise<void>;
}

const KEY = randomBytes(32).toString('base64');

/** A PostgreSQL server and its superuser. */
export type PostgresPlace = Pick<
  ReturnType<typeof readEndpoints>['postgres'],
  'host' | 'port' | 'user' | 'passwordFile'
>;

/**
 * @param place below which its backups are stored: system, environment, database. With it the sandbox's own key is used, as
 *   a worker does.
 * @param postgres where the database is; default: the sandbox's own server
 */
export async function createDatabaseBench(
  place?: string,
  postgres: PostgresPlace = readEndpoints().postgres,
): Promise<DatabaseBench> {
  const { s3, backupKeyFile } = readEndpoints();
  const name = `t_${randomBytes(4).toString('hex')}`;
  const secrets = {
    TEST_PG: readFileSync(postgres.passwordFile, 'utf8').trim(),
    TEST_S3_ID: s3.accessKeyId,
    TEST_S3_KEY: readFileSync(s3.secretKeyFile, 'utf8').trim(),
    TEST_BACKUP_KEY: place ? readFileSync(backupKeyFile, 'utf8').trim() : KEY,
  };
  const prefix = place ? `backups-of-${name}` : 'backups';
  const slice = sliceOf(name, { postgres, s3 }, prefix);
  const connect = (database = name): Promise<pg.Client> => connectTo(postgres, database);
  const sql = async <Row>(text: string, database = name): Promise<Row[]> => {
    const client = await connect(database);
    return client.query(text).then(({ rows }) => rows as Row[]).finally(() => client.end()); // prettier-ignore
  };
  const databases = async (): Promise<string[]> => {
    const rows = await sql<{ datname: string }>(
      `SELECT datname FROM pg_database WHERE datname LIKE '${name}%' ORDER BY 1`,
      'postgres',
    );
    return rows.map(({ datname }) => datname);
  };
  await sql(`CREATE DATABASE ${name}`, 'postgres');
  const objectsOf = (of: string): TestObjects => openObjects(`${prefix}/${of}`, secrets);
  const objects = objectsOf(place ?? `test/local/${name}`);
  return {
    name,
    slice,
    act: activitiesWith(secrets),
    actWith: (other) => activitiesWith({ ...secrets, ...other }),
    ...{ prefix, sql, connect, databases, objects, objectsOf },
    async remove() {
      for (const each of await databases()) await sql(`DROP DATABASE IF EXISTS ${each} WITH (FORCE)`, 'postgres');
      for (const key of await objects.list()) await objects.remove(key);
    },
  };
}

/** An independent client, as the server's superuser. */
export async function connectTo(
  { host, port, user, passwordFile }: PostgresPlace,
  database: string,
): Promise<pg.Client> {
  const client = new pg.Client({ host, port, user, database, password: readFileSync(passwordFile, 'utf8').trim() });
  // A server that goes ends it, which is what some tests are about.
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

function activitiesWith(env: Record<string, string>) {
  const secrets = createSecretResolver({ env });
  return inActivityContext({
    ...createBackupActivities({ secrets }),
    ...createRestoreActivities({ secrets }),
    ...createRestoreDraftActivities({ secrets }),
  });
}

/** A slice with the catalog's defaults filled in. */
export function sliceOf(
  name: string,
  { postgres, s3 }: { postgres: PostgresPlace } & Pick<ReturnType<typeof readEndpoints>, 's3'>,
  prefix = 'backups',
): DatabaseSlice {
  const parsed = systemSchema.parse({
    apiVersion: 'windlass/v1',
    system: 'test',
    description: 'A system with a database',
    environments: { local: { cluster: { context: 'local' }, namespace: 'shop', production: false } },
    services: {},
    databases: {
      [name.replaceAll('_', '-')]: {
        name,
        servers: {
          local: {
            host: postgres.host,
            port: postgres.port,
            user: postgres.user,
            password: 'env:TEST_PG',
            tls: 'disable',
          },
        },
        backup: {
          store: {
            endpoint: s3.endpoint,
            bucket: s3.bucket,
            prefix,
            accessKeyId: 'env:TEST_S3_ID',
            secretAccessKey: 'env:TEST_S3_KEY',
          },
          encryptionKey: 'env:TEST_BACKUP_KEY',
        },
      },
    },
    people: [{ name: 'ana', roles: ['lead'] }],
  });
  const { servers, ...spec } = Object.values(parsed.databases)[0]!;
  const { backUpDatabase, restoreDatabase } = parsed.policies;
  return {
    ...{ digest: 'sha256:0', system: 'test', environment: 'local', database: name, namespace: 'shop' },
    ...{ cluster: { context: 'local' }, production: false, people: parsed.people, services: {} },
    ...{ spec, server: servers['local']!, policies: { backUpDatabase, restoreDatabase } },
  };
}

function openObjects(prefix: string, secrets: { TEST_S3_ID: string; TEST_S3_KEY: string }): TestObjects {
  const { s3 } = readEndpoints();
  const credentials = { accessKeyId: secrets.TEST_S3_ID, secretAccessKey: secrets.TEST_S3_KEY };
  const client = new S3Client({ endpoint: s3.endpoint, region: s3.region, forcePathStyle: true, credentials });
  const at = (name: string) => ({ Bucket: s3.bucket, Key: `${prefix}/${name}` });
  return {
    async list() {
      const { Contents = [] } = await client.send(
        new ListObjectsV2Command({ Bucket: s3.bucket, Prefix: `${prefix}/` }),
      );
      return Contents.map(({ Key }) => Key!.slice(prefix.length + 1)).sort();
    },
    async read(name) {
      const { Body } = await client.send(new GetObjectCommand(at(name)));
      return Buffer.from(await Body!.transformToByteArray());
    },
    async write(name, body) {
      await client.send(new PutObjectCommand({ ...at(name), Body: body }));
    },
    async remove(name) {
      await client.send(new DeleteObjectCommand(at(name)));
    },
  };
}
