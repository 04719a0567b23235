import type { AuditRecord } from '../contracts/audit.ts';

/** Words of a text as the search knows them: runs of letters and digits, in lower case. */
export const wordsIn = (text: string): string[] => [
  ...new Set(
    text
      .toLowerCase()
      .match(/[\p{L}\p{N}]+/gu)
      ?.map((word) => word.slice(0, 100)) ?? [],
  ),
];

/** Words by which a record is found, separated by spaces. */
export function wordsOf(record: AuditRecord): string {
  const { kind, what, who, source, target, outcome, procedure, workflowId, labels = {}, evidence = [] } = record;
  const texts = [kind, what, who.name, source, target, outcome, procedure, workflowId];
  return wordsIn(
    [...texts, ...Object.values(labels), ...evidence.map(({ uri }) => uri)].filter(Boolean).join(' '),
  ).join(' ');
}
