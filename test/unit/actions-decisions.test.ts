import { nodeFaults } from '../../src/actions/kubernetes/check-nodes.ts';
import { postgresFailure, saysDiskFull, saysNoConnection } from '../../src/adapters/postgres-errors.ts';
import { planDrain } from '../../src/domain/cluster/drain.ts';
import { parseQuantity } from '../../src/domain/cluster/quantity.ts';
import { globOfPrefix, parseInfo } from '../../src/domain/redis-info.ts';
import type { Node, Pod } from '../../src/domain/release/objects.ts';
import { asQuery, quoted, withoutLiterals } from '../../src/domain/sql/statement.ts';

describe('a quantity of Kubernetes', () => {
  test.each([
    ['250m', 0.25],
    ['2', 2],
    ['0.5', 0.5],
    ['1500000n', 0.0015],
    ['128Mi', 134_217_728],
    ['1Ki', 1024],
    ['1k', 1000],
    ['1.5Gi', 1_610_612_736],
    ['1e3', 1000],
    ['2E', 2e18],
  ])('%s is %d', (text, value) => expect(parseQuantity(text)).toBeCloseTo(value, 6));

  test.each(['', 'Mi', '12X', '1 Gi', '1KiB'])('%j is none', (text) => expect(parseQuantity(text)).toBeUndefined());
});

describe('what is taken for a query', () => {
  test.each([
    ['SELECT 1', 'SELECT 1'],
    ['  select 1 ; ', 'select 1'],
    ['-- why\nSELECT 1', '-- why\nSELECT 1'],
    ['/* why */ WITH a AS (SELECT 1) TABLE a;;', '/* why */ WITH a AS (SELECT 1) TABLE a'],
    ['((VALUES (1)))', '((VALUES (1)))'],
  ])('%j', (sql, query) => expect(asQuery(sql)).toBe(query));

  test.each([
    '',
    ';',
    'DELETE FROM orders',
    'EXPLAIN SELECT 1',
    "COPY orders TO PROGRAM 'sh'",
    'SET ROLE admin',
    'DO $$ BEGIN END $$',
    '-- SELECT 1',
    'selection',
  ])('%j is not', (sql) => expect(asQuery(sql)).toBeUndefined());
});

test.each([
  [`SELECT * FROM a WHERE name = 'ana' AND id = 12`, 'SELECT * FROM a WHERE name = ? AND id = ?'],
  [`SELECT 'it''s', E'a\\'b', $tag$ c $tag$, 1.5`, 'SELECT ?, E?, ?, ?'],
  [`SELECT 'cut off in the mid`, 'SELECT ?'],
  ['SELECT\n  a1,\n  $1', 'SELECT a1, $?'],
])('literals are not shown: %j', (sql, shown) => expect(withoutLiterals(sql)).toBe(shown));

test('a quoted name cannot end its quotes', () => expect(quoted('public', 'a"; DROP')).toBe('"public"."a""; DROP"'));

test.each([
  ['session:', 'session:*'],
  ['a*b?c[d]e^f\\g', 'a\\*b\\?c\\[d\\]e\\^f\\\\g*'],
])('a prefix is taken as it is: %s', (prefix, glob) => expect(globOfPrefix(prefix)).toBe(glob));

test('INFO is read by field', () =>
  expect(parseInfo('# Memory\r\nused_memory:12\r\nexecutable:/a:b\r\n\r\n')).toEqual({
    used_memory: '12',
    executable: '/a:b',
  }));

describe('an error of PostgreSQL', () => {
  test.each([
    ['28P01', 'Forbidden'],
    ['42501', 'Forbidden'],
    ['3D000', 'NotFound'],
    ['42P01', 'NotFound'],
    ['42601', 'InvalidInput'],
    ['23505', 'InvalidInput'],
    ['25006', 'Refused'],
    ['57014', 'TimedOut'],
    ['57P01', 'Unavailable'],
    ['57P03', 'Unavailable'],
    ['53100', 'DiskFull'],
    ['53300', 'Unavailable'],
    ['40P01', 'Unavailable'],
    ['08006', 'Unavailable'],
    ['ECONNREFUSED', 'Unavailable'],
    ['EPIPE', 'Unavailable'],
    [undefined, 'Unavailable'],
  ])('%s is %s', (code, type) => {
    const error = Object.assign(new Error('it says'), { code, detail: 'Key (email)=(ana@example.com)' });
    const failure = postgresFailure(error, 'PostgreSQL at db:5432');
    expect(failure).toMatchObject({ type, nonRetryable: type !== 'Unavailable' });
    expect(failure.message).toMatch(/^PostgreSQL at db:5432 /);
    expect(failure.message).not.toContain('ana@example.com');
  });

  test.each([
    ['could not extend file "base/1/2": No space left on device', true],
    ['could not extend file "base/1/2": wrote only 4096 of 8192 bytes at block 7', true],
    ['could not write to file "pg_wal/1": Disk quota exceeded', true],
    ['duplicate key\nCONTEXT:  COPY logs, line 1: "No space left on device"', false],
  ])('a tool that passes on "%s" speaks of a full disk: %s', (said, full) =>
    expect(saysDiskFull(`pg_restore: error: COPY failed for table "logs": ERROR:  ${said}\npg_restore: done`)).toBe(
      full,
    ),
  );

  test.each([
    ['connection to server at "db" (10.0.0.1), port 5432 failed: Connection refused', true],
    ['query failed: server closed the connection unexpectedly', true],
    ['query failed: could not receive data from server: Connection timed out', true],
    ['could not send data to server: Broken pipe', true],
    ['query failed: SSL SYSCALL error: EOF detected', true],
    ['query failed: FATAL:  terminating connection due to administrator command', true],
    ['FATAL:  the database system is starting up', true],
    ['could not execute query: ERROR:  relation "orders" already exists', false],
  ])('a tool that says "%s" complains of its connection: %s', (said, connection) =>
    expect(saysNoConnection(`pg_dump: error: ${said}`)).toBe(connection),
  );

  test('encryption that does not fit is not retried', () =>
    expect(postgresFailure(new Error('The server does not support SSL connections'), 'x')).toMatchObject({
      type: 'InvalidInput',
    }));
});

describe('a drain', () => {
  const pod = (name: string, over: { owner?: string; metadata?: object; spec?: object; phase?: string } = {}): Pod => ({
    metadata: {
      name,
      namespace: 'shop',
      uid: name,
      resourceVersion: '1',
      ...(over.owner ? { ownerReferences: [{ kind: over.owner, name: 'x', uid: 'x', controller: true }] } : {}),
      ...over.metadata,
    },
    spec: { ...over.spec },
    status: { phase: over.phase ?? 'Running' },
  });
  const names = (pods: Pod[]) => pods.map(({ metadata }) => metadata.name);
  const scratch = { volumes: [{ name: 'scratch', emptyDir: {} }] };

  test('evicts what is made again, waits for what is leaving, and leaves what a drain cannot move', () => {
    const plan = planDrain(
      [
        pod('web', { owner: 'ReplicaSet' }),
        pod('db-0', { owner: 'StatefulSet' }),
        pod('agent', { owner: 'DaemonSet', spec: scratch }),
        pod('static', { metadata: { annotations: { 'kubernetes.io/config.mirror': 'x' } } }),
        pod('done', { owner: 'Job', phase: 'Succeeded' }),
        pod('leaving', { owner: 'ReplicaSet', metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } }),
      ],
      { loss: false },
    );
    expect([names(plan.evict), names(plan.leaving), plan.refused]).toEqual([['web', 'db-0'], ['leaving'], []]);
  });

  test('refuses, by name, to lose what is not made again', () => {
    const pods = [pod('lonely'), pod('cache', { owner: 'ReplicaSet', spec: scratch })];
    expect(planDrain(pods, { loss: false })).toEqual({
      evict: [],
      leaving: [],
      refused: [
        'pod shop/lonely has no controller that makes it again',
        'pod shop/cache loses its volume scratch (emptyDir)',
      ],
    });
    expect(names(planDrain(pods, { loss: true }).evict)).toEqual(['lonely', 'cache']);
  });
});

describe('a node', () => {
  const node = (...conditions: [type: string, status: string, message?: string][]) =>
    ({
      metadata: { name: 'n1' },
      spec: {},
      status: { conditions: conditions.map(([type, status, message]) => ({ type, status, message })) },
    }) as unknown as Node;
  const ready: [string, string] = ['Ready', 'True'];

  test.each([
    ['well', node(ready, ['DiskPressure', 'False']), 50, []],
    ['not measured', node(ready), undefined, []],
    ['without a word of its kubelet', node(), undefined, ['node n1 is not ready']],
    ['lost', node(['Ready', 'Unknown', 'no status']), 50, ['node n1 is not ready: no status']],
    ['short of disk', node(ready, ['DiskPressure', 'True', 'low']), 50, ['node n1 has DiskPressure: low']],
    ['full', node(ready), 90, ['node n1 uses 90 % of its memory, expected less than 90 %']],
    ['of another condition', node(ready, ['NetworkUnavailable', 'True']), 50, []],
  ])('%s', (_what, described, memory, faults) => expect(nodeFaults(described, memory, 90)).toEqual(faults));
});
