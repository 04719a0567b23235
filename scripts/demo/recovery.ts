import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { readFileSync } from 'node:fs';
import pg from 'pg';
import type { Endpoints } from '../sandbox/endpoints.ts';
import { seconds, type Narrator } from './narrator.ts';
import { onStage, type DemoOptions, type WorkerKilled } from './stage.ts';

/** A restore as it went. Durations are milliseconds. */
export interface RecoveryReport {
  passed: boolean;
  /** What did not go as promised; empty when all did. */
  broken: string[];
  durationMs: number;
  backup: string;
  /** Changes after the snapshot of the backup, which are lost: how much time of them, and how many rows were written. */
  rpoMs: number;
  rowsWrittenAfterBackup: number;
  /** From the request, people's time included, and from the approval. */
  rtoMs: number;
  restoreMs: number;
  workerKilled: WorkerKilled;
  /** Of every table, as an independent client read them after the restore. */
  tables: TableFacts[];
}

interface TableFacts {
  table: string;
  rows: number;
  digest: string;
}

const PLACE = ['sandbox', 'local', 'shop'];
const WRITERS = 4;

const SEED = `
  DROP TABLE IF EXISTS orders, customers;
  CREATE TABLE customers (id serial PRIMARY KEY, name text NOT NULL);
  CREATE TABLE orders (id serial PRIMARY KEY, customer int REFERENCES customers, what text NOT NULL);
  CREATE INDEX ON orders (customer);
  INSERT INTO customers (name) SELECT 'customer ' || n FROM generate_series(1, 1000) n;
  INSERT INTO orders (customer, what) SELECT 1 + n % 1000, 'order ' || n FROM generate_series(1, 200000) n`;

/** Loses a table while others write, restores a backup behind an approval, and compares what came back. */
export async function showRecovery(tell: Narrator, options: DemoOptions): Promise<RecoveryReport> {
  const startedAt = Date.now();
  return onStage(tell, options, async ({ endpoints, operator, killWorkerDuring }) => {
    await inDatabase(endpoints, (client) => client.query(SEED));
    tell.say('the database has 1000 customers and 200000 orders');

    tell.chapter('A backup: dumped, compressed and encrypted on its way into the object store');
    const backedUp = await operator.carryOut(['backup', ...PLACE], {});
    if (!backedUp.ok) throw new Error(`no backup: ${backedUp.failure}`);
    const { id: backup } = backedUp.result['backup'] as { id: string };
    const promised = await tablesOfManifest(endpoints, backup);
    for (const { table, rows } of promised) tell.say(`${backup}: ${table}, ${rows} rows`);

    tell.chapter('Applications write, and somebody drops a table.');
    const writing = await startWriters(endpoints);
    await inDatabase(endpoints, (client) => client.query('DROP TABLE orders'));
    tell.say('DROP TABLE orders');

    tell.chapter('The backup is restored beside, proved, and swapped in. The worker is killed in the middle.');
    let workerKilled: WorkerKilled = { during: '', downMs: 0 };
    const restored = await operator.carryOut(['restore', ...PLACE, '--reason', 'table orders was dropped'], {
      gate: { name: 'restore', waitsFor: 'an engineering lead; nothing is touched, and the writers go on' },
      meanwhile: async (id) => {
        workerKilled = await killWorkerDuring(id, { step: /^Restore / });
      },
    });
    const rowsWrittenAfterBackup = await writing.stop();
    const tables = await inDatabase(endpoints, tablesOf);
    const { rpoMs = 0, rtoMs = 0, restoreMs = 0 } = restored.result as Record<string, number>;

    const broken = [
      ...(restored.ok ? [] : [`the restore ends well: ${restored.failure}`]),
      ...(sameTables(tables, promised) ? [] : ['every table is as in the manifest of the backup']),
      ...(rowsWrittenAfterBackup > 0 ? [] : ['others wrote meanwhile']),
      ...(workerKilled.during ? [] : ['the worker was killed in the middle']),
    ];
    tell.conclude(broken);
    for (const { table, rows, digest } of tables)
      tell.say(`${table}: ${rows} rows, digest ${digest}, as in the manifest`);
    tell.say(`RPO ${seconds(rpoMs)}: ${rowsWrittenAfterBackup} rows were written after the backup`);
    tell.say(`RTO ${seconds(rtoMs)} from the request, ${seconds(restoreMs)} from the approval`);
    tell.say(`the damaged database is kept: ${String(restored.result['damaged'])}`);
    return {
      passed: broken.length === 0,
      ...{ broken, durationMs: Date.now() - startedAt, backup },
      ...{ rpoMs, rowsWrittenAfterBackup, rtoMs, restoreMs, workerKilled, tables },
    };
  });
}

const sameTables = (one: TableFacts[], other: TableFacts[]): boolean => JSON.stringify(one) === JSON.stringify(other);

async function inDatabase<T>({ postgres }: Endpoints, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const { host, port, user, passwordFile, database } = postgres;
  const client = new pg.Client({ host, port, user, database, password: readFileSync(passwordFile, 'utf8').trim() });
  client.on('error', () => undefined); // A restore ends its session.
  await client.connect();
  return work(client).finally(() => client.end().catch(() => undefined));
}

/** Sessions that insert one row after another until they are ended, as applications do that nobody has stopped. */
async function startWriters(endpoints: Endpoints): Promise<{ stop(): Promise<number> }> {
  let stopped = false;
  let written = 0;
  const write = (client: pg.Client): Promise<void> =>
    (async () => {
      while (!stopped) {
        await client.query("INSERT INTO customers (name) VALUES ('late')");
        written++;
      }
    })();
  const writers = Array.from({ length: WRITERS }, () => inDatabase(endpoints, write).catch(() => undefined));
  return {
    async stop() {
      stopped = true;
      await Promise.all(writers);
      return written;
    },
  };
}

/** Digest of a table as the format of backups defines it: the sum of the hashes of its rows as text. */
async function tablesOf(client: pg.Client): Promise<TableFacts[]> {
  const tables: TableFacts[] = [];
  await client.query("SET timezone = 'UTC'");
  for (const table of ['public.customers', 'public.orders']) {
    const { rows } = await client.query<{ rows: string; digest: string }>(
      `SELECT count(*) AS rows, coalesce(sum(hashtextextended(t::text, 0)), 0)::text AS digest FROM ${table} AS t`,
    );
    tables.push({ table, rows: Number(rows[0]!.rows), digest: rows[0]!.digest });
  }
  return tables;
}

async function tablesOfManifest({ s3 }: Endpoints, backup: string): Promise<TableFacts[]> {
  const { endpoint, region, bucket, accessKeyId, secretKeyFile } = s3;
  const credentials = { accessKeyId, secretAccessKey: readFileSync(secretKeyFile, 'utf8').trim() };
  const client = new S3Client({ endpoint, region, credentials, forcePathStyle: true });
  const key = `backups/${PLACE.join('/')}/${backup}.json`;
  const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
  const { tables } = JSON.parse(await Body!.transformToString()) as { tables: TableFacts[] };
  return tables.map(({ table, rows, digest }) => ({ table, rows, digest }));
}
