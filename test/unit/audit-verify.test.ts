import { sha256Of } from '../../src/audit/digest.ts';
import { emptyHead, hashOf, link } from '../../src/audit/chain.ts';
import { canonical } from '../../src/audit/digest.ts';
import type { FindingCode } from '../../src/audit/findings.ts';
import { verifyAudit, type TrustedHead } from '../../src/audit/verify.ts';
import type { AuditRecord } from '../../src/contracts/audit.ts';
import { exportOf, normalized, type Export } from '../support/audit-chain.ts';

const chain = { system: 'shop', environment: 'production' };
const factsOf = (name: string) => normalized(name).facts;
const RUNS = ['deploy-released', 'rollback-switch', 'runbook-completed', 'backup'].map(factsOf);
const whole = exportOf(chain, RUNS);
const verify = ({ segments, anchors }: Export, trusted: TrustedHead[] = []) => verifyAudit(segments, anchors, trusted);
const head = verify(whole).chains[0]!.head;
const trusted: TrustedHead[] = [{ ...chain, ...head }];

const S = (n: number): string => `shop/production/segments/0000000${n}.jsonl`;
const A = (n: number): string => `shop/production/anchors/0000000${n}.json`;
/** The export with one file changed; lines are counted from 1. */
const withFile = (file: string, change: (text: string) => string): Export => ({
  segments: whole.segments.map((each) => (each.file === file ? { file, text: change(each.text) } : each)),
  anchors: whole.anchors.map((each) => (each.file === file ? { file, text: change(each.text) } : each)),
});
const withLines = (file: string, change: (lines: string[]) => string[]): Export =>
  withFile(file, (text) => [...change(text.split('\n').slice(0, -1)), ''].join('\n'));
const record = (line: string): AuditRecord => JSON.parse(line) as AuditRecord;
const rehashed = (changed: AuditRecord): string => canonical({ ...changed, hash: hashOf(changed) });
const sequenceAt = (segment: number, line: number): number =>
  record(whole.segments[segment - 1]!.text.split('\n')[line - 1]!).sequence;

test('an export that nobody touched is found well, with its head', () => {
  const { chains, findings } = verify(whole, trusted);
  expect(findings).toEqual([]);
  expect(chains).toEqual([
    {
      ...chain,
      records: RUNS.flat().length,
      segments: 4,
      anchors: 4,
      head: { sequence: RUNS.flat().length, hash: expect.stringMatching(/^[0-9a-f]{64}$/) },
      from: expect.any(String),
      to: expect.any(String),
    },
  ]);
});

type Where = { code: FindingCode; file: string; line?: number; sequence?: number };
const alterations: [what: string, altered: Export, where: Where][] = [
  [
    'a changed field',
    withLines(S(2), (lines) => lines.with(3, canonical({ ...record(lines[3]!), outcome: 'approved' }))),
    { code: 'edited', file: S(2), line: 4, sequence: sequenceAt(2, 4) },
  ],
  [
    'a changed field whose hash was made to fit',
    withLines(S(2), (lines) =>
      lines.with(3, rehashed({ ...record(lines[3]!), who: { name: 'mallory', how: 'declared' } })),
    ),
    { code: 'wrong-previous', file: S(2), line: 5, sequence: sequenceAt(2, 5) },
  ],
  [
    'a changed time',
    withLines(S(1), (lines) => lines.with(0, canonical({ ...record(lines[0]!), at: '2020-01-01T00:00:00.000Z' }))),
    { code: 'edited', file: S(1), line: 1, sequence: 1 },
  ],
  [
    'a deleted record',
    withLines(S(1), (lines) => lines.toSpliced(4, 1)),
    { code: 'missing', file: S(1), line: 5, sequence: 6 },
  ],
  [
    'a deleted first record',
    withLines(S(1), (lines) => lines.toSpliced(0, 1)),
    { code: 'missing', file: S(1), line: 1, sequence: 2 },
  ],
  [
    'a deleted last record of a segment',
    withLines(S(3), (lines) => lines.toSpliced(-2, 1)),
    { code: 'truncated', file: S(3), line: RUNS[2]!.length },
  ],
  [
    'two records that changed places',
    withLines(S(1), (lines) => lines.with(2, lines[3]!).with(3, lines[2]!)),
    { code: 'out-of-order', file: S(1), line: 4, sequence: 3 },
  ],
  [
    'an inserted record',
    withLines(S(2), (lines) =>
      lines.toSpliced(2, 0, rehashed({ ...record(lines[1]!), eventId: 9_999, what: 'invented' })),
    ),
    { code: 'repeated', file: S(2), line: 3, sequence: sequenceAt(2, 2) },
  ],
  [
    'a record that stands there twice',
    withLines(S(2), (lines) => lines.toSpliced(2, 0, lines[1]!)),
    { code: 'repeated', file: S(2), line: 3, sequence: sequenceAt(2, 2) },
  ],
  [
    'a record added behind the foot',
    withLines(S(4), (lines) => [
      ...lines,
      rehashed({ ...record(lines.at(-2)!), sequence: head.sequence + 1, prev: head.hash, eventId: 9_999 }),
    ]),
    { code: 'trailing', file: S(4), line: RUNS[3]!.length + 2 },
  ],
  [
    'a wrong sequence number whose hash was made to fit',
    withLines(S(1), (lines) => lines.with(6, rehashed({ ...record(lines[6]!), sequence: 77 }))),
    { code: 'missing', file: S(1), line: 7, sequence: 77 },
  ],
  [
    'a wrong previous hash',
    withLines(S(1), (lines) => lines.with(6, rehashed({ ...record(lines[6]!), prev: '0'.repeat(64) }))),
    { code: 'wrong-previous', file: S(1), line: 7, sequence: 7 },
  ],
  [
    'a file that was cut in the middle of a line',
    withFile(S(2), (text) => text.slice(0, -300)),
    { code: 'truncated', file: S(2), line: RUNS[1]!.length },
  ],
  ['a file that was emptied', withFile(S(2), () => ''), { code: 'truncated', file: S(2), line: 0 }],
  [
    'a forged head in the foot',
    withLines(S(2), (lines) => lines.with(-1, lines.at(-1)!.replace(/"head":"\w{6}/, '"head":"000000'))),
    { code: 'wrong-foot', file: S(2), line: RUNS[1]!.length + 1 },
  ],
  [
    'a deleted segment',
    { ...whole, segments: whole.segments.toSpliced(1, 1) },
    { code: 'segment-missing', file: S(2) },
  ],
  [
    'a deleted last segment',
    { ...whole, segments: whole.segments.slice(0, -1) },
    { code: 'segment-missing', file: S(4) },
  ],
  [
    'a segment that is there twice',
    { ...whole, segments: [...whole.segments, { file: S(5), text: whole.segments[1]!.text }] },
    { code: 'segment-repeated', file: S(5) },
  ],
  [
    'segments that changed names',
    {
      ...whole,
      segments: whole.segments
        .with(1, { file: S(2), text: whole.segments[2]!.text })
        .with(2, { file: S(3), text: whole.segments[1]!.text }),
    },
    { code: 'misnamed', file: S(2) },
  ],
  [
    'a segment of another chain',
    {
      ...whole,
      segments: whole.segments.with(1, {
        file: S(2),
        text: exportOf({ ...chain, environment: 'staging' }, RUNS).segments[1]!.text,
      }),
    },
    { code: 'foreign', file: S(2), line: 1, sequence: sequenceAt(2, 1) },
  ],
  ['a deleted anchor', { ...whole, anchors: whole.anchors.toSpliced(2, 1) }, { code: 'anchor-missing', file: A(3) }],
  [
    'a changed anchor',
    withFile(A(2), (text) => `${canonical({ ...(JSON.parse(text) as object), head: 'f'.repeat(64) })}\n`),
    { code: 'anchor-changed', file: A(2), line: 1 },
  ],
  ['an anchor that is no JSON', withFile(A(2), () => 'gone'), { code: 'unreadable', file: A(2), line: 1 }],
  [
    'a line that is no JSON',
    withLines(S(1), (lines) => lines.with(1, '{"v":1')),
    { code: 'unreadable', file: S(1), line: 2 },
  ],
  [
    'a line that says the same in another way',
    withLines(S(1), (lines) =>
      lines.with(1, JSON.stringify(JSON.parse(lines[1]!), undefined, 1).replaceAll('\n', ' ')),
    ),
    { code: 'not-canonical', file: S(1), line: 2, sequence: 2 },
  ],
  [
    'a segment that was written anew with all its hashes',
    withFile(S(4), () => {
      const facts = RUNS[3]!.map((fact) =>
        fact.kind === 'started' ? { ...fact, who: { name: 'mallory', how: 'declared' as const } } : fact,
      );
      return exportOf(chain, [...RUNS.slice(0, 3), facts]).segments[3]!.text;
    }),
    { code: 'anchor-differs', file: S(4), sequence: sequenceAt(4, 1) },
  ],
];

test.each(alterations)('%s is found, and its place named', (_, altered, where) => {
  expect(verify(altered).findings).toContainEqual(expect.objectContaining(where));
});

test('a chain that was written anew as a whole, anchors too, is found by a head that was kept elsewhere', () => {
  const forged = exportOf(
    chain,
    RUNS.map((facts) => facts.filter(({ kind }) => kind !== 'decision')),
  );
  expect(verify(forged).findings).toEqual([]);
  expect(verify(forged, trusted).findings).toContainEqual(
    expect.objectContaining({ code: 'truncated', file: 'shop/production', sequence: head.sequence }),
  );
  const other = exportOf(
    chain,
    RUNS.map((facts) => facts.map((fact) => ({ ...fact, outcome: 'well' }))),
  );
  expect(verify(other, trusted).findings).toMatchObject([{ code: 'head-differs', sequence: head.sequence }]);
});

test('a chain that was cut together with its anchors is found by a head that was kept elsewhere', () => {
  const cut: Export = { segments: whole.segments.slice(0, 2), anchors: whole.anchors.slice(0, 2) };
  expect(verify(cut).findings).toEqual([]);
  expect(verify(cut, trusted).findings).toMatchObject([{ code: 'truncated', sequence: head.sequence }]);
  expect(verify({ segments: [], anchors: [] }, trusted).findings).toMatchObject([{ code: 'truncated' }]);
});

test('the same event in two chains, or twice in one, is found', () => {
  const twice = exportOf(chain, [...RUNS, RUNS[0]!]);
  expect(verify(twice).findings).toContainEqual(
    expect.objectContaining({ code: 'repeated', file: S(5), line: 1, message: expect.stringContaining(`${S(1)}:1`) }),
  );
});

// A small generator of numbers that gives the same ones each time.
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

test('whichever single byte of whichever file is changed or removed, it is found in that file', () => {
  const next = random(26);
  const small = exportOf(
    chain,
    RUNS.map((facts) => facts.slice(0, 3)),
  );
  const files = [...small.segments, ...small.anchors];
  for (let round = 0; round < 1_000; round++) {
    const { file, text } = files[next(files.length)]!;
    const at = next(text.length);
    const byte = text[at] === 'x' ? 'y' : 'x';
    const changed = text.slice(0, at) + (next(2) === 0 ? byte : '') + text.slice(at + 1);
    const put = (each: { file: string; text: string }) => (each.file === file ? { file, text: changed } : each);
    const { findings } = verifyAudit(small.segments.map(put), small.anchors.map(put));
    const number = /(\d+)\.json/.exec(file)![1]!;
    expect({ file, at, found: findings.some((each) => `${each.file} ${each.message}`.includes(number)) }).toMatchObject(
      { found: true },
    );
  }
});

test('whichever records are deleted, moved or repeated, something is found', () => {
  const next = random(5);
  for (let round = 0; round < 300; round++) {
    const segment = next(4);
    const { file, text } = whole.segments[segment]!;
    const lines = text.split('\n').slice(0, -1);
    const [from, to] = [next(lines.length), next(lines.length)];
    const moved = lines[from]!;
    const altered = [
      lines.toSpliced(from, 1),
      lines.toSpliced(from, 1).toSpliced(to, 0, moved),
      lines.toSpliced(to, 0, moved),
    ][next(3)]!;
    if (altered.join() === lines.join()) continue;
    const { findings } = verify(withFile(file, () => `${altered.join('\n')}\n`));
    expect(findings.map((each) => each.file)).toContain(file);
  }
});

test('the same facts on the same head give the same bytes', () => {
  expect(exportOf(chain, RUNS)).toEqual(whole);
  expect(link(chain, RUNS[0]!, emptyHead(chain)).anchor.sha256).toBe(sha256Of(whole.segments[0]!.text));
});
