import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readEndpoints } from '../../scripts/sandbox/endpoints.ts';
import { waitFor } from '../../scripts/sandbox/wait.ts';
import type { BackupManifest } from '../../src/contracts/backup.ts';
import { openDatabaseStage, placeOf, type DatabaseStage } from '../support/database-stage.ts';
import { createDatabaseBench, type DatabaseBench } from '../support/database.ts';
import { adminCluster, createTestNamespace, deployReadySample, type TestNamespace } from '../support/namespace.ts';
import { valueOf } from '../support/prometheus-value.ts';
import { findSecrets } from '../support/secret-scanner.ts';
import { createSmallTablespace } from '../support/small-tablespace.ts';

const SYSTEM = 'sandbox';
const taskQueue = `acc-database-${randomBytes(3).toString('hex')}`;
const ENVIRONMENT = taskQueue;
const PLACE = placeOf(taskQueue);
let bench: DatabaseBench;
let namespace: TestNamespace;
let stage: DatabaseStage;

beforeAll(async () => {
  [bench, namespace] = await Promise.all([createDatabaseBench(PLACE.join('/')), createTestNamespace()]);
  await deployReadySample({ namespace: namespace.name, replicas: 2 });
  await bench.sql(`
    CREATE TABLE orders (id serial PRIMARY KEY, what text NOT NULL);
    CREATE INDEX ON orders (what);
    CREATE TABLE customers (id serial PRIMARY KEY, name text);
    INSERT INTO orders (what) SELECT 'order ' || n FROM generate_series(1, 5000) n;
    INSERT INTO customers (name) SELECT 'customer ' || n FROM generate_series(1, 100) n`);
  stage = await openDatabaseStage({
    ...{ taskQueue, bench, namespace: namespace.name, password: 'env:WINDLASS_SANDBOX_POSTGRES_PASSWORD' },
    catalog: { runbooks: { upkeep: UPKEEP } },
  });
}, 180_000);

afterAll(async () => {
  await stage?.close();
  await bench?.remove();
  await namespace?.remove();
}, 60_000);

const UPKEEP = {
  description: 'Dead rows go, statistics are renewed; the size before and after',
  changes: ['database/shop'],
  steps: [
    { name: 'before', action: 'readDatabaseSize', with: { database: 'shop' } },
    { name: 'upkeep', action: 'vacuumAnalyze', with: { database: 'shop' } },
    { name: 'after', action: 'readDatabaseSize', with: { database: 'shop' } },
  ],
};

const cli: DatabaseStage['cli'] = (...args) => stage.cli(...args);
const start: DatabaseStage['start'] = (...args) => stage.start(...args);
const backUp: DatabaseStage['backUp'] = () => stage.backUp();
const restore: DatabaseStage['restore'] = (...flags) => stage.restore(...flags);
const restoreApproved: DatabaseStage['restoreApproved'] = () => stage.restoreApproved();

const replicas = async (): Promise<number | undefined> =>
  (await adminCluster().read('Deployment', namespace.name, 'shop')).spec.replicas;
const rowsOf = async (table: string): Promise<number> =>
  Number((await bench.sql<{ n: string }>(`SELECT count(*) AS n FROM ${table}`))[0]!.n);
const manifestOf = async (id: string): Promise<BackupManifest> =>
  JSON.parse((await bench.objects.read(`${id}.json`)).toString()) as BackupManifest;

test('P-12.1 dumps the database, compressed and encrypted, into the object store; one that is not there is refused', async () => {
  const id = await backUp();
  const manifest = await manifestOf(id);
  expect(manifest.tables.map(({ table, rows }) => [table, rows])).toEqual([['public.customers', 100], ['public.orders', 5000]]); // prettier-ignore
  const stored = await bench.objects.read(`${id}.dump`);
  expect(stored.length).toBe(manifest.object.bytes);
  expect(stored.includes('order 4711')).toBe(false);
  const { code, json } = await cli('backup', SYSTEM, ENVIRONMENT, 'absent', '--wait');
  expect([code, json['ending'].type]).toEqual([1, 'UnknownDatabase']);
}, 120_000);

test('P-12.2 vacuums and analyzes, and tells the size before and after', async () => {
  await bench.sql('UPDATE orders SET what = what');
  const ending = await (await start('run', SYSTEM, ENVIRONMENT, 'upkeep')).ending();
  if (!ending.ok) throw new Error(`${ending.type}: ${ending.message}`);
  const steps = ending.result['steps'] as { step: string; output?: { bytes?: number } }[];
  expect(steps.map(({ step }) => step)).toEqual(['before', 'upkeep', 'after']);
  expect(steps[0]!.output!.bytes).toBeGreaterThan(1_000_000);
  const [seen] = await bench.sql<{ dead: string; analyzed: boolean }>(
    "SELECT n_dead_tup AS dead, last_analyze IS NOT NULL AS analyzed FROM pg_stat_user_tables WHERE relname = 'orders'",
  );
  expect(seen).toEqual({ dead: '0', analyzed: true });
}, 120_000);

test('H-09.1 restores the newest backup into a scratch database, finds it the same, records that, and drops it', async () => {
  const id = await backUp();
  const ending = await (await start('verify-backup', ...PLACE)).ending();
  expect(ending).toMatchObject({ ok: true, result: { outcome: 'verified', verification: { id, good: true } } });
  expect(JSON.parse((await bench.objects.read(`${id}.verified.json`)).toString())).toMatchObject({
    id,
    good: true,
    faults: [],
  });
  expect(await bench.databases()).toEqual([bench.name]);
}, 120_000);

test('H-09.2 records a backup that was altered as bad, and fails; one that is missing fails too', async () => {
  const id = await backUp();
  const stored = await bench.objects.read(`${id}.dump`);
  stored[Math.floor(stored.length / 2)]! ^= 1;
  await bench.objects.write(`${id}.dump`, stored);
  const ending = await (await start('verify-backup', ...PLACE)).ending();
  expect(ending).toMatchObject({
    ok: false,
    type: 'ChecksFailed',
    message: expect.stringContaining('does not decipher'),
  });
  expect(JSON.parse((await bench.objects.read(`${id}.verified.json`)).toString())).toMatchObject({ good: false });
  expect(await bench.databases()).toEqual([bench.name]);

  for (const name of [`${id}.json`, `${id}.dump`, `${id}.verified.json`]) await bench.objects.remove(name);
  const missing = await (await start('verify-backup', ...PLACE, '--backup', id)).ending();
  expect(missing).toMatchObject({ ok: false, type: 'BackupMissing' });
}, 120_000);

test('P-17.1 with writers running, brings a dropped table back behind an approval: data as in the manifest, replicas as before', async () => {
  const id = await backUp();
  const writer = await bench.connect();
  let writes = 0;
  const writing = (async () => {
    for (;;) {
      await writer.query("INSERT INTO customers (name) VALUES ('late')");
      writes += 1;
    }
  })().catch(() => undefined);
  await waitFor('writes', () => Promise.resolve(writes > 20), { timeoutSeconds: 30 });
  await bench.sql('DROP TABLE orders');

  const procedure = await restore();
  const [gate] = await procedure.untilGatesOpen();
  expect(gate!.asks).toContain(`database ${bench.name} at 127.0.0.1:15432 in ${ENVIRONMENT}`);
  const { plan } = await procedure.progress();
  expect(plan!.facts.map(({ text }) => text)).toContain('public.orders comes back (5000 rows)');
  expect([await replicas(), await bench.databases()]).toEqual([2, [bench.name]]);
  await procedure.decide({ gate: gate!.name, by: 'ana' });
  const ending = await procedure.ending();
  await writing;

  expect(ending).toMatchObject({ ok: true, result: { outcome: 'restored', backup: id } });
  expect(await Promise.all([rowsOf('orders'), rowsOf('customers')])).toEqual([5000, 100]);
  const found = await bench.act.checkRestored({
    slice: { ...bench.slice, environment: ENVIRONMENT, system: SYSTEM, database: 'shop' },
    identity: (await manifestOf(id)).source.systemIdentifier,
    ...{ id, database: bench.name },
  });
  expect(found.faults).toEqual([]);
  expect(await replicas()).toBe(2);
}, 180_000);

test('P-17.2 measures RPO and RTO, and keeps the damaged database until a person drops it', async () => {
  await backUp();
  await bench.sql('TRUNCATE customers');
  const procedure = await restore();
  await procedure.untilGatesOpen();
  await procedure.decide({ gate: 'restore', by: 'ana' });
  const ending = await procedure.ending();
  if (!ending.ok) throw new Error(`${ending.type}: ${ending.message}`);
  const { damaged, rpoMs, rtoMs, restoreMs } = ending.result as Record<string, number> & { damaged: string };
  expect(rpoMs).toBeGreaterThan(0);
  expect(rtoMs).toBeGreaterThanOrEqual(restoreMs!);
  expect(await bench.databases()).toContain(damaged);
  await expect(bench.sql('SELECT 1', damaged)).rejects.toThrow(/not currently accepting connections/);
  await bench.sql(`ALTER DATABASE ${damaged} ALLOW_CONNECTIONS true`, 'postgres');
  expect(await bench.sql('SELECT count(*)::int AS n FROM customers', damaged)).toEqual([{ n: 0 }]);
  await bench.sql(`DROP DATABASE ${damaged}`, 'postgres');
  expect(await rowsOf('customers')).toBe(100);
}, 180_000);

test('P-17.3 refuses a backup of another server, and a rejected restore, and changes nothing; the same one approved is done', async () => {
  const id = await backUp();
  const manifest = await manifestOf(id);
  const foreign = { ...manifest, source: { ...manifest.source, systemIdentifier: '4711' } };
  const text = (value: object) => Buffer.from(JSON.stringify(value));
  await bench.objects.write(`${id}.json`, text(foreign));
  const refused = await (await restore()).ending();
  expect(refused).toMatchObject({ ok: false, type: 'Refused', message: expect.stringContaining('wrong-server') });
  await bench.objects.write(`${id}.json`, text(manifest));

  const before = await bench.databases();
  const rejected = await restore();
  await rejected.untilGatesOpen();
  await rejected.decide({ gate: 'restore', by: 'ana', decision: 'reject', reason: 'not needed' });
  expect(await rejected.ending()).toMatchObject({ ok: false, type: 'GateNotApproved' });
  expect([await bench.databases(), await replicas()]).toEqual([before, 2]);

  await bench.sql('DELETE FROM customers');
  const approved = await restore('--backup', id);
  await approved.untilGatesOpen();
  await approved.decide({ gate: 'restore', by: 'ana' });
  expect(await approved.ending()).toMatchObject({ ok: true });
  expect(await rowsOf('customers')).toBe(100);
}, 180_000);

/** A release asks for uptime: Prometheus has seen the pods that run now, and forgotten those that a restore stopped. */
const untilMeasured = (): Promise<unknown> =>
  waitFor(
    'the pods to be measured',
    async () => {
      const pods = await adminCluster().list('Pod', namespace.name, { labelSelector: 'app=shop' });
      const up = (more = ''): string => `up{namespace="${namespace.name}"${more}}`;
      const seen = await Promise.all(pods.map(({ metadata }) => valueOf(up(`,pod="${metadata.name}"`))));
      return pods.length === 2 && seen.every((each) => each === 1) && (await valueOf(`count(${up()})`)) === 2;
    },
    { timeoutSeconds: 90 },
  );

test('a restore while a release runs is refused by its name, or waits behind it when asked to', async () => {
  const id = await backUp();
  const before = await bench.databases();
  await untilMeasured();
  const release = await start('deploy', SYSTEM, ENVIRONMENT, 'shop', 'docker.io/windlass/sample:v2');
  await release.untilGatesOpen();
  const refused = await (await restore()).ending();
  expect(refused).toMatchObject({
    ok: false,
    type: 'LeaseUnavailable',
    message: expect.stringContaining(`reserved by ${release.id}`),
  });
  expect([await bench.databases(), await replicas()]).toEqual([before, 2]);

  const queued = await restore('--queue');
  await queued.until('its place in the queue', ({ lines }) =>
    lines.some((line) => line.includes(`behind deployRelease`) && line.includes(release.id)),
  );
  await release.decide({ gate: 'engineering-lead', by: 'ana', decision: 'reject', reason: 'the restore first' });
  expect(await release.ending()).toMatchObject({ ok: false, type: 'GateNotApproved' });
  await queued.untilGatesOpen();
  await queued.decide({ gate: 'restore', by: 'ana' });
  expect(await queued.ending()).toMatchObject({ ok: true, result: { backup: id } });
}, 240_000);

test('a full disk ends a restore and a test restore by name, with everything as before; with room made, both are done', async () => {
  const disk = await createSmallTablespace((text) => bench.sql(text, 'postgres'), 24);
  try {
    // A restore puts a table where it was: there is room for this one once, not twice.
    await bench.sql(`CREATE TABLE ledger TABLESPACE ${disk.name} AS
      SELECT n AS id, repeat(md5(n::text), 30) AS entry FROM generate_series(1, 15000) n`);
    const id = await backUp();
    const before = await bench.databases();
    const full = { ok: false, type: 'DiskFull', message: expect.stringMatching(/make room there.*start again/) };

    expect(await (await start('verify-backup', ...PLACE)).ending()).toMatchObject(full);
    // The disk says nothing about the backup.
    expect(await bench.objects.list()).not.toContain(`${id}.verified.json`);
    expect(await bench.databases()).toEqual(before);

    const ending = await restoreApproved();
    expect(ending).toMatchObject(full);
    expect(ending).toMatchObject({ message: expect.stringContaining('Everything it had changed was taken back.') });
    expect([await bench.databases(), await replicas(), await rowsOf('ledger')]).toEqual([before, 2, 15_000]);
    await bench.sql("INSERT INTO customers (name) VALUES ('served')");

    // The lease is free, not dirty: what the message says to do is enough.
    await disk.enlarge(96);
    const verified = await (await start('verify-backup', ...PLACE)).ending();
    expect(verified).toMatchObject({ ok: true, result: { outcome: 'verified' } });
    expect(await restoreApproved()).toMatchObject({ ok: true, result: { backup: id } });
    expect([await rowsOf('ledger'), await replicas()]).toEqual([15_000, 2]);
  } finally {
    const copies = (await bench.databases()).filter((name) => name !== bench.name);
    for (const name of copies) await bench.sql(`DROP DATABASE ${name} WITH (FORCE)`, 'postgres');
    await bench.sql('DROP TABLE IF EXISTS ledger');
    await disk.remove();
  }
}, 240_000);

test('no password, key or token is in a history, the log of the worker or a plan', async () => {
  const { code, json } = await cli('plan', 'restore', ...PLACE, '--reason', 'secrets');
  expect(code).toBe(0);
  const seen = [JSON.stringify(json), readFileSync(stage.worker.logFile, 'utf8')];
  for await (const { workflowId, runId } of stage.client.workflow.list({ query: `TaskQueue = "${taskQueue}"` }))
    seen.push(JSON.stringify(await stage.client.workflow.getHandle(workflowId, runId).fetchHistory()));
  const { postgres, s3, backupKeyFile } = readEndpoints();
  const read = (file: string): string => readFileSync(file, 'utf8').trim();
  const backupKey = read(backupKeyFile);
  const secrets = {
    ...{ 'password of the database': read(postgres.passwordFile), 'key of the store': read(s3.secretKeyFile) },
    ...{ 'backup key': backupKey, 'bytes of the backup key': Buffer.from(backupKey, 'base64') },
  };
  // What is there is found: failures and plans name the database.
  const found = (what: Parameters<typeof findSecrets>[1]) => seen.map((text) => findSecrets(text, what));
  expect(found({ control: bench.name }).filter(({ length }) => length > 0).length).toBeGreaterThan(5);
  expect(found(secrets).flat()).toEqual([]);
}, 120_000);
