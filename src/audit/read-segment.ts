import { auditRecord, segmentFoot, type AuditRecord, type SegmentFoot } from '../contracts/audit.ts';
import { canonical, sha256Of } from './digest.ts';
import type { Finding } from './findings.ts';

/** A file of an export, by its path below the export's folder. */
export interface AuditFile {
  file: string;
  /** Asked for once: it may be read when it is. */
  readonly text: string;
}

/** What is kept of a segment once its records are checked. */
export interface SegmentSummary {
  file: string;
  /** Of its bytes. */
  sha256: string;
  foot?: SegmentFoot;
}

/** A segment as its file has it, before anything in it is compared. */
export interface ReadSegment extends SegmentSummary {
  records: { line: number; record: AuditRecord }[];
  footLine: number;
}

/** Reads the lines of a segment. What is no record is told, and passed over. */
export function readSegment({ file, text }: AuditFile, tell: (finding: Finding) => void): ReadSegment {
  const segment: ReadSegment = { file, sha256: sha256Of(text), records: [], footLine: 0 };
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  else tell({ code: 'truncated', file, line: lines.length, message: 'the last line has no end' });
  lines.forEach((text, index) => {
    const line = index + 1;
    const value = parse(text);
    if (segment.foot) {
      tell({ code: 'trailing', file, line, message: 'expected nothing after the last line of the segment' });
    }
    const foot = segmentFoot.safeParse(value);
    const record = foot.success ? undefined : auditRecord.safeParse(value);
    if (!foot.success && !record?.success) {
      tell({
        code: 'unreadable',
        file,
        line,
        message: `expected a record as JSON, got ${JSON.stringify(text.slice(0, 60))}`,
      });
      return;
    }
    if (!isCanonical(value, text)) {
      const sequence = record?.data?.sequence;
      tell({
        code: 'not-canonical',
        file,
        line,
        ...(sequence ? { sequence } : {}),
        message: 'expected canonical JSON (RFC 8785): the line was written anew',
      });
    }
    if (foot.success) Object.assign(segment, { foot: segment.foot ?? foot.data, footLine: segment.footLine || line });
    else segment.records.push({ line, record: record!.data! });
  });
  if (!segment.foot)
    tell({
      code: 'truncated',
      file,
      line: lines.length,
      message: 'the last line, which says what the segment must hold, is not there',
    });
  return segment;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function isCanonical(value: unknown, text: string): boolean {
  try {
    return canonical(value) === text;
  } catch {
    return false; // RFC 8785 does not have it.
  }
}
