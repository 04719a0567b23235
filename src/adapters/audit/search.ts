import { anchorKey, segmentKey } from '../../audit/chain.ts';
import { wordsIn } from '../../audit/words.ts';
import type { AuditListing, AuditQuery, AuditRecord, ReadAuditInput } from '../../contracts/audit.ts';
import type { Query } from '../postgres.ts';

/** So many records are read and sorted in no time; more of them are found soon by going back from the newest. */
const FEW = 5_000;

/**
 * Records that fit, newest first or in the order of their chain.
 *
 * PostgreSQL cannot estimate how many records have a word that begins so: for a rare one it would go through all of them
 * from the newest. So it is asked first whether they are few, and if so they are collected by their index.
 * @throws as Query
 */
export async function searchRecords(query: Query, asked: AuditQuery): Promise<AuditRecord[]> {
  const words = wordsIn(asked.text ?? '');
  const order =
    asked.order === 'newest' ? 'at DESC, system, environment, sequence DESC' : 'system, environment, sequence';
  const { conditions, values } = conditionsOf(asked, words);
  const all = conditions.length > 0 ? conditions.join(' AND ') : 'true';
  const [byWords = 'true', ...others] = conditions;
  const few = words.length > 0 && (await countUpTo(query, FEW, byWords, values[0])) < FEW;
  const rows = await query<{ line: string }>(
    few
      ? `WITH found AS MATERIALIZED (SELECT * FROM windlass_audit.records WHERE ${byWords})
         SELECT line FROM found WHERE ${['true', ...others].join(' AND ')} ORDER BY ${order} LIMIT ${Number(asked.limit)}`
      : `SELECT line FROM windlass_audit.records WHERE ${all} ORDER BY ${order} LIMIT ${Number(asked.limit)}`,
    values,
  );
  return rows.map(({ line }) => JSON.parse(line) as AuditRecord);
}

async function countUpTo(query: Query, limit: number, condition: string, value: unknown): Promise<number> {
  const [row] = await query<{ count: number }>(
    `SELECT count(*) AS count FROM (SELECT FROM windlass_audit.records WHERE ${condition} LIMIT ${limit}) found`,
    [value],
  );
  return row!.count;
}

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
