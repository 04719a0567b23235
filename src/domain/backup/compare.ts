import type { TableDigest } from '../../contracts/backup.ts';

/** Where a database differs from what a backup's manifest says, one sentence per table; empty when it is the same. */
export function differences(expected: TableDigest[], found: TableDigest[]): string[] {
  const left = new Map(found.map((each) => [each.table, each]));
  const faults = expected.flatMap(({ table, rows, digest }) => {
    const there = left.get(table);
    left.delete(table);
    if (!there) return [`${table} is missing (${rows} rows)`];
    if (there.rows !== rows) return [`${table} has ${there.rows} rows, expected ${rows}`];
    return there.digest === digest ? [] : [`${table} has ${rows} rows as expected, but other content`];
  });
  return [...faults, ...[...left.keys()].map((table) => `${table} was not in the backup`)];
}

/** What a restore would lose or bring back, for people: rows now against rows in the backup, tables that differ only. */
export function changesSince(backup: TableDigest[], now: TableDigest[]): string[] {
  const current = new Map(now.map(({ table, rows }) => [table, rows]));
  const former = new Map(backup.map(({ table, rows }) => [table, rows]));
  const changed = backup.flatMap(({ table, rows, digest }) => {
    const there = now.find((each) => each.table === table);
    if (!there) return [`${table} comes back (${rows} rows)`];
    if (there.rows !== rows) return [`${table}: ${there.rows} → ${rows} rows`];
    return there.digest === digest ? [] : [`${table}: ${rows} rows, with the content of the backup`];
  });
  return [
    ...changed,
    ...[...current].flatMap(([table, rows]) => (former.has(table) ? [] : [`${table} is lost (${rows} rows)`])),
  ];
}
