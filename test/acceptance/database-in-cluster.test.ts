import { randomBytes } from 'node:crypto';
import {
  removeClusterPostgres,
  startClusterPostgres,
  type ClusterPostgres,
} from '../../scripts/sandbox/cluster-postgres/start.ts';
import { readEndpoints } from '../../scripts/sandbox/endpoints.ts';
import { waitFor } from '../../scripts/sandbox/wait.ts';
import type { BackupManifest } from '../../src/contracts/backup.ts';
import { holdDatabases, holdDump, holdRestore, makeHoldable, type Hold } from '../support/database-holds.ts';
import { openDatabaseStage, placeOf, type DatabaseStage } from '../support/database-stage.ts';
import { deployWriters } from '../support/database-writers.ts';
import { connectTo, createDatabaseBench, type DatabaseBench, type PostgresPlace } from '../support/database.ts';
import { readShipped } from '../support/incident-stage.ts';
import { adminCluster, createTestNamespace, kubectl } from '../support/namespace.ts';

// A PostgreSQL in the cluster, of this test alone because it ends its pod, and a Deployment that lives by it.
const taskQueue = `acc-cluster-database-${randomBytes(3).toString('hex')}`;
const ORDERS = 5000;
let postgres: ClusterPostgres;
let bench: DatabaseBench;
let stage: DatabaseStage;

beforeAll(async () => {
  const { name } = await createTestNamespace({ capability: 'backup' });
  postgres = await startClusterPostgres(name);
  bench = await createDatabaseBench(placeOf(taskQueue).join('/'), postgres);
  await bench.sql(`
    CREATE TABLE orders (id serial PRIMARY KEY, what text NOT NULL);
    CREATE TABLE visits (id serial PRIMARY KEY, pod text NOT NULL);
    INSERT INTO orders (what) SELECT 'order ' || n FROM generate_series(1, ${ORDERS}) n`);
  await makeHoldable(bench);
  await deployWriters(postgres, { database: bench.name, replicas: 2 });
  const password = postgres.passwordReference;
  const { backup } = (readShipped('sandbox')['databases'] as Record<string, { backup: { store: object } }>)['shop']!;
  const astray = {
    name: bench.name,
    servers: {
      [taskQueue]: { ...bench.slice.server, password, systemIdentifier: await identityOf(readEndpoints().postgres) },
    },
    backup: { ...backup, store: { ...backup.store, prefix: bench.prefix } },
  };
  stage = await openDatabaseStage({
    ...{ taskQueue, bench, namespace: name, password },
    catalog: { databases: { astray } },
  });
}, 240_000);

afterAll(async () => {
  await stage?.close();
  await bench?.remove();
  if (postgres) await removeClusterPostgres(postgres.namespace);
}, 120_000);

const held: Hold[] = [];
/** Released after the test, however it ends: nothing waits for it any more. */
const hold = async (made: Promise<Hold>): Promise<Hold> => {
  held.push(await made);
  return made;
};
afterEach(async () => {
  await Promise.all(held.splice(0).map((each) => each.release()));
});

async function identityOf(place: PostgresPlace): Promise<string> {
  const client = await connectTo(place, 'postgres');
  const { rows } = await client.query<{ id: string }>('SELECT system_identifier::text AS id FROM pg_control_system()');
  await client.end();
  return rows[0]!.id;
}

/** Its rows as text, so that equal means equal in every column. */
const ordersOf = async (): Promise<string> =>
  (await bench.sql<{ all: string }>(`SELECT string_agg(o::text, ';' ORDER BY id) AS all FROM orders o`))[0]!.all;
const visits = async (): Promise<number> =>
  (await bench.sql<{ n: number }>('SELECT count(*)::int AS n FROM visits'))[0]!.n;

/** Replicas that the shop shall have, and pods of it in which something runs. */
async function shop(): Promise<{ replicas: number | undefined; pods: number; ready: number }> {
  const [{ spec, status }, pods] = await Promise.all([
    adminCluster().read('Deployment', postgres.namespace, 'shop'),
    adminCluster().list('Pod', postgres.namespace, { labelSelector: 'app=shop' }),
  ]);
  const run = pods.filter((pod) => !['Succeeded', 'Failed'].includes(pod.status?.phase ?? ''));
  return { replicas: spec.replicas, pods: run.length, ready: status?.readyReplicas ?? 0 };
}

const untilShop = (wanted: Partial<Awaited<ReturnType<typeof shop>>>): Promise<unknown> =>
  waitFor(
    `the shop to have ${JSON.stringify(wanted)}`,
    async () => {
      const now = await shop();
      return Object.entries(wanted).every(([name, value]) => now[name as keyof typeof now] === value);
    },
    { timeoutSeconds: 60 },
  );

const untilVisited = async (): Promise<void> => {
  const before = await visits();
  await waitFor('the shop to write', async () => (await visits()) > before, { timeoutSeconds: 30 });
};

test('P-17.4 in the cluster: with what uses it at 0, a dropped table is back as it was; two replicas write again, and the damaged database is kept', async () => {
  const id = await stage.backUp();
  const orders = await ordersOf();
  await bench.sql('DROP TABLE orders');
  await untilShop({ ready: 0 });

  const atIndexes = await hold(holdRestore(bench));
  const procedure = await stage.restore();
  const [gate] = await procedure.untilGatesOpen();
  expect(gate!.asks).toContain(`database ${bench.name} at ${postgres.host}:5432 in ${taskQueue}`);
  expect([await shop(), await bench.databases()]).toEqual([{ replicas: 2, pods: 2, ready: 0 }, [bench.name]]);
  await procedure.decide({ gate: 'restore', by: 'ana' });
  await atIndexes.reached();
  expect(await shop()).toMatchObject({ replicas: 2, pods: 2 });
  const atSwap = await hold(holdDatabases(bench));
  await atIndexes.release();
  await atSwap.reached();
  // Nothing is swapped yet.
  await expect(ordersOf()).rejects.toThrow('"orders" does not exist');
  expect(await shop()).toEqual({ replicas: 0, pods: 0, ready: 0 });
  await atSwap.release();

  const ending = await procedure.ending();
  expect(ending).toMatchObject({ ok: true, result: { outcome: 'restored', backup: id } });
  if (!ending.ok) return;
  expect(await ordersOf()).toBe(orders);
  expect(await shop()).toEqual({ replicas: 2, pods: 2, ready: 2 });
  await untilVisited();
  const damaged = ending.result['damaged'] as string;
  expect(await bench.databases()).toEqual([bench.name, damaged]);
  await bench.sql(`ALTER DATABASE ${damaged} ALLOW_CONNECTIONS true`, 'postgres');
  expect(
    await bench.sql("SELECT to_regclass('orders') AS orders, count(*) > 0 AS visited FROM visits", damaged),
  ).toEqual([{ orders: null, visited: true }]);
}, 240_000);

test('P-17.5 refuses when the address leads to another server than the catalog means; a server that is gone is waited for and nothing changes, and once it is back the restore is done', async () => {
  const id = await stage.backUp();
  const orders = await ordersOf();
  await bench.sql('DELETE FROM orders');
  const astray = bench.objectsOf([...placeOf(taskQueue).slice(0, -1), 'astray'].join('/'));
  for (const name of [`${id}.json`, `${id}.dump`]) await astray.write(name, await bench.objects.read(name));
  const before = [await bench.databases(), await bench.objects.list()];
  const refused = await stage.start(
    'restore',
    ...placeOf(taskQueue).slice(0, -1),
    'astray',
    '--reason',
    'aimed at the wrong server',
  );
  const [own, host] = await Promise.all([identityOf(postgres), identityOf(readEndpoints().postgres)]);
  expect(await refused.ending()).toMatchObject({
    ok: false,
    type: 'WrongCluster',
    message: expect.stringContaining(
      `PostgreSQL at ${postgres.host}:5432 has system identifier ${own}, expected ${host}`,
    ),
  });
  for (const name of await astray.list()) await astray.remove(name);

  await kubectl('-n', postgres.namespace, 'scale', 'statefulset/postgres', '--replicas=0');
  await kubectl('-n', postgres.namespace, 'wait', 'pod/postgres-0', '--for=delete', '--timeout=60s');
  const procedure = await stage.restore('--backup', id);
  await waitFor(
    'why it waits',
    async () => {
      const { json } = await stage.cli('why', procedure.id);
      return (json['activities'] as { lastFailure?: string }[]).some(({ lastFailure }) =>
        lastFailure?.includes(`PostgreSQL at ${postgres.host}:5432 does not answer`),
      );
    },
    { timeoutSeconds: 60 },
  );
  expect(await shop()).toMatchObject({ replicas: 2, pods: 2 });
  await kubectl('-n', postgres.namespace, 'scale', 'statefulset/postgres', '--replicas=1');
  await procedure.untilGatesOpen();
  expect([await bench.databases(), await bench.objects.list()]).toEqual(before);
  await procedure.decide({ gate: 'restore', by: 'ana' });
  expect(await procedure.ending()).toMatchObject({ ok: true, result: { backup: id } });
  expect([await ordersOf(), await shop()]).toEqual([orders, { replicas: 2, pods: 2, ready: 2 }]);
}, 240_000);

const deleteServer = (): Promise<string> =>
  kubectl('-n', postgres.namespace, 'delete', 'pod', 'postgres-0', '--wait=false');

test('P-17.6 a pod that is deleted in the middle of a backup, and of a restore: each is begun anew when it is back, and leaves nothing half done', async () => {
  const stored = await bench.objects.list();
  const orders = await ordersOf();
  const atTable = await hold(holdDump(bench, 'orders'));
  const dumping = await stage.start('backup', ...placeOf(taskQueue));
  await atTable.reached();
  await deleteServer();
  const dumped = await dumping.ending();
  if (!dumped.ok) throw new Error(`${dumped.type}: ${dumped.message}`);
  const id = dumped.result['backup'].id as string;
  expect(await bench.objects.list()).toEqual([...stored, `${id}.dump`, `${id}.json`].sort());
  const manifest = JSON.parse((await bench.objects.read(`${id}.json`)).toString()) as BackupManifest;
  expect(manifest.tables.find(({ table }) => table === 'public.orders')?.rows).toBe(ORDERS);

  await untilShop({ ready: 2 });
  await bench.sql('DROP TABLE orders');
  const before = await bench.databases();
  const atIndexes = await hold(holdRestore(bench));
  const restoring = await stage.restore('--backup', id);
  await restoring.untilGatesOpen();
  await restoring.decide({ gate: 'restore', by: 'ana' });
  await atIndexes.reached();
  await deleteServer();
  const restored = await restoring.ending();
  if (!restored.ok) throw new Error(`${restored.type}: ${restored.message}`);
  expect([await ordersOf(), await shop()]).toEqual([orders, { replicas: 2, pods: 2, ready: 2 }]);
  expect(await bench.databases()).toEqual([...before, restored.result['damaged'] as string].sort());
}, 240_000);
