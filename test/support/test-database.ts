import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import pg from 'pg';
import { readEndpoints } from '../../scripts/sandbox/endpoints.ts';
import { database as databaseSchema, type CatalogDatabase } from '../../src/contracts/database.ts';

/** A database of one test, as the catalog would have it, and who may look into it. */
export interface TestDatabase {
  name: string;
  catalog: CatalogDatabase;
  /** What the reference to the password resolves to. */
  env: Record<string, string>;
  /** A client of its own, a superuser of the server. */
  connect(over?: pg.ClientConfig): Promise<pg.Client>;
  remove(): Promise<void>;
}

/** Creates a database on the sandbox's server. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const { host, port, user, passwordFile, database: home } = readEndpoints().postgres;
  const password = readFileSync(passwordFile, 'utf8').trim();
  const name = `test_${randomBytes(4).toString('hex')}`;
  const connect = async (over: pg.ClientConfig = {}): Promise<pg.Client> => {
    const client = new pg.Client({ host, port, user, password, database: name, ...over });
    client.on('error', () => undefined); // Tests end sessions.
    await client.connect();
    return client;
  };
  const atHome = async (sql: string): Promise<void> => {
    const client = await connect({ database: home });
    await client.query(sql).finally(() => client.end());
  };
  await atHome(`CREATE DATABASE ${name}`);
  return {
    name,
    catalog: databaseSchema.parse({
      name,
      servers: { local: { host, port, user, password: 'env:TEST_DATABASE_PASSWORD', tls: 'disable' } },
    }),
    env: { TEST_DATABASE_PASSWORD: password },
    connect,
    remove: () => atHome(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`),
  };
}
