import { anchorKey, segmentKey } from '../../audit/chain.ts';
import { wordsIn } from '../../audit/words.ts';
import type { AuditListing, AuditQuery, AuditRecord, ReadAuditInput } from '../../contracts/audit.ts';
import type { Query } from '../postgres.ts';

/** So many of the newest records are looked through for words before all that have them are collected. */
const NEWEST = 10_000;

/**
 * Records that fit, newest first or in the order of their chain.
 *
 * PostgreSQL cannot estimate how many records have a word that begins so. It would go through all of them from the newest
 * for a rare one, or collect half a million for a common one. So the newest that fit otherwise are looked through first: a
 * common word is found among them, and a rare one is then collected by its index.
 * @throws as Query
 */
export async function searchRecords(query: Query, asked: AuditQuery): Promise<AuditRecord[]> {
  const words = wordsIn(asked.text ?? '');
  const { conditions, values } = conditionsOf(asked, words);
  const order =
    asked.order === 'newest' ? 'at DESC, system, environment, sequence DESC' : 'system, environment, sequence';
  const last = `ORDER BY ${order} LIMIT ${Number(asked.limit)}`;
  if (words.length === 0) {
    const rows = await query<{ line: string }>(
      `SELECT line FROM ${RECORDS} WHERE ${allOf(conditions)} ${last}`,
      values,
    );
    return rows.map(({ line }) => parse(line));
  }
  const [byWords, ...others] = conditions;
  const [recent] = await query<{ seen: number; lines: string[] }>(
    `WITH recent AS MATERIALIZED (SELECT * FROM ${RECORDS} WHERE ${allOf(others)} ORDER BY ${order} LIMIT ${NEWEST})
     SELECT (SELECT count(*) FROM recent) AS seen, array(SELECT line FROM recent WHERE ${byWords} ${last}) AS lines`,
    values,
  );
  if (recent!.lines.length === asked.limit || recent!.seen < NEWEST) return recent!.lines.map(parse);
  const rows = await query<{ line: string }>(
    `WITH found AS MATERIALIZED (SELECT * FROM ${RECORDS} WHERE ${byWords})
     SELECT line FROM found WHERE ${allOf(others)} ${last}`,
    values,
  );
  return rows.map(({ line }) => parse(line));
}

const RECORDS = 'windlass_audit.records';
const allOf = (conditions: string[]): string => conditions.join(' AND ') || 'true';
const parse = (line: string): AuditRecord => JSON.parse(line) as AuditRecord;

/** SQL, the condition of the words first, when there are words. */
function conditionsOf(asked: AuditQuery, words: string[]): { conditions: string[]; values: unknown[] } {
  const values: unknown[] = [];
  const conditions: string[] = [];
  const add = (value: unknown, condition: (place: string) => string): void => {
    if (value === undefined) return;
    values.push(value);
    conditions.push(condition(`$${values.length}`));
  };
  // Words are letters and digits only, so the quotes hold.
  if (words.length > 0) add(words.map((word) => `'${word}':*`).join(' & '), (place) => `words @@ ${place}::tsquery`);
  for (const column of ['who', 'procedure', 'system', 'environment', 'target', 'outcome', 'kind'] as const)
    add(asked[column], (place) => `${column} = ${place}`);
  add(asked.id, (place) => `(workflow_id = ${place} OR run_id = ${place})`);
  add(asked.since, (place) => `at >= ${place}::timestamptz`);
  add(asked.until, (place) => `at < ${place}::timestamptz`);
  return { conditions, values };
}

const PER_PAGE = 2000;

/** The sealed objects of some chains, in their order, a page of them. @throws as Query */
export async function listSealed(
  query: Query,
  { system, environment, after }: Extract<ReadAuditInput, { ask: 'list' }>,
): Promise<AuditListing> {
  const rows = await query<
    Record<'system' | 'environment' | 'segment_key' | 'anchor_key', string> &
      Record<'segment_version' | 'anchor_version', string | null> & { number: number }
  >(
    `SELECT system, environment, number, segment_key, segment_version, anchor_key, anchor_version FROM windlass_audit.seals
     WHERE ($1::text IS NULL OR system = $1) AND ($2::text IS NULL OR environment = $2)
       AND ($3::text IS NULL OR (system, environment, number) > ($3, $4, $5::bigint))
     ORDER BY system, environment, number LIMIT ${PER_PAGE}`,
    [system, environment, after?.system, after?.environment, after?.segment],
  );
  const last = rows.length === PER_PAGE ? rows.at(-1) : undefined;
  const object = (file: string, key: string, version: string | null) => ({
    file,
    key,
    ...(version ? { version } : {}),
  });
  return {
    objects: rows.flatMap((row) => [
      object(segmentKey(row, row.number), row.segment_key, row.segment_version),
      object(anchorKey(row, row.number), row.anchor_key, row.anchor_version),
    ]),
    ...(last ? { next: { system: last.system, environment: last.environment, segment: last.number } } : {}),
  };
}
