import type { AuditChain, AuditRecord } from '../contracts/audit.ts';
import { checkAnchors, readAnchor } from './anchors.ts';
import { emptyHead, hashOf, segmentKey } from './chain.ts';
import { short, type Finding } from './findings.ts';
import { readSegment, type AuditFile, type ReadSegment, type SegmentSummary } from './read-segment.ts';

/** A head that was kept elsewhere: in a ticket, in another store, on paper. */
export interface TrustedHead extends AuditChain {
  sequence: number;
  hash: string;
}

export interface VerifiedChain extends AuditChain {
  records: number;
  segments: number;
  anchors: number;
  /** Note it elsewhere: with it, a chain that was cut or written anew as a whole is found too. */
  head: { sequence: number; hash: string };
  /** Of the first and the last record, ISO 8601. */
  from?: string;
  to?: string;
}

export interface Verification {
  chains: VerifiedChain[];
  /** In the order of files and lines; empty when everything is as it was written. */
  findings: Finding[];
}

/**
 * Checks chains from files alone: every record, the order, the segments and their anchors.
 * @param segments,anchors files named as in the object store: `<system>/<environment>/segments/00000001.jsonl`
 * @param trusted heads kept elsewhere, which the chains must contain
 */
export function verifyAudit(segments: AuditFile[], anchors: AuditFile[], trusted: TrustedHead[] = []): Verification {
  const findings: Finding[] = [];
  const tell = (finding: Finding): void => void findings.push(finding);
  const names = new Set([...segments, ...anchors].map(({ file }) => chainName(file)));
  for (const { system, environment } of trusted) names.add(`${system}/${environment}`);

  const origins: Origins = new Map();
  const chains = [...names].sort().map((name) => {
    const [system = '', environment = ''] = name.split('/');
    const chain = { system, environment };
    const ofChain = ({ file }: AuditFile): boolean => chainName(file) === name;
    const heads = trusted.filter((head) => head.system === system && head.environment === environment);
    const walk = walkSegments(chain, byName(segments.filter(ofChain)), heads, origins, tell);
    const read = byName(anchors.filter(ofChain)).map((each) => readAnchor(each, tell));
    checkAnchors(chain, walk.segments, read, tell);
    for (const head of heads) checkHead(walk, head, tell);
    return {
      ...chain,
      records: walk.seen.size,
      segments: walk.segments.length,
      anchors: read.length,
      head: walk.last,
      ...(walk.times ? { from: walk.times[0], to: walk.times[1] } : {}),
    };
  });
  return { chains, findings: sorted(findings) };
}

/** Where each event of each run is. */
type Origins = Map<string, { file: string; lines: Map<number, number> }>;

/** What is kept of a chain: not its records, of which there may be millions. */
interface Walk {
  segments: SegmentSummary[];
  seen: Set<number>;
  /** Hashes of the sequences for which a head was kept elsewhere. */
  hashes: Map<number, string>;
  last: { sequence: number; hash: string };
  times?: [string, string];
}

/** Goes through the segments in the order of their names, as the chain was written, one at a time. */
function walkSegments(
  chain: AuditChain,
  files: AuditFile[],
  heads: TrustedHead[],
  origins: Origins,
  tell: (finding: Finding) => void,
): Walk {
  const { hash } = emptyHead(chain);
  const walk: Walk = { segments: [], seen: new Set(), hashes: new Map(), last: { sequence: 0, hash } };
  const wanted = new Set(heads.map(({ sequence }) => sequence));
  let number = 0;
  for (const each of files) {
    const segment = readSegment(each, tell);
    const { file, foot, sha256, records } = segment;
    walk.segments.push({ file, sha256, ...(foot ? { foot } : {}) });
    number = checkNumber(chain, segment, number, tell);
    const before = walk.last;
    for (const { line, record } of records) {
      const { sequence, hash, at } = record;
      checkRecord(chain, walk, { file, line, record }, tell);
      checkOrigin(origins, { file, line, record }, tell);
      walk.seen.add(sequence);
      if (wanted.has(sequence) && !walk.hashes.has(sequence)) walk.hashes.set(sequence, hash);
      walk.last = { sequence, hash };
      const [from, to] = walk.times ?? [at, at];
      walk.times = [at < from ? at : from, at > to ? at : to];
    }
    if (foot) checkFoot(segment, before, walk.last, tell);
  }
  return walk;
}

interface Placed {
  file: string;
  line: number;
  record: AuditRecord;
}

/** One record against its own hash, and against the records before it. */
function checkRecord(
  { system, environment }: AuditChain,
  { seen, last }: Walk,
  { file, line, record }: Placed,
  tell: (finding: Finding) => void,
): void {
  const { sequence, hash, prev } = record;
  const found = (code: Finding['code'], message: string): void => tell({ code, file, line, sequence, message });
  if (record.system !== system || record.environment !== environment)
    found(
      'foreign',
      `expected a record of ${system} ${environment}, got one of ${record.system} ${record.environment}`,
    );
  const own = hashOf(record);
  if (own !== hash) found('edited', `its content has the hash ${short(own)}, it says ${short(hash)}`);
  if (seen.has(sequence)) found('repeated', `sequence ${sequence} was there before`);
  else if (sequence < last.sequence) found('out-of-order', `sequence ${sequence} stands after ${last.sequence}`);
  else if (sequence > last.sequence + 1)
    found(
      'missing',
      `expected sequence ${last.sequence + 1}, got ${sequence}: ${sequence - last.sequence - 1} missing before it`,
    );
  if (prev !== last.hash)
    found('wrong-previous', `expected ${short(last.hash)} as the hash of the record before, got ${short(prev)}`);
}

/** No two records have the same event of the same run, in whatever chain. */
function checkOrigin(origins: Origins, { file, line, record }: Placed, tell: (finding: Finding) => void): void {
  const { runId, eventId, sequence } = record;
  const run = origins.get(runId) ?? { file, lines: new Map<number, number>() };
  origins.set(runId, run);
  const former = run.lines.get(eventId);
  if (former === undefined) run.lines.set(eventId, line);
  else {
    const message = `event ${eventId} of run ${runId} is at ${run.file}:${former} already`;
    tell({ code: 'repeated', file, line, sequence, message });
  }
}

/** The number of a segment is in its foot and in its name. @returns the number that was read */
function checkNumber(
  chain: AuditChain,
  { file, foot }: ReadSegment,
  before: number,
  tell: (finding: Finding) => void,
): number {
  const named = Number(/(\d+)\.jsonl$/.exec(file)?.[1] ?? NaN);
  const number = foot?.segment ?? (Number.isNaN(named) ? before + 1 : named);
  const expected = segmentKey(chain, number);
  if (foot && foot.system === chain.system && foot.environment === chain.environment && file !== expected)
    tell({ code: 'misnamed', file, message: `it is segment ${number}, expected in ${expected}` });
  if (number === before || number < before)
    tell({ code: 'segment-repeated', file, message: `segment ${number} comes after segment ${before}` });
  else if (number > before + 1)
    tell({
      code: 'segment-missing',
      file: segmentKey(chain, before + 1),
      message: `expected ${count(number - before - 1)} before segment ${number}`,
    });
  return Math.max(number, before);
}

const count = (segments: number): string => (segments === 1 ? '1 segment' : `${segments} segments`);

function checkFoot(
  { file, foot, footLine, records }: ReadSegment,
  before: Walk['last'],
  last: Walk['last'],
  tell: (finding: Finding) => void,
): void {
  const found = {
    first: records[0]?.record.sequence,
    last: records.at(-1)?.record.sequence,
    prev: before.hash,
    head: last.hash,
  };
  for (const [name, value] of Object.entries(found)) {
    const said = foot![name as keyof typeof found];
    if (said === value) continue;
    const [told, came] = [said, value].map((each) => (typeof each === 'string' ? short(each) : (each ?? 'nothing')));
    const cut = name === 'last' && (value === undefined || value < said);
    tell({
      code: cut ? 'truncated' : 'wrong-foot',
      file,
      line: footLine,
      message: `the segment must have ${name} ${told}, it has ${came}`,
    });
  }
}

function checkHead({ seen, hashes, last }: Walk, head: TrustedHead, tell: (finding: Finding) => void): void {
  const { system, environment, sequence, hash } = head;
  const found = hashes.get(sequence);
  if (found === hash) return;
  const file = `${system}/${environment}`;
  const cut = !seen.has(sequence) && sequence > last.sequence;
  const message = cut
    ? `the chain ends at ${last.sequence}, the head kept elsewhere is ${sequence}`
    : `the head kept elsewhere is ${short(hash)}, the chain has ${short(found)}`;
  tell({ code: cut ? 'truncated' : 'head-differs', file, sequence, message });
}

const chainName = (file: string): string => file.split('/').slice(0, 2).join('/');
const byName = (files: AuditFile[]): AuditFile[] => [...files].sort((a, b) => (a.file < b.file ? -1 : 1));
const sorted = (findings: Finding[]): Finding[] =>
  [...findings].sort((a, b) => (a.file === b.file ? (a.line ?? 0) - (b.line ?? 0) : a.file < b.file ? -1 : 1));
