import { readFileSync } from 'node:fs';
import pg from 'pg';
import { openAuditDatabase } from '../../src/adapters/audit/connect.ts';
import { searchRecords } from '../../src/adapters/audit/search.ts';
import type { Query } from '../../src/adapters/postgres.ts';
import { schemaStatements } from '../../src/audit/schema.ts';
import { auditQuery, type AuditQuery } from '../../src/contracts/audit.ts';
import { readEndpoints } from '../sandbox/endpoints.ts';
import { describeMachine, measureLoad, type Machine, type MachineLoad } from './machine.ts';
import { summarize, type Summary } from './statistics.ts';

export interface AuditSearchReport {
  bench: 'audit';
  machine: Machine;
  loadBefore: MachineLoad;
  loadAfter: MachineLoad;
  records: number;
  /** Of the table with its indexes. */
  bytes: number;
  /** Milliseconds; `first` of the first time it was asked, which found less in memory. */
  searches: { what: string; found: number; first: number; times: Summary }[];
}

const DATABASE = 'bench_audit';
const WRITER = 'bench_audit_writer';
const BATCH = 50_000;
const ROUNDS = 20;

/** What people look for, and what is hardest to find: conditions that many records fit one by one and none together. */
const SEARCHES: [what: string, query: Partial<AuditQuery>][] = [
  ['the newest 50', {}],
  ['one person of 40', { who: 'person-7' }],
  [
    'one place, one day',
    { system: 'system-3', environment: 'production', since: '2026-06-10T00:00:00Z', until: '2026-06-11T00:00:00Z' },
  ],
  ['one procedure and one outcome', { procedure: 'restoreDatabase', outcome: 'failed: DiskFull' }],
  [
    'one target, who, and a month',
    { target: 'service-3', who: 'person-3', since: '2026-03-01T00:00:00Z', until: '2026-04-01T00:00:00Z' },
  ],
  ['one procedure by its id', { id: 'deploy/system-5/production/run-12345', order: 'chain', limit: 1000 }],
  ['a word of 80 records', { text: 'incident4711' }],
  ['a word of half of them', { text: 'effect' }],
  ['three words, each in many records', { text: 'switchTraffic system-2 person-5' }],
  ['the beginning of a word, and who', { text: 'restoreD', who: 'person-3' }],
  ['a kind of 1 in 1,000', { kind: 'cancel-requested' }],
  ['nobody', { who: 'nobody', text: 'nothing' }],
  [
    'what fits one by one and not together',
    { who: 'person-2', procedure: 'deployRelease', outcome: 'failed: DiskFull' },
  ],
];

/** Fills a database of its own with generated records, asks, and drops it. */
export async function benchAuditSearch({
  records,
  say,
}: {
  records: number;
  say: (line: string) => void;
}): Promise<AuditSearchReport> {
  const { postgres } = readEndpoints();
  const password = readFileSync(postgres.passwordFile, 'utf8').trim();
  const admin = new pg.Client({
    host: postgres.host,
    port: postgres.port,
    user: postgres.user,
    password,
    database: postgres.database,
  });
  await admin.connect();
  const clear = async (): Promise<void> => {
    await admin.query(`DROP DATABASE IF EXISTS ${DATABASE} WITH (FORCE)`);
    await admin.query(`DROP ROLE IF EXISTS ${WRITER}`);
  };
  try {
    await clear();
    await admin.query(`CREATE ROLE ${WRITER}`);
    await admin.query(`CREATE DATABASE ${DATABASE}`);
    const url = `postgres://${postgres.user}:${encodeURIComponent(password)}@${postgres.host}:${postgres.port}/${DATABASE}?sslmode=disable`;
    const session = await openAuditDatabase(url, new AbortController().signal);
    try {
      await session.transaction(async (query) => {
        for (const statement of schemaStatements(WRITER)) await query(statement);
      });
      for (let from = 1; from <= records; from += BATCH) {
        await generate(session.query, from, Math.min(records, from + BATCH - 1));
        say(`${Math.min(records, from + BATCH - 1)} of ${records} records`);
      }
      await session.query('VACUUM ANALYZE windlass_audit.records');
      return await measure(session.query, records);
    } finally {
      await session.close();
    }
  } finally {
    await clear();
    await admin.end();
  }
}

/** 80 records a run; a year of them. A few are rare. */
const generate = (query: Query, from: number, to: number): Promise<unknown> =>
  query(
    `INSERT INTO windlass_audit.records
       (system, environment, sequence, at, run_id, event_id, workflow_id, procedure, kind, who, target, outcome, line, words)
     SELECT system, environment, n, at, 'run-' || run, event, workflow_id, procedure, kind, who, target, outcome,
       json_build_object('v', 1, 'system', system, 'environment', environment, 'sequence', n, 'at', at, 'runId', 'run-' || run,
         'eventId', event, 'workflowId', workflow_id, 'procedure', procedure, 'kind', kind, 'what', what,
         'who', json_build_object('name', who, 'how', 'declared'), 'target', target, 'outcome', outcome,
         'labels', json_build_object('service', target, 'reason', 'because of incident' || run),
         'inputs', encode(sha256(n::text::bytea), 'hex'), 'prev', encode(sha256(n::text::bytea), 'hex'),
         'hash', encode(sha256((n + 1)::text::bytea), 'hex'))::text,
       array_to_tsvector(regexp_split_to_array(lower(concat_ws('-', kind, what, who, target, outcome, procedure, workflow_id, 'because-of',
         'incident' || run)), '[^a-z0-9]+'))
     FROM (
       SELECT n, n / 80 AS run, n % 80 + 1 AS event, 'system-' || (n / 80) % 10 AS system,
         (ARRAY['production', 'staging', 'development'])[(n / 800) % 3 + 1] AS environment,
         timestamptz '2026-01-01' + n * interval '1 year' / $3 AS at,
         procedure, (ARRAY['effect', 'effect', 'decision', 'lease', 'order'])[n % 5 + 1] AS usual,
         CASE WHEN n % 1000 = 7 THEN 'cancel-requested' ELSE (ARRAY['effect', 'effect', 'decision', 'lease', 'order'])[n % 5 + 1] END AS kind,
         (ARRAY['switchTraffic', 'createColor', 'decide', 'acquire', 'hold'])[n % 5 + 1] AS what,
         'person-' || (n / 80) % 40 AS who, 'service-' || (n / 80) % 25 AS target,
         CASE WHEN procedure = 'restoreDatabase' AND n % 5000 = 3 THEN 'failed: DiskFull'
              ELSE (ARRAY['completed', 'scheduled', 'recorded', 'granted', 'received'])[n % 5 + 1] END AS outcome,
         'deploy/system-' || (n / 80) % 10 || '/production/run-' || n / 80 AS workflow_id
       FROM (SELECT n, (ARRAY['deployRelease', 'runRunbook', 'backUpDatabase', 'restoreDatabase'])[(n / 80) % 4 + 1] AS procedure
             FROM generate_series($1::bigint, $2::bigint) n) each
     ) given`,
    [from, to, to > 1_000_000 ? to : 1_000_000],
  );

async function measure(query: Query, records: number): Promise<AuditSearchReport> {
  const loadBefore = await measureLoad();
  const searches: AuditSearchReport['searches'] = [];
  for (const [what, asked] of SEARCHES) {
    const times: number[] = [];
    let found = 0;
    for (let round = 0; round <= ROUNDS; round++) {
      const started = performance.now();
      found = (await searchRecords(query, auditQuery.parse(asked))).length;
      times.push(performance.now() - started);
    }
    const [first, ...rest] = times;
    searches.push({ what, found, first: first!, times: summarize(rest)! });
  }
  const [size] = await query<{ bytes: number }>(`SELECT pg_total_relation_size('windlass_audit.records') AS bytes`);
  return {
    ...{ bench: 'audit', machine: describeMachine(), loadBefore, loadAfter: await measureLoad() },
    ...{ records, bytes: size!.bytes, searches },
  };
}
