import { randomBytes } from 'node:crypto';
import { CancelledFailure } from '@temporalio/common';
import type pg from 'pg';
import { readEndpoints } from '../../scripts/sandbox/endpoints.ts';
import { waitFor } from '../../scripts/sandbox/wait.ts';
import { createActionBench, type ActionBench } from '../support/action-bench.ts';
import { startSilentNetwork } from '../support/silent-network.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';

// Each effect is read by a connection of the test's own.
const user = `test_${randomBytes(4).toString('hex')}`;
let database: TestDatabase;
let admin: pg.Client;
let bench: ActionBench;
const called = { database: 'shop' };

beforeAll(async () => {
  database = await createTestDatabase();
  admin = await database.connect();
  await admin.query(`CREATE ROLE ${user} LOGIN PASSWORD 'for-a-test'`);
  await admin.query('CREATE TABLE orders (id int PRIMARY KEY, customer text, note text)');
  await admin.query(`INSERT INTO orders SELECT n, 'customer ' || n % 10, 'x' FROM generate_series(1, 1000) n`);
  bench = createActionBench({ databases: { shop: database.catalog }, env: database.env });
}, 60_000);

afterAll(async () => {
  await admin?.query(`DROP OWNED BY ${user}`);
  await admin?.end();
  const home = await database?.connect({ database: 'postgres' });
  await database?.remove();
  await home?.query(`DROP ROLE IF EXISTS ${user}`).finally(() => home.end());
});

const connectAs = (application: string) =>
  database.connect({ user, password: 'for-a-test', application_name: application });
const value = async (sql: string, ...values: unknown[]): Promise<unknown> =>
  Object.values((await admin.query(sql, values)).rows[0] ?? {})[0];
const isAlive = (client: pg.Client) =>
  client.query('SELECT 1').then(
    () => true,
    () => false,
  );

describe('checkDatabase', () => {
  test('tells version, role and identity', async () => {
    expect(await bench.run('checkDatabase', { ...called, role: 'primary' })).toEqual({
      ok: true,
      faults: [],
      version: await value('SHOW server_version'),
      inRecovery: false,
      systemIdentifier: await value('SELECT system_identifier::text FROM pg_control_system()'),
      uptimeSeconds: expect.any(Number),
    });
  });

  test('a role other than expected is a fault, and fails the step if it shall', async () => {
    const standby = { ...called, role: 'standby' };
    const fault = 'database shop is on a primary, expected a standby';
    expect(await bench.run('checkDatabase', standby)).toMatchObject({ ok: false, faults: [fault] });
    await expect(bench.run('checkDatabase', { ...standby, orFail: true })).rejects.toMatchObject({
      type: 'ChecksFailed',
      message: fault,
    });
  });

  test('a server that does not answer is a fault that names it', async () => {
    const { local } = database.catalog.servers;
    const away = { ...database.catalog, servers: { local: { ...local!, port: 1 } } };
    const lost = createActionBench({ databases: { shop: away }, env: database.env });
    const { ok, faults } = await lost.run('checkDatabase', called);
    expect(ok).toBe(false);
    expect(faults).toEqual([expect.stringMatching(/^PostgreSQL at .*:1 does not answer: ECONNREFUSED/)]);
  });

  test('another server than the catalog means is refused', async () => {
    const { local } = database.catalog.servers;
    const other = { ...database.catalog, servers: { local: { ...local!, systemIdentifier: '1' } } };
    const lost = createActionBench({ databases: { shop: other }, env: database.env });
    await expect(lost.run('checkDatabase', called)).rejects.toMatchObject({ type: 'WrongCluster' });
  });

  test('a wrong password is Forbidden and is not in the message', async () => {
    const wrong = createActionBench({
      databases: { shop: database.catalog },
      env: { TEST_DATABASE_PASSWORD: 'not-the-password' },
    });
    const error = await wrong.run('checkDatabase', called).catch((each: unknown) => each);
    expect(error).toMatchObject({ type: 'Forbidden' });
    expect(String((error as Error).message)).not.toContain('not-the-password');
  });

  test('a database that is not in the catalog is named', async () => {
    await expect(bench.run('checkDatabase', { database: 'printer' })).rejects.toMatchObject({
      type: 'NotFound',
      message: expect.stringContaining('no database printer'),
    });
  });
});

test('listConnections counts by user and state, against the limit', async () => {
  const client = await connectAs('counted');
  try {
    await client.query('BEGIN');
    const { groups, limit, total, usedPercent } = await bench.run('listConnections', called);
    expect(groups).toContainEqual(
      expect.objectContaining({ user, database: database.name, state: 'idle in transaction', count: 1 }),
    );
    expect(limit).toBe(Number(await value('SHOW max_connections')));
    expect(total).toBeGreaterThanOrEqual(3);
    expect(usedPercent).toBeCloseTo((100 * total) / limit, 0);
  } finally {
    await client.end();
  }
});

describe('endIdleSessions', () => {
  const idle = { ...called, idleFor: '1ms' };

  test('ends who is idle, and nobody who works, is a superuser, replicates or is ours', async () => {
    await admin.query(`CREATE ROLE ${user}_copies LOGIN REPLICATION PASSWORD 'for-a-test'`);
    const [forgotten, busy, superuser, ours, copies] = await Promise.all([
      connectAs('forgotten'),
      connectAs('busy'),
      database.connect({ application_name: 'superuser' }),
      connectAs('windlass'),
      database.connect({ user: `${user}_copies`, password: 'for-a-test' }),
    ]);
    const work = busy.query('SELECT pg_sleep(60)').catch((error: Error) => error.message);
    await waitFor('the work', async () => (await value(ACTIVE, 'busy')) === 1, { timeoutSeconds: 10 });
    const { lines } = await bench.plan('endIdleSessions', idle);
    expect(lines).toEqual([expect.stringMatching(/^session \d+ of test_.* \(forgotten\), idle for .* is ended$/)]);
    expect(await isAlive(forgotten)).toBe(true);

    expect(await bench.run('endIdleSessions', idle)).toEqual({ found: 1, ended: 1 });
    expect(await isAlive(forgotten)).toBe(false);
    expect(await Promise.all([superuser, ours, copies].map(isAlive))).toEqual([true, true, true]);
    expect(await value(ACTIVE, 'busy')).toBe(1);

    expect(await bench.run('endIdleSessions', idle)).toEqual({ found: 0, ended: 0 });
    await admin.query(`SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE application_name = 'busy'`);
    expect(await work).toContain('canceling statement');
    await Promise.all([busy, superuser, ours, copies].map((each) => each.end()));
    await admin.query(`DROP ROLE ${user}_copies`);
  });

  test('leaves who has not been idle for long, and sessions in a transaction unless they are meant', async () => {
    const [recent, open] = await Promise.all([connectAs('recent'), connectAs('open')]);
    await open.query('BEGIN');
    expect(await bench.run('endIdleSessions', { ...called, idleFor: '1h' })).toEqual({ found: 0, ended: 0 });
    const inTransaction = { ...idle, state: 'idle-in-transaction', user };
    expect(await bench.run('endIdleSessions', inTransaction)).toEqual({ found: 1, ended: 1 });
    expect(await Promise.all([recent, open].map(isAlive))).toEqual([true, false]);
    await recent.end();
  });

  const ACTIVE = `SELECT count(*)::int FROM pg_stat_activity WHERE application_name = $1 AND state = 'active'`;
});

test('listSlowQueries without the extension shows what runs now, without its literals', async () => {
  const client = await connectAs('slow');
  const work = client.query(`SELECT pg_sleep(60), 'a-secret-literal'`).catch((error: Error) => error.message);
  try {
    const slow = await waitFor(
      'the slow query',
      async () => {
        const found = await bench.run('listSlowQueries', { ...called, slowerThan: '50ms' });
        return found.count > 0 && found;
      },
      { timeoutSeconds: 10 },
    );
    expect(slow).toMatchObject({
      source: 'pg_stat_activity',
      queries: [{ query: 'SELECT pg_sleep(?), ?', calls: 1, meanMs: expect.any(Number) }],
    });
  } finally {
    await admin.query(`SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE application_name = 'slow'`);
    await work;
    await client.end();
  }
});

test('listSlowQueries with the extension shows what was slow before', async () => {
  await admin.query('CREATE SCHEMA extensions; CREATE EXTENSION pg_stat_statements SCHEMA extensions');
  await admin.query('SELECT pg_sleep(0.2), $1::text', ['a-secret-literal']);
  const { source, queries } = await bench.run('listSlowQueries', { ...called, slowerThan: '150ms' });
  expect(source).toBe('pg_stat_statements');
  const found = queries.find(({ query }: { query: string }) => query.startsWith('SELECT pg_sleep('));
  expect(found).toMatchObject({ calls: 1, meanMs: expect.any(Number) });
  expect(JSON.stringify(queries)).not.toContain('a-secret-literal');
  await admin.query('DROP SCHEMA extensions CASCADE');
});

test('readDatabaseSize tells the size of the database and of its tables', async () => {
  const { bytes, tables } = await bench.run('readDatabaseSize', called);
  expect(bytes).toBe(Number(await value('SELECT pg_database_size(current_database())')));
  expect(tables).toEqual([
    expect.objectContaining({
      table: 'public.orders',
      bytes: Number(await value(`SELECT pg_total_relation_size('orders')`)),
    }),
  ]);
});

describe('vacuumAnalyze', () => {
  const counts = async () =>
    (
      await admin.query(
        `SELECT relname, vacuum_count::int AS n FROM pg_stat_user_tables WHERE schemaname = 'many' ORDER BY 1`,
      )
    ).rows.map(({ n }) => n);
  const vacuumed = (expected: number[]) =>
    waitFor('the statistics', async () => (await counts()).join() === expected.join(), { timeoutSeconds: 10 });

  test('does every table of a schema; an attempt after one that died goes on behind what is done', async () => {
    await admin.query('CREATE SCHEMA many');
    for (const table of ['a', 'b', 'c']) await admin.query(`CREATE TABLE many.${table} (id int)`);
    const all = { ...called, schema: 'many' };
    expect((await bench.plan('vacuumAnalyze', all)).lines).toEqual(
      ['a', 'b', 'c'].map((table) => `table many.${table} is vacuumed and analyzed`),
    );
    const beats: unknown[] = [];
    const key = { key: 'vacuum', onHeartbeat: (details: unknown) => beats.push(details) };
    expect(await bench.run('vacuumAnalyze', all, key)).toEqual({ tables: 3 });
    await vacuumed([1, 1, 1]);
    expect(beats).toContainEqual({ done: 'b' });
    expect(await bench.run('vacuumAnalyze', all, { key: 'vacuum', former: { done: 'b' } })).toEqual({ tables: 3 });
    await vacuumed([1, 1, 2]);
  });

  test('a table that is not there is named', async () => {
    await expect(bench.run('vacuumAnalyze', { ...called, table: 'absent' })).rejects.toMatchObject({
      type: 'NotFound',
      message: 'database shop has no table public.absent.',
    });
  });
});

describe('createIndexConcurrently', () => {
  const wanted = { ...called, table: 'orders', index: 'orders_customer', columns: ['customer'] };
  const isValid = (index: string) =>
    value('SELECT i.indisvalid FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE c.relname = $1', index);

  test('creates it once, however often it is asked, and its undo drops it', async () => {
    const { lines, undo } = await bench.plan('createIndexConcurrently', wanted);
    expect(lines).toEqual(['index public.orders_customer on orders (customer) is created concurrently']);
    const key = { key: 'index' };
    expect(await bench.run('createIndexConcurrently', wanted, key)).toEqual({ created: true, droppedInvalid: false });
    const oid = await value(`SELECT 'orders_customer'::regclass::oid`);
    expect(await isValid('orders_customer')).toBe(true);
    expect(await bench.run('createIndexConcurrently', wanted, key)).toEqual({ created: false, droppedInvalid: false });
    expect(await value(`SELECT 'orders_customer'::regclass::oid`)).toBe(oid);
    expect((await bench.plan('createIndexConcurrently', wanted)).lines).toEqual([]);

    expect((await bench.plan(undo!.action, undo!.with)).lines).toEqual([
      'index public.orders_customer on orders (customer) is dropped',
    ]);
    expect(await bench.run(undo!.action, undo!.with)).toEqual({ dropped: true });
    expect(await isValid('orders_customer')).toBeUndefined();
    expect(await bench.run(undo!.action, undo!.with)).toEqual({ dropped: false });
  });

  test('what a killed attempt left is dropped first', async () => {
    // A build that waits for a transaction of somebody else, and is killed there.
    const other = await connectAs('holder');
    await admin.query(`GRANT ALL ON orders TO ${user}`);
    await other.query('BEGIN');
    await other.query('LOCK TABLE orders IN ROW EXCLUSIVE MODE');
    const builder = await database.connect({ application_name: 'builder' });
    const build = builder.query('CREATE INDEX CONCURRENTLY orders_note ON orders (note)').catch(() => 'killed');
    await waitFor('the build', async () => (await isValid('orders_note')) === false, { timeoutSeconds: 10 });
    await admin.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'builder'`);
    expect(await build).toBe('killed');
    await other.query('ROLLBACK');
    await other.end();
    expect(await isValid('orders_note')).toBe(false);

    const note = { ...wanted, index: 'orders_note', columns: ['note'] };
    expect((await bench.plan('createIndexConcurrently', note)).lines[0]).toContain('left by an unfinished build');
    expect(await bench.run('createIndexConcurrently', note)).toEqual({ created: true, droppedInvalid: true });
    expect(await isValid('orders_note')).toBe(true);
  });

  test('one that is still being built is waited for', async () => {
    const other = await connectAs('holder');
    await other.query('BEGIN');
    await other.query('LOCK TABLE orders IN ROW EXCLUSIVE MODE');
    const builder = await database.connect({ application_name: 'builder' });
    const build = builder.query('CREATE INDEX CONCURRENTLY orders_both ON orders (customer, note)');
    await waitFor('the build', async () => (await isValid('orders_both')) === false, { timeoutSeconds: 10 });
    let waits = 0;
    const both = { ...wanted, index: 'orders_both', columns: ['customer', 'note'] };
    const onHeartbeat = () => {
      if (++waits === 1) void other.query('ROLLBACK');
    };
    expect(await bench.run('createIndexConcurrently', both, { onHeartbeat })).toMatchObject({ created: false });
    expect(waits).toBeGreaterThan(0);
    await build;
    await Promise.all([other.end(), builder.end()]);
    expect(await isValid('orders_both')).toBe(true);
  });

  test('another index of that name is Interfered, and stays', async () => {
    await admin.query('CREATE INDEX orders_taken ON orders (id)');
    const taken = { ...wanted, index: 'orders_taken' };
    await expect(bench.run('createIndexConcurrently', taken)).rejects.toMatchObject({
      type: 'Interfered',
      message: expect.stringContaining('is btree on orders (id), expected btree on orders (customer)'),
    });
    expect(await isValid('orders_taken')).toBe(true);
  });
});

test('explainQuery shows the plan and does not run the query', async () => {
  await admin.query('CREATE SEQUENCE calls');
  const { plan, cost } = await bench.run('explainQuery', { ...called, sql: `SELECT nextval('calls'), * FROM orders;` });
  expect(plan[0]).toMatch(/^Seq Scan on orders/);
  expect(cost).toBeGreaterThan(0);
  expect(await value('SELECT is_called FROM calls')).toBe(false);
});

describe('runQuery', () => {
  test('returns the first rows, takes values apart from the text, and says whether there are more', async () => {
    const sql = 'SELECT id, customer FROM orders WHERE customer = $1 ORDER BY id -- of one customer';
    const result = await bench.run('runQuery', { ...called, sql, values: ['customer 3'], rows: 2 });
    expect(result).toEqual({
      rows: [
        { id: 3, customer: 'customer 3' },
        { id: 13, customer: 'customer 3' },
      ],
      count: 2,
      more: true,
    });
  });

  test.each([
    ['a change', 'DELETE FROM orders', /expected one SELECT/],
    ['a change in a query', 'WITH gone AS (DELETE FROM orders RETURNING *) SELECT * FROM gone', /data-modifying/],
    ['a second statement', 'SELECT 1; DELETE FROM orders', /multiple commands/],
    ['the end of its transaction', 'SELECT 1; COMMIT; DELETE FROM orders', /multiple commands/],
    ['a change by a function', `SELECT nextval('calls')`, /read-only transaction/],
    ['a table made of a query', 'SELECT * INTO copied FROM orders', /SELECT INTO|INTO/],
  ])('%s is refused and changes nothing', async (_what, sql, message) => {
    await expect(bench.run('runQuery', { ...called, sql })).rejects.toMatchObject({
      type: expect.stringMatching(/^(InvalidInput|Refused)$/),
      message: expect.stringMatching(message),
    });
    expect(await value('SELECT count(*)::int FROM orders')).toBe(1000);
  });

  test('a statement that takes too long is ended on the server too', async () => {
    const sql = 'SELECT pg_sleep(60)';
    await expect(bench.run('runQuery', { ...called, sql })).rejects.toMatchObject({ type: 'TimedOut' });
    expect(
      await value(
        `SELECT count(*)::int FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%pg_sleep(60)%' AND pid <> pg_backend_pid()`,
      ),
    ).toBe(0);
  });

  const ours = `FROM pg_stat_activity WHERE application_name = 'windlass' AND datname = current_database()`;

  test('a cancelled attempt ends its statement on the server, and leaves no session', async () => {
    let cancel = (): void => undefined;
    const sql = 'SELECT pg_sleep(7)';
    const attempt = bench.run('runQuery', { ...called, sql }, { onStart: (given) => (cancel = given) });
    const end = attempt.catch((error: unknown) => error);
    const running = async () => (await value(`SELECT count(*)::int ${ours} AND state = 'active'`)) === 1;
    await waitFor('the statement', running, { timeoutSeconds: 5 });
    cancel();
    expect(await end).toBeInstanceOf(CancelledFailure);
    const gone = async () => (await value(`SELECT count(*)::int ${ours}`)) === 0;
    await waitFor('the end of our session', gone, { timeoutSeconds: 5 });
  });

  test('a cancelled attempt ends although its server has gone silent, and does not keep a connection', async () => {
    const way = await startSilentNetwork(readEndpoints().postgres);
    try {
      const { servers, ...shop } = database.catalog;
      const local = { ...servers['local']!, host: way.host, port: way.port };
      const far = createActionBench({ databases: { shop: { ...shop, servers: { local } } }, env: database.env });
      let cancel = (): void => undefined;
      const sql = 'SELECT pg_sleep(6.5)';
      const end = far.run('runQuery', { ...called, sql }, { onStart: (given) => (cancel = given) }).catch(String);
      const running = async () => (await value(`SELECT count(*)::int ${ours} AND state = 'active'`)) === 1;
      await waitFor('the statement', running, { timeoutSeconds: 5 });
      way.silence();
      cancel();
      expect(await end).toMatch(/Cancelled/);
      const left = (): Promise<boolean> => Promise.resolve(way.clients() === 0);
      await waitFor('the end of its connections', left, { timeoutSeconds: 10 });
    } finally {
      await way.close();
    }
  }, 30_000);
});
