import { cpSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { canonical } from '../../src/audit/digest.ts';
import { hashOf } from '../../src/audit/chain.ts';
import type { FindingCode } from '../../src/audit/findings.ts';
import type { AuditRecord } from '../../src/contracts/audit.ts';
import { ensureCli, runCli, spawnCli } from '../support/acceptance-cli.ts';
import { exportOf, normalized, type Export } from '../support/audit-chain.ts';

// What a person does with an export: files in a folder, somebody's hand on them, and the shipped command.
const chain = { system: 'shop', environment: 'production' };
const RUNS = ['deploy-released', 'rollback-switch', 'runbook-completed', 'backup'].map(
  (name) => normalized(name).facts,
);
const made = exportOf(chain, RUNS);
const S = (n: number): string => `shop/production/segments/0000000${n}.jsonl`;
const A = (n: number): string => `shop/production/anchors/0000000${n}.json`;

let root: string;
let whole: string;
let head: string;
beforeAll(async () => {
  await ensureCli();
  root = mkdtempSync(join(tmpdir(), 'windlass-tamper-'));
  whole = join(root, 'whole');
  write(whole, made);
  const { code, json } = await runCli(['audit', 'verify', whole], {});
  expect({ code, findings: json['findings'] as unknown }).toEqual({ code: 0, findings: [] });
  const { sequence, hash } = json['chains'][0].head;
  head = `shop/production:${sequence}:${hash}`;
}, 120_000);
afterAll(() => rmSync(root, { recursive: true, force: true }));

function write(folder: string, { segments, anchors }: Export): void {
  for (const { file, text } of [...segments, ...anchors]) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), text);
  }
}

/** Someone's hand on the files below a folder. */
type Hand = (folder: string) => void;

const edit =
  (file: string, change: (text: string) => string): Hand =>
  (folder) => {
    const path = join(folder, file);
    writeFileSync(path, change(readFileSync(path, 'utf8')));
  };
const editLines = (file: string, change: (lines: string[]) => string[]): Hand =>
  edit(file, (text) => [...change(text.trimEnd().split('\n')), ''].join('\n'));
const recordAt = (segment: number, line: number): AuditRecord =>
  JSON.parse(made.segments[segment - 1]!.text.split('\n')[line - 1]!) as AuditRecord;
/** One record says something else; its hash stays, or is made to fit. */
const say = (segment: number, line: number, fields: Partial<AuditRecord>, hash: 'kept' | 'fitted' = 'kept'): Hand => {
  const changed = { ...recordAt(segment, line), ...fields };
  const fitted = hash === 'kept' ? changed : { ...changed, hash: hashOf(changed) };
  return editLines(S(segment), (lines) => lines.with(line - 1, canonical(fitted)));
};
const swap =
  (one: string, other: string): Hand =>
  (folder) => {
    renameSync(join(folder, one), join(folder, 'aside'));
    renameSync(join(folder, other), join(folder, one));
    renameSync(join(folder, 'aside'), join(folder, other));
  };
const remove =
  (...files: string[]): Hand =>
  (folder) =>
    files.forEach((file) => rmSync(join(folder, file)));

interface Place {
  code: FindingCode;
  file: string;
  line?: number;
  sequence?: number;
}
const at = (code: FindingCode, segment: number, line: number, sequence = recordAt(segment, line).sequence): Place => ({
  ...{ code, sequence, line },
  file: S(segment),
});
const lastLine = (segment: number): number => RUNS[segment - 1]!.length;
const mallory: Partial<AuditRecord> = { who: { name: 'mallory', how: 'verified' } };
/** The last run with another actor, all hashes, the foot and the anchor made to fit. */
const forged = exportOf(chain, [...RUNS.slice(0, 3), RUNS[3]!.map((fact) => ({ ...fact, ...mallory }))]);

const alterations: [what: string, hand: Hand, place: Place, kept?: 'with the head kept elsewhere'][] = [
  ['the outcome of a record', say(2, 4, { outcome: 'approved' }), at('edited', 2, 4)],
  ['the actor of a record', say(1, 1, mallory), at('edited', 1, 1)],
  ['the time of a record', say(3, 2, { at: '2020-01-01T00:00:00.000Z' }), at('edited', 3, 2)],
  ['the actor, with a hash that fits', say(2, 4, mallory, 'fitted'), at('wrong-previous', 2, 5)],
  ['the number, with a hash that fits', say(1, 7, { sequence: 77 }, 'fitted'), at('missing', 1, 7, 77)],
  ['a record that is gone', editLines(S(1), (lines) => lines.toSpliced(4, 1)), at('missing', 1, 5, 6)],
  ['the last record of a segment that is gone', editLines(S(3), (lines) => lines.toSpliced(-2, 1)), { code: 'truncated', file: S(3), line: lastLine(3) }], // prettier-ignore
  ['two records that changed places', editLines(S(1), (lines) => lines.with(2, lines[3]!).with(3, lines[2]!)), at('out-of-order', 1, 4, 3)], // prettier-ignore
  ['a record that is there twice', editLines(S(2), (lines) => lines.toSpliced(2, 0, lines[1]!)), at('repeated', 2, 3, recordAt(2, 2).sequence)], // prettier-ignore
  [
    'a record that nobody wrote',
    editLines(S(2), (lines) => lines.toSpliced(2, 0, invented())),
    at('repeated', 2, 4, recordAt(2, 3).sequence),
  ],
  ['a file that was cut', edit(S(2), (text) => text.slice(0, -300)), { code: 'truncated', file: S(2), line: lastLine(2) }], // prettier-ignore
  ['a file that was emptied', edit(S(2), () => ''), { code: 'truncated', file: S(2), line: 0 }],
  ['a file that was written anew', (folder) => writeFileSync(join(folder, S(4)), forged.segments[3]!.text), { code: 'anchor-differs', file: S(4), sequence: recordAt(4, 1).sequence }], // prettier-ignore
  ['a file that is there twice', (folder) => cpSync(join(folder, S(2)), join(folder, S(5))), { code: 'segment-repeated', file: S(5) }], // prettier-ignore
  ['a file that is gone', remove(S(2)), { code: 'segment-missing', file: S(2) }],
  ['two files that changed names', swap(S(2), S(3)), { code: 'misnamed', file: S(2) }],
  ['two anchors that changed names', swap(A(2), A(3)), { code: 'misnamed', file: A(2) }],
  ['the head in a foot', edit(S(2), (text) => text.replace(/"head":"\w{6}/, '"head":"000000')), { code: 'wrong-foot', file: S(2), line: lastLine(2) + 1 }], // prettier-ignore
  ['the head in an anchor', edit(A(2), (text) => text.replace(/"head":"\w{6}/, '"head":"000000')), { code: 'anchor-changed', file: A(2), line: 1 }], // prettier-ignore
  ['an anchor that is gone', remove(A(3)), { code: 'anchor-missing', file: A(3) }],
  ['the last file, gone with its anchor', remove(S(4), A(4)), { code: 'truncated', file: 'shop/production', sequence: RUNS.flat().length }, 'with the head kept elsewhere'], // prettier-ignore
  ['the last file, forged with its anchor', (folder) => write(folder, forged), { code: 'head-differs', file: 'shop/production', sequence: RUNS.flat().length }, 'with the head kept elsewhere'], // prettier-ignore
];

/** In the place of the third record of the second segment, with all that fits there: the true one comes after it. */
function invented(): string {
  const record = { ...recordAt(2, 3), eventId: 9_999, what: 'invented' };
  return canonical({ ...record, hash: hashOf(record) });
}

test.each(alterations)(
  'windlass audit verify fails and names the place of %s',
  async (_, hand, place, ...kept) => {
    const folder = mkdtempSync(join(root, 'altered-'));
    cpSync(whole, folder, { recursive: true });
    hand(folder);
    const command = ['audit', 'verify', folder, ...(kept.length > 0 ? ['--head', head] : [])];
    const [text, answer] = await Promise.all([spawnCli(command), runCli(command, {})]);

    expect({ text: text.code, json: answer.code, ok: answer.json['ok'] as unknown }).toEqual({
      text: 1,
      json: 1,
      ok: false,
    });
    expect(answer.json['findings']).toContainEqual(expect.objectContaining(place));
    const { code, file, line, sequence } = place;
    const where = `${file}${line === undefined ? '' : `:${line}`}${sequence === undefined ? '' : ` (sequence ${sequence})`}`;
    expect(text.out).toContain(`${where}  ${code}: `);
  },
  60_000,
);

test.each(alterations.filter(([, , , kept]) => kept))(
  'without that head %s leaves nothing to find: what it is kept for',
  async (...[, hand]) => {
    const folder = mkdtempSync(join(root, 'unseen-'));
    cpSync(whole, folder, { recursive: true });
    hand(folder);
    expect((await spawnCli(['audit', 'verify', folder])).code).toBe(0);
  },
);
