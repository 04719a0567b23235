import type { AuditAnchor, AuditChain, AuditFact, AuditRecord, SegmentFoot } from '../contracts/audit.ts';
import { canonical, digestOf, sha256Of } from './digest.ts';

/** Where a chain ends: the next record gets `sequence + 1` and carries `hash`. */
export interface ChainHead {
  /** Number of the last segment; 0 before the first. */
  segment: number;
  sequence: number;
  hash: string;
  /** SHA-256 of the last anchor's bytes. */
  anchor?: string;
}

/** Of the chain before its first record. The chain's name is in it: records of one chain fit in no other. */
export const emptyHead = ({ system, environment }: AuditChain): ChainHead => ({
  segment: 0,
  sequence: 0,
  hash: digestOf({ chain: 'windlass-audit/1', system, environment }),
});

/** What one export adds to a chain. The same facts on the same head always give the same bytes. */
export interface Segment {
  records: AuditRecord[];
  foot: SegmentFoot;
  anchor: AuditAnchor;
  /** The canonical JSON of each record, without a line break. */
  lines: string[];
  anchorText: string;
}

/** Hash of a record: SHA-256 of its canonical JSON without `hash`. */
export function hashOf(record: AuditRecord): string {
  const { hash: _, ...rest } = record;
  return digestOf(rest);
}

/** Puts facts at the end of a chain. @param facts at least one */
export function link({ system, environment }: AuditChain, facts: AuditFact[], head: ChainHead): Segment {
  const chain = { system, environment };
  let { hash, sequence } = head;
  const records = facts.map((fact): AuditRecord => {
    const record: AuditRecord = { ...fact, ...chain, v: 1, sequence: ++sequence, prev: hash, hash: '' };
    hash = hashOf(record);
    return { ...record, hash };
  });
  const span = { ...chain, v: 1 as const, segment: head.segment + 1, first: head.sequence + 1, last: sequence };
  const foot: SegmentFoot = { ...span, prev: head.hash, head: hash };
  const lines = records.map(canonical);
  const anchor: AuditAnchor = {
    ...span,
    head: hash,
    sha256: sha256Of(segmentText(lines, foot)),
    ...(head.anchor ? { previous: head.anchor } : {}),
  };
  return { records, foot, anchor, lines, anchorText: `${canonical(anchor)}\n` };
}

/** The bytes of a segment: JSON lines, and what they must be in the last one. */
export const segmentText = (lines: string[], foot: SegmentFoot): string => [...lines, canonical(foot), ''].join('\n');

const numbered = (segment: number): string => String(segment).padStart(8, '0');

/** Keys in the object store, below its prefix; an export has the same names. */
export const segmentKey = ({ system, environment }: AuditChain, segment: number): string =>
  `${system}/${environment}/segments/${numbered(segment)}.jsonl`;
export const anchorKey = ({ system, environment }: AuditChain, segment: number): string =>
  `${system}/${environment}/anchors/${numbered(segment)}.json`;
