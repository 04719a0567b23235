import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, rmSync, statSync } from 'node:fs';
import pg from 'pg';
import { createBackupActivities } from '../../../activities/backups.ts';
import type { Endpoints } from '../../../scripts/sandbox/endpoints.ts';
import { logFile } from '../../../scripts/sandbox/processes.ts';
import { waitFor } from '../../../scripts/sandbox/wait.ts';
import { secretsOf } from '../../../scripts/worker-process.ts';
import { createSecretResolver } from '../../../src/adapters/secrets.ts';
import { compileDatabaseSlice } from '../../../src/catalog/database-slice.ts';
import { loadCatalog } from '../../../src/catalog/load.ts';
import { backupIdOf } from '../../../src/domain/backup/retention.ts';
import { inActivityContext } from '../release.ts';
import { databaseOf, databasesOf, normalize } from './calls.ts';
import { DATABASE, SYSTEM, writeCatalog } from './catalog.ts';
import { effectsOf, LOG_PREFIX, statementsOf } from './database-log.ts';

/** How a database begins: filled; or backed up, and then a table of it lost. */
export type DatabaseSetting = 'filled' | 'damaged';

/** The PostgreSQL server as its administrator sees it: databases of environments, and what was done to them. */
export interface Databases {
  prepare(environment: string, setting: DatabaseSetting): Promise<void>;
  /** Databases of an environment, what they let in and what is in them, a line each. */
  describe(environment: string): Promise<string[]>;
  /** Where the server's log ends now; from here on it has every statement. One bench at a time reads it. */
  position(): Promise<number>;
  /** Changes of databases as a whole (renamed, closed, fenced, dropped) that took effect since then, by the server's own log. */
  effects(environment: string, from: number): Promise<string[]>;
  forget(environment: string): Promise<void>;
  close(): Promise<void>;
}

/** Enough that its dump goes to the store in parts: what cannot be compressed has to be random. */
const FILL = `
  CREATE TABLE orders (id serial PRIMARY KEY, what text NOT NULL);
  INSERT INTO orders (what) SELECT 'order ' || n FROM generate_series(1, 1000) n;
  CREATE TABLE pictures (id int PRIMARY KEY, data bytea NOT NULL)`;
const PICTURES = 10;
const PICTURE_BYTES = 1024 * 1024;

/** @param name part of every environment of this bench */
export async function connectDatabases(endpoints: Endpoints, name: string): Promise<Databases> {
  const { host, port, user, passwordFile } = endpoints.postgres;
  const password = readFileSync(passwordFile, 'utf8').trim();
  const connect = async (database: string): Promise<pg.Client> => {
    const client = new pg.Client({ host, port, user, password, database });
    client.on('error', () => undefined);
    await client.connect();
    return client;
  };
  const admin = new pg.Pool({ host, port, user, password, database: 'postgres', max: 4 });
  const log = logFile('postgres');
  const template = `${databaseOf(name)}_template`;
  /** By the first run that reads it: the log is the server's, and another bench may be reading it. */
  const logStatements = async (): Promise<void> => {
    await admin.query(`ALTER SYSTEM SET log_statement = 'all'`);
    await admin.query(`ALTER SYSTEM SET log_line_prefix = '${LOG_PREFIX}'`);
    await admin.query('SELECT pg_reload_conf()');
  };
  let logging: Promise<void> | undefined;
  /** Made by the first run that needs a database: most benches have none. */
  const fillTemplate = async (): Promise<void> => {
    await admin.query(`CREATE DATABASE ${template}`);
    const filling = await connect(template);
    await filling.query(FILL);
    for (let id = 1; id <= PICTURES; id++)
      await filling.query('INSERT INTO pictures VALUES ($1, $2)', [id, randomBytes(PICTURE_BYTES)]);
    await filling.end();
    // A template must have nobody in it: one copy at a time, and nobody connects.
    await admin.query(`ALTER DATABASE ${template} ALLOW_CONNECTIONS false`);
  };
  let filled: Promise<void> | undefined;

  const namesOf = async (environment: string): Promise<{ datname: string; datallowconn: boolean }[]> => {
    const { rows } = await admin.query<{ datname: string; datallowconn: boolean }>(
      'SELECT datname, datallowconn FROM pg_database WHERE datname ~ $1 ORDER BY datname',
      [`^${databasesOf(environment)}$`],
    );
    return rows;
  };
  const inside = async <T>(database: string, work: (client: pg.Client) => Promise<T>): Promise<T> => {
    const client = await connect(database);
    return work(client).finally(() => client.end());
  };

  return {
    async prepare(environment, setting) {
      await (filled ??= fillTemplate());
      await admin.query(`CREATE DATABASE ${databaseOf(environment)} TEMPLATE ${template}`);
      if (setting === 'filled') return;
      const systems = writeCatalog(endpoints, [environment]);
      const catalog = await loadCatalog({ directory: systems }).finally(() => rmSync(systems, { recursive: true }));
      const slice = compileDatabaseSlice(catalog, { system: SYSTEM, environment, database: DATABASE });
      const secrets = createSecretResolver({ env: secretsOf(endpoints) });
      const { dumpDatabase } = inActivityContext(createBackupActivities({ secrets }));
      const id = backupIdOf(Date.now(), randomBytes(4).toString('hex'));
      // As a worker would: again, when a busy server did not answer in time.
      await waitFor(`backup ${id}`, () => dumpDatabase({ slice, id }), { timeoutSeconds: 60 });
      await inside(databaseOf(environment), (client) => client.query('DROP TABLE orders'));
    },

    async describe(environment) {
      const lines: string[] = [];
      for (const { datname, datallowconn } of await namesOf(environment)) {
        const tables = datallowconn ? await inside(datname, contentsOf) : ['closed'];
        lines.push(normalize(`database ${datname}: ${tables.join(', ')}`, environment));
      }
      return lines;
    },

    async position() {
      await (logging ??= logStatements());
      return statSync(log).size;
    },

    async effects(environment, from) {
      // What the server did is in its log once this is.
      const mark = `end of ${environment} ${randomBytes(4).toString('hex')}`;
      await admin.query(`SELECT '${mark}'`);
      let found: string[] = [];
      await waitFor(
        'the log of PostgreSQL',
        async () => (found = await statementsOf(log, from)).some((line) => line.includes(mark)),
        { timeoutSeconds: 60 },
      );
      return effectsOf(found, environment);
    },

    async forget(environment) {
      for (const { datname } of await namesOf(environment))
        await admin.query(`DROP DATABASE IF EXISTS ${datname} WITH (FORCE)`);
    },

    async close() {
      if (logging) {
        await admin.query('ALTER SYSTEM RESET log_statement');
        await admin.query('ALTER SYSTEM RESET log_line_prefix');
        await admin.query('SELECT pg_reload_conf()');
      }
      await admin.query(`DROP DATABASE IF EXISTS ${template} WITH (FORCE)`);
      await admin.end();
    },
  };
}

/** Tables with their rows and a digest of them. */
async function contentsOf(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ relname: string }>(
    `SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 1`,
  );
  const lines: string[] = [];
  for (const { relname } of rows) {
    const found = await client.query<{ row: string }>(`SELECT md5(t::text) AS row FROM ${relname} t ORDER BY 1`);
    const digest = createHash('md5').update(found.rows.map(({ row }) => row).join());
    lines.push(`${relname} ${found.rowCount} rows ${digest.digest('hex').slice(0, 8)}`);
  }
  return lines;
}
