import type { Segment, ChainHead } from '../../audit/chain.ts';
import type { AuditAnchor, AuditChain, SegmentFoot } from '../../contracts/audit.ts';
import type { PostgresSession, Query } from '../postgres.ts';

export type Run = { workflowId: string; runId: string };

/**
 * Adds what a run tells to a chain, in one transaction that has the chain for itself: it looks whether the run is there
 * already, reads the head, lets `link` put the facts behind it, and writes. Unique keys on sequence, on run and on run
 * and event, and a trigger that compares the head, stand behind it.
 *
 * A process that dies before the commit leaves nothing; one that dies after it finds the run there when it is tried again.
 * @returns how many records were added; undefined when the run was there
 * @throws Unavailable also when another writer was faster
 */
export function appendRun(
  session: PostgresSession,
  chain: AuditChain,
  run: Run,
  link: (head: ChainHead | undefined) => Segment & { words: string[] },
): Promise<number | undefined> {
  const { system, environment } = chain;
  return session.transaction(async (query) => {
    await query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`windlass_audit ${system}/${environment}`]);
    if ((await exportedOf(query, [run.runId])).size > 0) return undefined;
    const { records, foot, lines, words, anchorText } = link(await headOf(query, chain));
    await query(
      `INSERT INTO windlass_audit.records
         (system, environment, sequence, at, run_id, event_id, workflow_id, procedure, kind, who, target, outcome, line, words)
       SELECT $1, $2, sequence, at, run_id, event_id, workflow_id, procedure, kind, who, target, outcome, line,
         array_to_tsvector(string_to_array(words, ' '))
       FROM jsonb_to_recordset($3::jsonb) AS given(sequence bigint, at timestamptz, run_id text, event_id bigint,
         workflow_id text, procedure text, kind text, who text, target text, outcome text, line text, words text)`,
      [
        ...[system, environment],
        JSON.stringify(
          records.map(({ sequence, at, runId, eventId, workflowId, procedure, kind, who, target, outcome }, index) => ({
            ...{ sequence, at, run_id: runId, event_id: eventId, workflow_id: workflowId, procedure, kind },
            ...{ who: who.name, target, outcome, line: lines[index], words: words[index] },
          })),
        ),
      ],
    );
    await query(
      `INSERT INTO windlass_audit.segments (system, environment, number, first, last, prev, head, run_id, workflow_id, anchor)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
      [
        system,
        environment,
        foot.segment,
        foot.first,
        foot.last,
        foot.prev,
        foot.head,
        run.runId,
        run.workflowId,
        anchorText,
      ],
    );
    return records.length;
  });
}

/** Which of these runs the audit has. */
export async function exportedOf(query: Query, runIds: string[]): Promise<Set<string>> {
  const rows = await query<{ run_id: string }>('SELECT run_id FROM windlass_audit.segments WHERE run_id = ANY($1)', [
    runIds,
  ]);
  return new Set(rows.map(({ run_id }) => run_id));
}

async function headOf(query: Query, { system, environment }: AuditChain): Promise<ChainHead | undefined> {
  const [row] = await query<{ number: number; last: number; head: string; anchor_digest: string }>(
    `SELECT number, last, head, encode(sha256(convert_to(anchor, 'UTF8')), 'hex') AS anchor_digest
     FROM windlass_audit.segments WHERE system = $1 AND environment = $2 ORDER BY number DESC LIMIT 1`,
    [system, environment],
  );
  return row && { segment: row.number, sequence: row.last, hash: row.head, anchor: row.anchor_digest };
}

/** A segment that the database has and the object store has not yet. */
export interface Unsealed {
  foot: SegmentFoot;
  lines: string[];
  anchorText: string;
}

/** The oldest segment of a chain that is not sealed. */
export async function nextUnsealed(query: Query, { system, environment }: AuditChain): Promise<Unsealed | undefined> {
  const [row] = await query<Record<'number' | 'first' | 'last', number> & Record<'prev' | 'head' | 'anchor', string>>(
    `SELECT number, first, last, prev, head, anchor FROM windlass_audit.segments s
     WHERE system = $1 AND environment = $2
       AND NOT EXISTS (SELECT FROM windlass_audit.seals d
         WHERE d.system = s.system AND d.environment = s.environment AND d.number = s.number)
     ORDER BY number LIMIT 1`,
    [system, environment],
  );
  if (!row) return undefined;
  const { number: segment, first, last, prev, head, anchor: anchorText } = row;
  const lines = await query<{ line: string }>(
    'SELECT line FROM windlass_audit.records WHERE system = $1 AND environment = $2 AND sequence BETWEEN $3 AND $4 ORDER BY sequence',
    [system, environment, first, last],
  );
  const { v } = JSON.parse(anchorText) as AuditAnchor;
  return {
    foot: { v, system, environment, segment, first, last, prev, head },
    lines: lines.map(({ line }) => line),
    anchorText,
  };
}

export interface Seal {
  segmentKey: string;
  segmentVersion?: string | undefined;
  anchorKey: string;
  anchorVersion?: string | undefined;
  retainUntil?: string | undefined;
}

/** Notes that both objects of a segment are in the store. Noting it twice is noting it once. */
export async function noteSealed(
  query: Query,
  { system, environment, segment }: SegmentFoot,
  seal: Seal,
): Promise<void> {
  await query(
    `INSERT INTO windlass_audit.seals
       (system, environment, number, segment_key, segment_version, anchor_key, anchor_version, retain_until)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING`,
    [
      system,
      environment,
      segment,
      seal.segmentKey,
      seal.segmentVersion,
      seal.anchorKey,
      seal.anchorVersion,
      seal.retainUntil,
    ],
  );
}

/** Chains with segments that are not sealed. */
export const unsealedChains = (query: Query): Promise<AuditChain[]> =>
  query<{ system: string; environment: string }>(
    `SELECT DISTINCT system, environment FROM windlass_audit.segments s
     WHERE NOT EXISTS (SELECT FROM windlass_audit.seals d
       WHERE d.system = s.system AND d.environment = s.environment AND d.number = s.number)`,
  );

/** Until when everything that ended is known to be in the audit; ISO 8601, undefined at first. */
export async function lastMark(query: Query): Promise<string | undefined> {
  const [row] = await query<{ until: Date | null }>('SELECT max(until) AS until FROM windlass_audit.marks');
  return row?.until?.toISOString();
}

export const addMark = async (query: Query, until: string): Promise<void> =>
  void (await query('INSERT INTO windlass_audit.marks (until) VALUES ($1) ON CONFLICT DO NOTHING', [until]));
