import { defineSearchAttributeKey } from '@temporalio/common';
import {
  HeadObjectCommand,
  DeleteObjectCommand,
  ListObjectVersionsCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { randomUUID } from 'node:crypto';
import { migrateAudit } from '../../src/adapters/audit/connect.ts';
import { createSealedStore } from '../../src/adapters/sealed-store.ts';
import { verifyAudit } from '../../src/audit/verify.ts';
import type { AuditQuery, AuditRecord, AuditRun } from '../../src/contracts/audit.ts';
import { auditQuery } from '../../src/contracts/audit.ts';
import { createAuditWorld, type AuditWorld } from '../support/audit-world.ts';
import { startLocalServer, type TestTemporal } from '../support/temporal.ts';

// Real histories of a server of its own, the sandbox's PostgreSQL and its object store.
let temporal: TestTemporal;
let world: AuditWorld;
let deps: ReturnType<AuditWorld['dependencies']>;
beforeAll(async () => {
  [temporal, world] = await Promise.all([startLocalServer({ workflows: 'workflows/index.ts' }), createAuditWorld()]);
  deps = world.dependencies(temporal.client);
}, 120_000);
afterAll(async () => {
  await world?.remove();
  await temporal?.stop();
});

const place = (name: string) => ({ system: 'shop', environment: name });
/** A run that nobody works on, told something, and ended. */
async function ended(environment: string, how: 'terminate' | 'fail' = 'terminate'): Promise<AuditRun> {
  const workflowId = `backup/shop/${environment}/${randomUUID()}`;
  const keyword = (name: string, value: string) => ({ key: defineSearchAttributeKey(name, 'KEYWORD'), value });
  const handle = await temporal.client.workflow.start('backUpDatabase', {
    workflowId,
    taskQueue: how === 'fail' ? temporal.taskQueue : 'nobody',
    args: [
      how === 'fail'
        ? { system: 'shop', requestedBy: 'kim' }
        : { ...place(environment), database: 'shop', requestedBy: 'kim', reason: 'größer 🚢' },
    ],
    typedSearchAttributes: [
      keyword('OpsSystem', 'shop'),
      keyword('OpsEnvironment', environment),
      keyword('OpsProcedure', 'backUpDatabase'),
    ],
  });
  if (how === 'terminate') {
    await handle.signal('hold', { by: 'ana', reason: 'wait' });
    await handle.terminate('enough');
  } else await handle.result().catch(() => undefined);
  return { workflowId, runId: handle.firstExecutionRunId };
}
const search = async (query: Partial<AuditQuery>): Promise<AuditRecord[]> =>
  (await world.act(deps, 'searchAudit', auditQuery.parse(query))).records;
const record = (run: AuditRun) => world.act(deps, 'recordRun', run);
const seal = (environment: string) => world.act(deps, 'sealSegments', place(environment));

/** Everything that is sealed of an environment, as an export has it. */
async function exported(environment: string) {
  const { objects } = await world.act(deps, 'listAudit', { ask: 'list', ...place(environment) });
  const { texts, next } = await world.act(deps, 'readAuditObjects', { ask: 'read', objects, offset: 0 });
  expect(next).toBeUndefined();
  const of = (folder: string) => texts.filter(({ file }) => file.includes(`/${folder}/`));
  return { objects, segments: of('segments'), anchors: of('anchors') };
}
const verified = async (environment: string) => {
  const { segments, anchors } = await exported(environment);
  return verifyAudit(segments, anchors);
};

test('a terminated run is recorded, sealed with its anchor, found, and verifies', async () => {
  const run = await ended('one');
  expect(await record(run)).toEqual({ outcome: 'exported', records: 3 });
  expect(await seal('one')).toEqual({ sealed: 1 });
  const records = await search({ id: run.workflowId, order: 'chain' });
  expect(records.map(({ kind, who, outcome }) => [kind, who.name, outcome])).toEqual([
    ['started', 'kim', 'started'],
    ['order', 'ana', 'received'],
    ['ended', expect.stringContaining('@'), 'terminated'],
  ]);
  const { chains, findings } = await verified('one');
  expect(findings).toEqual([]);
  expect(chains).toMatchObject([{ ...place('one'), records: 3, segments: 1, anchors: 1 }]);
  expect(records.at(-1)!.hash).toBe(chains[0]!.head.hash);
});

test('a run that is exported twice, and by two at the same time, is there once', async () => {
  const runs = await Promise.all([ended('twice'), ended('twice'), ended('twice')]);
  const outcomes = await Promise.all(
    [...runs, ...runs, ...runs].map((run) => record(run).then(({ outcome }) => outcome)),
  );
  expect(outcomes.filter((each) => each === 'exported')).toHaveLength(3);
  expect(outcomes.filter((each) => each === 'already')).toHaveLength(6);
  await Promise.all([seal('twice'), seal('twice')]);
  expect(await verified('twice')).toMatchObject({ findings: [], chains: [{ records: 9, segments: 3, anchors: 3 }] });
}, 30_000);

test('killed between the database and the object store: the next attempt ends with both', async () => {
  const run = await ended('killed');
  await record(run);
  // Killed here. Tried again, from the start.
  expect(await record(run)).toEqual({ outcome: 'already', records: 0 });
  const found = await world.act(deps, 'findUnexported', place('killed'));
  expect(found.chains).toEqual([{ ...place('killed'), runs: [] }]);
  expect(await seal('killed')).toEqual({ sealed: 1 });
  expect(await seal('killed')).toEqual({ sealed: 0 });
  expect(await verified('killed')).toMatchObject({ findings: [], chains: [{ records: 3, anchors: 1 }] });
});

test.each([
  ['the segment and its anchor', 1],
  ['the anchor and the note that both are there', 2],
])('killed between %s: the next attempt finds what is there and goes on', async (_, after) => {
  const environment = `sealing-${after}`;
  await record(await ended(environment));
  const real = createSealedStore(world.store);
  let written = 0;
  const dying = world.dependencies(temporal.client, {
    sealed: {
      ...real,
      seal: async (key, text) => {
        if (written++ === after) throw new Error('killed');
        const sealed = await real.seal(key, text);
        if (written === 2 && after === 2) throw new Error('killed');
        return sealed;
      },
    },
  });
  await expect(world.act(dying, 'sealSegments', place(environment))).rejects.toThrow('killed');
  expect((await exported(environment).catch(() => ({ segments: [] }))).segments).toEqual([]);
  expect(await seal(environment)).toEqual({ sealed: 1 });
  expect((await verified(environment)).findings).toEqual([]);
  expect(await versionsOf(environment)).toHaveLength(2);
});

test('a run that failed because of its input is in the audit too', async () => {
  const run = await ended('refused', 'fail');
  await record(run);
  expect(await search({ id: run.runId, kind: 'ended' })).toMatchObject([
    { outcome: 'failed: InvalidInput', environment: 'refused' },
  ]);
});

test('what has ended and is not exported is found by place, the oldest first, and nothing once it is exported', async () => {
  const runs = [await ended('found'), await ended('found')];
  const look = () => world.act(deps, 'findUnexported', place('found'));
  await until(async () => (await look()).chains[0]?.runs.length === 2);
  const { chains, more } = await look();
  expect({ chains, more }).toEqual({ chains: [{ ...place('found'), runs }], more: false });
  for (const run of runs) await record(run);
  await seal('found');
  expect((await look()).chains).toEqual([]);
});

test('a run that was encrypted with another key keeps no other out, and is told without what cannot be read', async () => {
  const { client } = temporal;
  const payload = { metadata: { encoding: Buffer.from('binary/encrypted') }, data: Buffer.from('?') };
  const workflowId = `backup/shop/sealed-elsewhere/${randomUUID()}`;
  const json = (value: string) => ({
    metadata: { encoding: Buffer.from('json/plain'), type: Buffer.from('Keyword') },
    data: Buffer.from(`"${value}"`),
  });
  const { runId } = await client.workflowService.startWorkflowExecution({
    ...{ namespace: 'default', workflowId, requestId: randomUUID(), identity: 'elsewhere' },
    ...{ workflowType: { name: 'backUpDatabase' }, taskQueue: { name: 'nobody' }, input: { payloads: [payload] } },
    memo: { fields: { summary: payload } },
    searchAttributes: {
      indexedFields: { OpsSystem: json('shop'), OpsEnvironment: json('sealed-elsewhere'), OpsProcedure: json('x') },
    },
  });
  await client.workflow.getHandle(workflowId).terminate('enough');
  const look = () => world.act(deps, 'findUnexported', place('sealed-elsewhere'));
  await until(async () => (await look()).chains.length > 0);
  expect((await look()).chains).toEqual([{ ...place('sealed-elsewhere'), runs: [{ workflowId, runId }] }]);
  await record({ workflowId, runId });
  expect(
    (await search({ id: runId, order: 'chain' })).map(({ who, outcome, labels }) => [who.name, outcome, labels]),
  ).toEqual([
    ['elsewhere', 'started', { unreadable: true }],
    [expect.any(String), 'terminated', { reason: 'enough' }],
  ]);
});

test('a history that the server has no more is gone, not a failure', async () => {
  expect(await record({ workflowId: 'backup/none', runId: randomUUID() })).toEqual({ outcome: 'gone', records: 0 });
});

test.each([
  'UPDATE windlass_audit.records SET outcome = $$well$$',
  'DELETE FROM windlass_audit.records',
  'TRUNCATE windlass_audit.records, windlass_audit.segments',
  'DELETE FROM windlass_audit.segments',
  'DELETE FROM windlass_audit.seals',
  'DELETE FROM windlass_audit.marks',
  'DROP TABLE windlass_audit.records',
  'ALTER TABLE windlass_audit.records DISABLE TRIGGER append_only',
])(
  '%s is refused to the writer by permission, and what is not a change of the tables to their owner by trigger',
  async (sql) => {
    await record(await ended('walls'));
    const before = await search({ environment: 'walls' });
    const writer = await world.asWriter();
    await expect(writer.query(sql)).rejects.toMatchObject({ code: '42501' }); // insufficient_privilege
    await writer.end();
    if (!/^(DROP|ALTER)/.test(sql)) {
      const owner = await world.database.connect();
      await expect(owner.query(sql)).rejects.toMatchObject({ code: '23001' }); // restrict_violation
      await owner.query('SET session_replication_role = replica');
      await expect(owner.query(sql)).rejects.toMatchObject({ code: '23001' });
      await owner.end();
    }
    expect(await search({ environment: 'walls' })).toEqual(before);
  },
);

test('the writer cannot insert a segment that does not continue its chain', async () => {
  await record(await ended('continued'));
  const writer = await world.asWriter();
  const insert = `INSERT INTO windlass_audit.segments (system, environment, number, first, last, prev, head, run_id, workflow_id, anchor) VALUES ('shop', 'continued', $1, $2, 99, $3, 'x', 'invented', 'x', '{}')`;
  for (const values of [
    [1, 1, 'y'],
    [2, 7, 'y'],
    [2, 4, 'y'],
    [3, 4, 'y'],
  ])
    await expect(writer.query(insert, values)).rejects.toThrow(/does not continue the chain|duplicate key/);
  await writer.end();
});

test('who owns the tables and changes a record behind the triggers is found out by the sealed segments', async () => {
  await record(await ended('owned'));
  await seal('owned');
  const owner = await world.database.connect();
  await owner.query('ALTER TABLE windlass_audit.records DISABLE TRIGGER append_only');
  await owner.query(`UPDATE windlass_audit.records SET line = replace(line, 'kim', 'eve') WHERE environment = 'owned'`);
  await owner.query('ALTER TABLE windlass_audit.records ENABLE ALWAYS TRIGGER append_only');
  await owner.end();
  // The database says otherwise than what is sealed, and the next record hangs on what is sealed.
  await record(await ended('owned'));
  await seal('owned');
  const { segments, anchors } = await exported('owned');
  expect(verifyAudit(segments, anchors).findings).toEqual([]);
  expect(segments[0]!.text).toContain('kim');
});

const s3 = () =>
  new S3Client({
    endpoint: world.store.endpoint,
    region: world.store.region!,
    forcePathStyle: true,
    credentials: world.store,
  });
async function versionsOf(environment: string) {
  const { Versions = [] } = await s3().send(
    new ListObjectVersionsCommand({ Bucket: world.store.bucket, Prefix: `${world.prefix}/shop/${environment}/` }),
  );
  return Versions;
}

test('sealed objects are under retention: a version cannot be deleted, and one on top of it changes no export', async () => {
  await record(await ended('locked'));
  await seal('locked');
  const { objects } = await exported('locked');
  for (const { key, version } of objects) {
    const at = { Bucket: world.store.bucket, Key: key };
    await expect(s3().send(new DeleteObjectCommand({ ...at, VersionId: version! }))).rejects.toMatchObject({
      name: 'AccessDenied',
    });
    const { ObjectLockMode, ObjectLockRetainUntilDate } = await s3().send(
      new HeadObjectCommand({ ...at, VersionId: version! }),
    );
    expect(ObjectLockMode).toBe('GOVERNANCE');
    expect(ObjectLockRetainUntilDate!.getTime()).toBeGreaterThan(Date.now());
    await s3().send(new PutObjectCommand({ ...at, Body: 'forged' }));
    await s3().send(new DeleteObjectCommand(at));
  }
  expect((await verified('locked')).findings).toEqual([]);
});

test('something else under the key of a segment is Interfered, and left as it is', async () => {
  const key = `${world.prefix}/shop/taken/segments/00000001.jsonl`;
  await s3().send(new PutObjectCommand({ Bucket: world.store.bucket, Key: key, Body: 'mine' }));
  await record(await ended('taken'));
  await expect(seal('taken')).rejects.toMatchObject({ type: 'Interfered', nonRetryable: true });
  expect(await createSealedStore(world.store).read(key)).toBe('mine');
});

test('an object that is longer than an answer is read in parts, no character of it broken', async () => {
  const key = `${world.prefix}/long`;
  const text = `x${'🚢'.repeat(450_000)}`;
  await createSealedStore({ ...world.store, lock: 'off' }).seal(key, text);
  const objects = [
    { file: 'a', key },
    { file: 'b', key },
  ];
  let at = { index: 0, offset: 0 };
  const read: Record<string, string> = { a: '', b: '' };
  for (let calls = 0; calls < 20; calls++) {
    const rest = objects.slice(at.index);
    const { texts, next } = await world.act(deps, 'readAuditObjects', {
      ask: 'read',
      objects: rest,
      offset: at.offset,
    });
    for (const { file, text } of texts)
      read[file] += JSON.parse(Buffer.from(JSON.stringify(text)).toString('utf8')) as string;
    if (!next) break;
    at = { index: at.index + next.index, offset: next.offset };
  }
  expect([read['a'] === text, read['b'] === text]).toEqual([true, true]);
});

test('search finds by who, procedure, place, target, outcome, time and words, and by all of them together', async () => {
  const run = await ended('searched');
  await record(run);
  const { environment } = place('searched');
  const count = async (query: Partial<AuditQuery>) => (await search({ environment, ...query })).length;
  expect(await count({})).toBe(3);
  expect(await count({ who: 'ana' })).toBe(1);
  expect(await count({ procedure: 'backUpDatabase', target: 'database/shop' })).toBe(3);
  expect(await count({ outcome: 'terminated' })).toBe(1);
  expect(await count({ text: 'GRÖß' })).toBe(1);
  expect(await count({ text: "enough 'x" })).toBe(0);
  expect(await count({ text: 'enou' })).toBe(1);
  expect(await count({ since: '2026-01-01T00:00:00Z', until: '2026-01-02T00:00:00Z' })).toBe(0);
  expect(
    await count({
      since: '2026-01-01T00:00:00Z',
      who: 'kim',
      kind: 'started',
      system: 'shop',
      id: run.runId,
      text: 'backup größer',
    }),
  ).toBe(1);
  const { records, more } = await world.act(deps, 'searchAudit', auditQuery.parse({ environment, limit: 2 }));
  expect({ newest: records[0]!.kind, count: records.length, more }).toEqual({ newest: 'ended', count: 2, more: true });
});

test('the schema is made once by many who come at the same time, and again without harm', async () => {
  const other = await createAuditWorld();
  try {
    const { writer, owner } = other.urls;
    const never = new AbortController().signal;
    await Promise.all([1, 2, 3, 4].map(() => migrateAudit(owner, writer, never)));
    const fresh = other.dependencies(temporal.client, { owner: undefined as never });
    expect(await other.act(fresh, 'searchAudit', auditQuery.parse({}))).toEqual({ records: [], more: false });
  } finally {
    await other.remove();
  }
});

test('without a schema and without the owner, and with the audit off, it says what to do', async () => {
  const other = await createAuditWorld();
  try {
    const alone = other.dependencies(temporal.client, { owner: undefined as never });
    await expect(other.act(alone, 'searchAudit', auditQuery.parse({}))).rejects.toMatchObject({
      type: 'NotFound',
      message: expect.stringContaining('windlass audit schema'),
    });
    const off = { temporal: deps.temporal, secrets: deps.secrets };
    await expect(other.act(off, 'searchAudit', auditQuery.parse({}))).rejects.toMatchObject({
      type: 'Refused',
      message: expect.stringContaining('WINDLASS_AUDIT_DATABASE'),
    });
  } finally {
    await other.remove();
  }
});

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 50));
}
