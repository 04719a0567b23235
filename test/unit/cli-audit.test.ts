import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { writeAuditFile } from '../../src/cli/audit-files.ts';
import { renderRecords } from '../../src/cli/render/audit.ts';
import type { AuditRecord } from '../../src/contracts/audit.ts';
import { exportOf, normalized } from '../support/audit-chain.ts';
import { windlass } from '../support/cli.ts';

// `verify` has no server: what it needs is in files.
const chain = { system: 'shop', environment: 'production' };
const made = exportOf(chain, [normalized('deploy-released').facts, normalized('backup').facts]);
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'windlass-audit-'));
  for (const { file, text } of [...made.segments, ...made.anchors]) write(file, text);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(file: string, text: string): void {
  mkdirSync(dirname(join(folder, file)), { recursive: true });
  writeFileSync(join(folder, file), text);
}
const change = (file: string, from: string, to: string): void =>
  write(file, readFileSync(join(folder, file), 'utf8').replace(from, to));
const SECOND = 'shop/production/segments/00000002.jsonl';

test('verify says what it checked, and the head to note', async () => {
  const { code, out } = await windlass(['audit', 'verify', folder]);
  expect({ code, out }).toEqual({
    code: 0,
    out: expect.stringMatching(
      /^shop production: \d+ records in 2 segments with 2 anchors, .*\n {2}head, .*: shop\/production:\d+:[0-9a-f]{64}\n/,
    ),
  });
  const [head] = /shop\/production:\d+:[0-9a-f]{64}/.exec(out)!;
  expect((await windlass(['audit', 'verify', folder, '--head', head])).code).toBe(0);
  expect((await windlass(['audit', 'verify', folder, '--head', head.replace(/.{6}$/, '000000')])).code).toBe(1);
});

test('verify of an altered record exits with 1 and names file, line and sequence', async () => {
  const line = readFileSync(join(folder, SECOND), 'utf8').split('\n')[1]!;
  change(SECOND, line, line.replace('"who":{"how":"declared","name":"kim"}', '"who":{"how":"declared","name":"eve"}'));
  const { code, out } = await windlass(['audit', 'verify', folder]);
  const { sequence } = JSON.parse(line) as AuditRecord;
  expect(code).toBe(1);
  expect(out).toContain('ALTERED');
  expect(out).toContain(`${SECOND}:2 (sequence ${sequence})  edited: `);
});

test('anchors that were fetched elsewhere find a segment that was forged together with its anchor', async () => {
  const elsewhere = mkdtempSync(join(tmpdir(), 'windlass-anchors-'));
  for (const { file, text } of made.anchors) await writeAuditFile(elsewhere, { file, text });
  const forged = exportOf(chain, [
    normalized('deploy-released').facts,
    normalized('backup').facts.map((fact) => ({ ...fact, outcome: 'well' })),
  ]);
  write(SECOND, forged.segments[1]!.text);
  write(forged.anchors[1]!.file, forged.anchors[1]!.text);
  expect((await windlass(['audit', 'verify', folder])).code).toBe(0);
  const { code, out } = await windlass(['audit', 'verify', folder, '--anchors', elsewhere]);
  expect({ code, out }).toEqual({ code: 1, out: expect.stringContaining(`${SECOND} (sequence`) });
  rmSync(elsewhere, { recursive: true });
});

test.each([
  ['a folder that is not there', () => ['/nonexistent/audit'], 1, 'cannot be read'],
  ['a folder without segments', () => [mkdtempSync(join(tmpdir(), 'windlass-empty-'))], 1, 'no segment'],
  ['a head that is none', () => [folder, '--head', 'shop:1'], 2, 'SYSTEM/ENVIRONMENT:SEQUENCE:HASH'],
])('verify of %s says what was expected', async (_, args, code, message) => {
  const answer = await windlass(['audit', 'verify', ...args()]);
  expect(answer).toMatchObject({ code, err: expect.stringContaining(message) });
});

test('files that are none of an export are named and do not count', async () => {
  write('notes.txt', 'mine');
  const { code, out } = await windlass(['audit', 'verify', folder, '--json']);
  expect({ code, ...(JSON.parse(out) as object) }).toMatchObject({ code: 0, ok: true, ignored: ['notes.txt'] });
});

test.each([
  '../escape.jsonl',
  '/etc/x',
  'shop/production/segments/../../../x.jsonl',
  'shop/production/segments/1.jsonl.sh',
])('whatever names a file %s, it is not written', async (file) => {
  await expect(writeAuditFile(folder, { file, text: 'x' })).rejects.toMatchObject({ code: 'server-error' });
});

test('schema prints SQL as one transaction for the writer that is named', async () => {
  const { code, out } = await windlass(['audit', 'schema', '--writer', 'aud"it']);
  expect(code).toBe(0);
  expect(out).toMatch(/^BEGIN;\n[^]*COMMIT;\n$/);
  expect(out).toContain('GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA windlass_audit TO "aud""it";');
});

test.each([
  ['--since', 'yesterday'],
  ['--limit', '0'],
  ['--kind', 'gossip'],
])('search with %s %s is refused before anybody is asked', async (flag, value) => {
  expect((await windlass(['audit', 'search', flag, value])).code).toBe(2);
});

test('records are shown a line each, with reasons, and control characters of others harmless', () => {
  const records = made.segments[0]!.text.split('\n')
    .filter((line) => line.includes('"kind"'))
    .map((line) => JSON.parse(line) as AuditRecord);
  const decision = records.find(({ kind }) => kind === 'decision')!;
  const text = renderRecords(
    [{ ...decision, labels: { ...decision.labels, reason: 'looks \u001b[31mwell' } }],
    'newest',
  );
  expect(text).toMatch(
    /decision +decide +security-team@agents\.example\.com +brisk +recorded +gate security, decision approve, “looks �\[31mwell”/,
  );
  expect(renderRecords(records, 'chain').split('\n').length).toBe(records.length + 4);
});
