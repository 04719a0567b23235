import { waitFor } from '../../scripts/sandbox/wait.ts';
import { createDatabaseBench, type DatabaseBench } from '../support/database.ts';

const ID = '20261125T020000Z-1f3870be';
let bench: DatabaseBench;
let identity: string;

beforeAll(async () => {
  bench = await createDatabaseBench();
  await bench.sql(`
    CREATE SCHEMA "Odd schema";
    CREATE TABLE "Odd schema"."Lines" (id int PRIMARY KEY, at timestamptz, data bytea, price numeric, ratio float8);
    INSERT INTO "Odd schema"."Lines"
      SELECT n, now() - n * interval '1 hour', sha256(n::text::bytea), n / 7.0, n / 3.0 FROM generate_series(1, 20000) n;
    CREATE TABLE orders (id serial PRIMARY KEY, what text NOT NULL);
    INSERT INTO orders (what) SELECT 'order ' || n FROM generate_series(1, 1000) n;
    CREATE INDEX ON orders (what);
    CREATE TABLE empty (id int);
    CREATE VIEW many AS SELECT * FROM orders WHERE id > 10`);
  ({ systemIdentifier: identity } = await bench.act.describeDatabase({ slice: bench.slice }));
  await bench.act.dumpDatabase({ slice: bench.slice, id: ID });
}, 60_000);
afterAll(async () => bench?.remove());

const restored = (suffix: string) => ({ slice: bench.slice, identity, id: ID, database: `${bench.name}_${suffix}` });

const endDumps = () =>
  bench.sql(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE datname = '${bench.name}' AND wait_event_type = 'Lock' AND query LIKE 'LOCK TABLE%'`);

describe('a backup', () => {
  test('is stored encrypted, with a manifest of what is in it', async () => {
    expect(await bench.objects.list()).toEqual([`${ID}.dump`, `${ID}.json`]);
    const stored = await bench.objects.read(`${ID}.dump`);
    expect(stored.subarray(0, 8).toString()).toBe('WINDLSS1');
    expect(stored.includes('order 77')).toBe(false);
    expect(JSON.parse((await bench.objects.read(`${ID}.json`)).toString())).toMatchObject({
      id: ID,
      source: { name: bench.name, systemIdentifier: identity },
      object: { bytes: stored.length },
      tables: [
        { table: 'Odd schema.Lines', rows: 20_000 },
        { table: 'public.empty', rows: 0, digest: '0' },
        { table: 'public.orders', rows: 1_000 },
      ],
    });
  });

  test('that an earlier attempt has finished is not made again', async () => {
    const before = await bench.objects.read(`${ID}.json`);
    await bench.act.dumpDatabase({ slice: bench.slice, id: ID });
    expect((await bench.objects.read(`${ID}.json`)).equals(before)).toBe(true);
  });

  test('has one snapshot: what is written meanwhile is neither in the dump nor in the digests', async () => {
    const id = '20261125T030000Z-1f3870be';
    const writer = await bench.connect();
    let writing = true;
    const writes = (async () => {
      while (writing) await writer.query("INSERT INTO orders (what) VALUES ('late')");
    })();
    await bench.act.dumpDatabase({ slice: bench.slice, id });
    writing = false;
    await writes;
    await writer.end();
    await bench.sql("DELETE FROM orders WHERE what = 'late'");
    const beside = { ...restored('snapshot'), id };
    await bench.act.restoreBeside(beside);
    expect((await bench.act.checkRestored(beside)).faults).toEqual([]);
    await bench.objects.remove(`${id}.dump`);
    await bench.objects.remove(`${id}.json`);
  }, 60_000);

  test('of a database that does not exist is NotFound, and stores nothing', async () => {
    const slice = { ...bench.slice, spec: { ...bench.slice.spec, name: `${bench.name}_absent` } };
    const before = await bench.objects.list();
    await expect(bench.act.dumpDatabase({ slice, id: ID.replace('T02', 'T05') })).rejects.toMatchObject({
      type: 'NotFound',
    });
    expect(await bench.objects.list()).toEqual(before);
  });

  test('whose dump loses its session half way is Unavailable, and is no backup', async () => {
    const id = ID.replace('T02', 'T06');
    const before = await bench.objects.list();
    const blocker = await bench.connect();
    await blocker.query('BEGIN; LOCK TABLE orders IN ACCESS EXCLUSIVE MODE');
    try {
      const dump = bench.act.dumpDatabase({ slice: bench.slice, id });
      const outcome = expect(dump).rejects.toMatchObject({ type: 'Unavailable' });
      await waitFor('a dump that waits for the lock', async () => (await endDumps()).length > 0, {
        timeoutSeconds: 30,
      });
      await outcome;
    } finally {
      await blocker.end();
    }
    expect(await bench.objects.list()).toEqual(before);
  });

  test('without zstd is NotFound, and says what to install', async () => {
    const { PATH } = process.env;
    process.env['PATH'] = '/nowhere';
    try {
      const dump = bench.act.dumpDatabase({ slice: bench.slice, id: ID.replace('T02', 'T07') });
      await expect(dump).rejects.toMatchObject({ type: 'NotFound', message: expect.stringContaining('zstd') });
    } finally {
      process.env['PATH'] = PATH;
    }
  });

  test('with a wrong password is Forbidden, and no message has the password', async () => {
    const failing = bench.actWith({ TEST_PG: 'hunter2-hunter2' }).describeDatabase({ slice: bench.slice });
    await expect(failing).rejects.toMatchObject({ type: 'Forbidden' });
    await expect(failing).rejects.not.toMatchObject({ message: expect.stringContaining('hunter2') });
  });

  test('of a server that does not answer is Unavailable', async () => {
    const slice = { ...bench.slice, server: { ...bench.slice.server, port: 1 } };
    await expect(bench.act.describeDatabase({ slice })).rejects.toMatchObject({ type: 'Unavailable' });
  });

  test('of another server than the catalog names is refused', async () => {
    const slice = { ...bench.slice, server: { ...bench.slice.server, systemIdentifier: '1' } };
    await expect(bench.act.dumpDatabase({ slice, id: ID })).rejects.toMatchObject({ type: 'WrongCluster' });
  });
});

describe('a restored backup', () => {
  test('is the same, table by table, and is dropped again', async () => {
    const beside = restored('same');
    await bench.act.restoreBeside(beside);
    expect(await bench.act.checkRestored(beside)).toMatchObject({ faults: [] });
    expect(await bench.sql('SELECT count(*)::int AS n FROM many', beside.database)).toEqual([{ n: 990 }]);
    expect(await bench.sql("SELECT extname FROM pg_extension WHERE extname = 'amcheck'", beside.database)).toEqual([]);
    await bench.act.dropBeside(beside);
    await bench.act.dropBeside(beside);
    expect(await bench.databases()).not.toContain(beside.database);
  }, 60_000);

  test('that an earlier attempt left half done is made anew', async () => {
    const beside = restored('anew');
    await bench.sql(`CREATE DATABASE ${beside.database}`, 'postgres');
    await bench.sql('CREATE TABLE orders (id int)', beside.database);
    await bench.act.restoreBeside(beside);
    expect((await bench.act.checkRestored(beside)).faults).toEqual([]);
  }, 60_000);

  test('that is not what was backed up is told table by table', async () => {
    const beside = restored('other');
    await bench.act.restoreBeside(beside);
    await bench.sql("DELETE FROM orders WHERE id = 7; DROP TABLE empty; UPDATE \"Odd schema\".\"Lines\" SET price = 0 WHERE id = 9", beside.database); // prettier-ignore
    expect((await bench.act.checkRestored(beside)).faults).toEqual([
      'Odd schema.Lines has 20000 rows as expected, but other content',
      'public.empty is missing (0 rows)',
      'public.orders has 999 rows, expected 1000',
    ]);
  }, 60_000);

  test.each<[string, (stored: Buffer) => Buffer]>([
    ['one bit of it is another', (stored) => flip(stored, 5_000)],
    ['it is cut off', (stored) => stored.subarray(0, stored.length - 1_000)],
  ])(
    'is refused when %s',
    async (_, spoil) => {
      const stored = await bench.objects.read(`${ID}.dump`);
      await bench.objects.write(`${ID}.dump`, spoil(stored));
      try {
        await expect(bench.act.restoreBeside(restored('corrupt'))).rejects.toMatchObject({ type: 'BackupCorrupt' });
      } finally {
        await bench.objects.write(`${ID}.dump`, stored);
      }
    },
    60_000,
  );

  test('needs the key that it was encrypted with', async () => {
    const other = bench.actWith({ TEST_BACKUP_KEY: Buffer.alloc(32).toString('base64') });
    await expect(other.restoreBeside(restored('key'))).rejects.toMatchObject({ type: 'WrongKey' });
  }, 60_000);
});

describe('a swap', () => {
  const token = 7;
  const fenced = () => ({ slice: bench.slice, identity, token });

  test('ends sessions, changes the names in one transaction, and is done once', async () => {
    const beside = restored('swapped');
    const names = { restored: beside.database, damaged: `${bench.name}_damaged` };
    await bench.act.restoreBeside(beside);
    await bench.act.claimDatabase(fenced());
    await bench.sql('DROP TABLE orders CASCADE');
    const user = await bench.connect();
    const ended = new Promise((resolve) => user.once('end', resolve));
    await bench.act.closeDatabase(fenced());
    await ended;
    await expect(bench.sql('SELECT 1')).rejects.toThrow(/not currently accepting connections/);

    expect(await bench.act.swapDatabases({ ...fenced(), ...names })).toEqual({ swapped: true });
    expect(await bench.act.swapDatabases({ ...fenced(), ...names })).toEqual({ swapped: false });
    expect(await bench.sql('SELECT count(*)::int AS n FROM orders')).toEqual([{ n: 1_000 }]);
    await expect(bench.sql('SELECT 1', names.damaged)).rejects.toThrow(/not currently accepting connections/);
  }, 60_000);

  test('by a holder that was displaced changes nothing', async () => {
    await bench.act.claimDatabase({ ...fenced(), token: 9 });
    const before = await bench.databases();
    await expect(bench.act.closeDatabase(fenced())).rejects.toMatchObject({ type: 'Fenced' });
    const names = { restored: `${bench.name}_anew`, damaged: `${bench.name}_damaged2` };
    await expect(bench.act.swapDatabases({ ...fenced(), ...names })).rejects.toMatchObject({ type: 'Fenced' });
    await expect(bench.act.claimDatabase(fenced())).rejects.toMatchObject({ type: 'Fenced' });
    expect(await bench.databases()).toEqual(before);
    expect(await bench.sql('SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });
});

describe('what is kept', () => {
  test('is listed newest first with the outcome of its test restore', async () => {
    const phases = { restoreMs: 1, amcheckMs: 1, compareMs: 1 };
    const verification = { id: ID, at: '2026-11-25T03:00:00.000Z', good: true, faults: [], phases };
    await bench.act.recordVerification({ slice: bench.slice, verification });
    expect(await bench.act.listBackups({ slice: bench.slice })).toEqual([
      expect.objectContaining({ id: ID, verified: { at: '2026-11-25T03:00:00.000Z', good: true } }),
    ]);
  });

  test('loses what has had its time, and dumps that nobody finished', async () => {
    const manifest = JSON.parse((await bench.objects.read(`${ID}.json`)).toString()) as object;
    for (const id of ['20200101T000000Z-00000001', '20200102T000000Z-00000002', '20200103T000000Z-00000003']) {
      const snapshotAt = `${id.slice(0, 4)}-${id.slice(4, 6)}-${id.slice(6, 8)}T00:00:00.000Z`;
      await bench.objects.write(`${id}.json`, Buffer.from(JSON.stringify({ ...manifest, id, snapshotAt })));
      await bench.objects.write(`${id}.dump`, Buffer.from('old'));
    }
    await bench.objects.write('20200104T000000Z-00000004.dump', Buffer.from('unfinished'));
    expect(await bench.act.expireBackups({ slice: bench.slice })).toEqual({
      expired: ['20200101T000000Z-00000001', '20200102T000000Z-00000002'],
    });
    expect(await bench.objects.list()).toEqual([
      '20200103T000000Z-00000003.dump',
      '20200103T000000Z-00000003.json',
      `${ID}.dump`,
      `${ID}.json`,
      `${ID}.verified.json`,
    ]);
  });

  test('is not found by a wrong id; the message names what there is', async () => {
    const missing = bench.act.findBackup({ slice: bench.slice, id: '19990101T000000Z-00000000' });
    await expect(missing).rejects.toMatchObject({ type: 'BackupMissing', message: expect.stringContaining(ID) });
  });
});

function flip(bytes: Buffer, at: number): Buffer {
  const altered = Buffer.from(bytes);
  altered[at]! ^= 1;
  return altered;
}
