import type { AuditChain } from '../contracts/audit.ts';
import { checkAnchors, readAnchor } from './anchors.ts';
import { emptyHead, hashOf, segmentKey } from './chain.ts';
import { short, type Finding } from './findings.ts';
import { readSegment, type AuditFile, type ReadSegment } from './read-segment.ts';

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
  const readSegments = byName(segments).map((each) => readSegment(each, tell));
  const readAnchors = byName(anchors).map((each) => readAnchor(each, tell));
  const names = new Set([...segments, ...anchors].map(({ file }) => chainName(file)));
  for (const { system, environment } of trusted) names.add(`${system}/${environment}`);

  const origins = new Map<string, string>();
  const chains = [...names].sort().map((name) => {
    const [system = '', environment = ''] = name.split('/');
    const chain = { system, environment };
    const ours = readSegments.filter(({ file }) => chainName(file) === name);
    const theirAnchors = readAnchors.filter(({ file }) => chainName(file) === name);
    const walk = walkSegments(chain, ours, origins, tell);
    checkAnchors(chain, ours, theirAnchors, tell);
    for (const head of trusted)
      if (head.system === system && head.environment === environment) checkHead(walk.hashes, walk.last, head, tell);
    const times = ours.flatMap(({ records }) => records.map(({ record }) => record.at)).sort();
    return {
      ...chain,
      records: walk.hashes.size,
      segments: ours.length,
      anchors: theirAnchors.length,
      head: walk.last,
      ...(times[0] ? { from: times[0], to: times.at(-1)! } : {}),
    };
  });
  return { chains, findings: sorted(findings) };
}

interface Walk {
  hashes: Map<number, string>;
  last: { sequence: number; hash: string };
}

/** Goes through the segments in the order of their names, as the chain was written. */
function walkSegments(
  chain: AuditChain,
  segments: ReadSegment[],
  origins: Map<string, string>,
  tell: (finding: Finding) => void,
): Walk {
  const hashes = new Map<number, string>();
  const empty = emptyHead(chain);
  let last = { sequence: 0, hash: empty.hash };
  let number = 0;
  for (const segment of segments) {
    const { file, foot, records } = segment;
    number = checkNumber(chain, segment, number, tell);
    const before = last;
    for (const { line, record } of records) {
      const { sequence, hash, prev } = record;
      const at = { file, line, sequence };
      if (record.system !== chain.system || record.environment !== chain.environment)
        tell({
          code: 'foreign',
          ...at,
          message: `expected a record of ${chain.system} ${chain.environment}, got one of ${record.system} ${record.environment}`,
        });
      if (hashOf(record) !== hash)
        tell({
          code: 'edited',
          ...at,
          message: `its content has the hash ${short(hashOf(record))}, it says ${short(hash)}`,
        });
      if (hashes.has(sequence)) tell({ code: 'repeated', ...at, message: `sequence ${sequence} was there before` });
      else if (sequence < last.sequence)
        tell({ code: 'out-of-order', ...at, message: `sequence ${sequence} stands after ${last.sequence}` });
      else if (sequence > last.sequence + 1)
        tell({
          code: 'missing',
          ...at,
          message: `expected sequence ${last.sequence + 1}, got ${sequence}: ${sequence - last.sequence - 1} missing before it`,
        });
      if (prev !== last.hash)
        tell({
          code: 'wrong-previous',
          ...at,
          message: `expected ${short(last.hash)} as the hash of the record before, got ${short(prev)}`,
        });
      const origin = `${record.runId} ${record.eventId}`;
      const former = origins.get(origin);
      if (former)
        tell({
          code: 'repeated',
          ...at,
          message: `event ${record.eventId} of run ${record.runId} is at ${former} already`,
        });
      else origins.set(origin, `${file}:${line}`);
      if (!hashes.has(sequence)) hashes.set(sequence, hash);
      last = { sequence, hash };
    }
    if (foot) checkFoot(segment, before, last, tell);
  }
  return { hashes, last };
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

function checkHead(
  hashes: Map<number, string>,
  last: Walk['last'],
  head: TrustedHead,
  tell: (finding: Finding) => void,
): void {
  const { system, environment, sequence, hash } = head;
  const found = hashes.get(sequence);
  if (found === hash) return;
  const file = `${system}/${environment}`;
  if (found === undefined && sequence > last.sequence)
    tell({
      code: 'truncated',
      file,
      sequence,
      message: `the chain ends at ${last.sequence}, the head kept elsewhere is ${sequence}`,
    });
  else
    tell({
      code: 'head-differs',
      file,
      sequence,
      message: `the head kept elsewhere is ${short(hash)}, the chain has ${short(found)}`,
    });
}

const chainName = (file: string): string => file.split('/').slice(0, 2).join('/');
const byName = (files: AuditFile[]): AuditFile[] => [...files].sort((a, b) => (a.file < b.file ? -1 : 1));
const sorted = (findings: Finding[]): Finding[] =>
  [...findings].sort((a, b) => (a.file === b.file ? (a.line ?? 0) - (b.line ?? 0) : a.file < b.file ? -1 : 1));
