import { auditAnchor, type AuditAnchor, type AuditChain } from '../contracts/audit.ts';
import { anchorKey, segmentKey } from './chain.ts';
import { canonical, sha256Of } from './digest.ts';
import { short, type Finding } from './findings.ts';
import type { AuditFile, SegmentSummary } from './read-segment.ts';

export interface ReadAnchor {
  file: string;
  sha256: string;
  anchor?: AuditAnchor;
}

export function readAnchor({ file, text }: AuditFile, tell: (finding: Finding) => void): ReadAnchor {
  const sha256 = sha256Of(text);
  try {
    const value = JSON.parse(text) as unknown;
    const anchor = auditAnchor.parse(value);
    if (`${canonical(value)}\n` !== text)
      tell({
        code: 'not-canonical',
        file,
        line: 1,
        message: 'expected canonical JSON (RFC 8785): the anchor was written anew',
      });
    return { file, sha256, anchor };
  } catch {
    tell({ code: 'unreadable', file, line: 1, message: 'expected an anchor as JSON' });
    return { file, sha256 };
  }
}

/** Compares each segment with its anchor, and each anchor with the next one, which has the digest of its bytes. */
export function checkAnchors(
  chain: AuditChain,
  segments: SegmentSummary[],
  anchors: ReadAnchor[],
  tell: (finding: Finding) => void,
): void {
  const known = new Map(
    anchors.flatMap((each) => (each.anchor ? [[each.anchor.segment, { ...each, anchor: each.anchor }]] : [])),
  );
  const numbers = new Set(segments.flatMap(({ foot }) => foot?.segment ?? []));
  for (const segment of segments) {
    const { foot, file } = segment;
    if (!foot || known.has(foot.segment)) continue;
    tell({ code: 'anchor-missing', file: anchorKey(chain, foot.segment), message: `${file} has no anchor` });
  }
  for (const { file, anchor, sha256 } of known.values()) {
    const { segment: number, first, last, head, previous } = anchor;
    if (anchor.system !== chain.system || anchor.environment !== chain.environment)
      tell({
        code: 'foreign',
        file,
        line: 1,
        message: `expected an anchor of ${chain.system} ${chain.environment}, got one of ${anchor.system} ${anchor.environment}`,
      });
    else if (file !== anchorKey(chain, number))
      tell({
        code: 'misnamed',
        file,
        message: `it is the anchor of segment ${number}, expected in ${anchorKey(chain, number)}`,
      });
    const after = known.get(number + 1);
    if (after && after.anchor.previous !== sha256)
      tell({
        code: 'anchor-changed',
        file,
        line: 1,
        message: `its digest is ${short(sha256)}, the anchor after it says ${short(after.anchor.previous)}`,
      });
    if (number > 1 && !known.has(number - 1) && !numbers.has(number - 1))
      tell({
        code: 'anchor-missing',
        file: anchorKey(chain, number - 1),
        message: `expected before ${file}, which has its digest ${short(previous)}`,
      });
    const segment = segments.find(({ foot }) => foot?.segment === number);
    if (!segment) {
      const cut = segments.some((each) => each.file === segmentKey(chain, number));
      if (!cut)
        tell({
          code: 'segment-missing',
          file: segmentKey(chain, number),
          message: `${file} says that it has the records ${first} to ${last}`,
        });
      continue;
    }
    const differs = [
      ...(segment.foot!.head === head ? [] : [`the head ${short(head)}, the segment has ${short(segment.foot!.head)}`]),
      ...(segment.foot!.first === first && segment.foot!.last === last
        ? []
        : [`the records ${first} to ${last}, the segment has ${segment.foot!.first} to ${segment.foot!.last}`]),
      ...(segment.sha256 === anchor.sha256
        ? []
        : [`the digest ${short(anchor.sha256)}, the segment has ${short(segment.sha256)}`]),
    ];
    if (differs.length > 0)
      tell({
        code: 'anchor-differs',
        file: segment.file,
        sequence: first,
        message: `${file} says ${differs.join('; ')}`,
      });
  }
}
