import type { Finding } from '../../audit/findings.ts';
import type { VerifiedChain } from '../../audit/verify.ts';
import type { AuditQuery, AuditRecord } from '../../contracts/audit.ts';
import { plain, type Paint } from '../io.ts';
import { printable } from '../../domain/printable.ts';
import { table } from './text.ts';

/** One line for each record, with what it says beside its columns. */
export function renderRecords(records: AuditRecord[], order: AuditQuery['order'], paint: Paint = plain): string {
  if (records.length === 0) return 'Nothing found.';
  const one = order === 'chain';
  const rows = printable(records).map((record) => [
    record.at.replace(/\.\d+Z$/, 'Z'),
    ...(one ? [] : [`${record.system} ${record.environment}`]),
    record.kind,
    record.what,
    record.who.how === 'declared' ? record.who.name : `(${record.who.name})`,
    record.target ?? '',
    paintOutcome(record, paint),
    detailsOf(record),
    one ? String(record.sequence) : record.workflowId,
  ]);
  const header = [
    'AT',
    ...(one ? [] : ['PLACE']),
    'KIND',
    'WHAT',
    'WHO',
    'TARGET',
    'OUTCOME',
    'DETAILS',
    one ? 'SEQUENCE' : 'ID',
  ];
  const title = one
    ? [
        paint('bold', records[0]!.workflowId),
        `${records[0]!.procedure} in ${records[0]!.system} ${records[0]!.environment}; who: as declared`,
        '',
      ]
    : [];
  return [...printable(title), ...table(header, rows)].join('\n');
}

/** What people gave as reasons, and what they decided on; the input's other labels are in `--json`. */
function detailsOf({ labels = {}, evidence = [], copyOf }: AuditRecord): string {
  const shown = ['gate', 'decision', 'verb', 'step', 'action', 'mode', 'token', 'attempt', 'reason'];
  return [
    ...shown.flatMap((name) =>
      labels[name] === undefined ? [] : [name === 'reason' ? `“${labels[name]}”` : `${name} ${labels[name]}`],
    ),
    ...evidence.map(({ uri }) => uri),
    ...(copyOf ? [`copied from ${copyOf}`] : []),
  ].join(', ');
}

function paintOutcome({ outcome }: AuditRecord, paint: Paint): string {
  if (/^(failed|terminated|timed-out|refused|wrong-|expired|unknown-|dirty)/.test(outcome))
    return paint('red', outcome);
  return /^(completed|recorded|granted|released|accepted)/.test(outcome) ? paint('green', outcome) : outcome;
}

/** A file that was replaced as a whole has a finding in each line. */
const SHOWN = 50;

export interface VerifyView {
  ok: boolean;
  chains: VerifiedChain[];
  findings: Finding[];
  /** Files that are none of an export. */
  ignored: string[];
}

export function renderVerification({ ok, chains, findings, ignored }: VerifyView, paint: Paint = plain): string {
  const where = ({ file, line, sequence }: Finding): string =>
    `${file}${line === undefined ? '' : `:${line}`}${sequence === undefined ? '' : ` (sequence ${sequence})`}`;
  return [
    ...chains.flatMap((chain) => [
      `${paint('bold', `${chain.system} ${chain.environment}`)}: ${chain.records} records in ${chain.segments} segments with ${chain.anchors} anchors${chain.from ? `, ${chain.from} to ${chain.to}` : ''}`,
      `  head, to be noted elsewhere: ${chain.system}/${chain.environment}:${chain.head.sequence}:${chain.head.hash}`,
    ]),
    ...ignored.map((file) => `not of the audit, ignored: ${printable(file)}`),
    '',
    ok
      ? paint('green', 'Every record, its order, every segment and every anchor is as it was written.')
      : paint('red', `ALTERED: ${findings.length} ${findings.length === 1 ? 'place' : 'places'}`),
    ...printable(findings.slice(0, SHOWN)).map((finding) => `  ${where(finding)}  ${finding.code}: ${finding.message}`),
    ...(findings.length > SHOWN ? [`  and ${findings.length - SHOWN} more; --json has them all`] : []),
  ].join('\n');
}
