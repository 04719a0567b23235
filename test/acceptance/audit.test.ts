import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { waitFor } from '../../scripts/sandbox/wait.ts';
import type { AuditRecord } from '../../src/contracts/audit.ts';
import { openAcceptance, type Acceptance } from '../support/acceptance.ts';
import { BRISK, SYSTEM } from '../support/acceptance-catalog.ts';
import { DECIDERS } from '../support/acceptance-procedure.ts';
import { createAuditWorld, type AuditWorld } from '../support/audit-world.ts';
import { windlass } from '../support/cli.ts';

// The worker exports by its own Schedule; the audit's database and its part of the object store are this test's.
let world: AuditWorld;
let acceptance: Acceptance;
let folder: string;
beforeAll(async () => {
  world = await createAuditWorld();
  await world.beginNow();
  folder = mkdtempSync(join(tmpdir(), 'windlass-audit-'));
  acceptance = await openAcceptance({
    subject: 'audit',
    stages: 2,
    variants: { brisk: BRISK },
    env: {
      ...{ ACC_AUDIT_URL: world.urls.writer, ACC_AUDIT_OWNER_URL: world.urls.owner },
      ...{ WINDLASS_AUDIT_DATABASE: 'env:ACC_AUDIT_URL', WINDLASS_AUDIT_OWNER_DATABASE: 'env:ACC_AUDIT_OWNER_URL' },
      ...{ WINDLASS_AUDIT_PREFIX: world.prefix, WINDLASS_AUDIT_LOCK: 'governance', WINDLASS_AUDIT_RETENTION: '10m' },
      WINDLASS_AUDIT_EVERY: '2s',
    },
  });
}, 120_000);
afterAll(async () => {
  await acceptance?.client.schedule.getHandle(`audit/${acceptance.taskQueue}`).delete();
  await acceptance?.close();
  await world?.remove();
  if (folder) rmSync(folder, { recursive: true, force: true });
});

async function search(...flags: string[]): Promise<AuditRecord[]> {
  const { code, json } = await acceptance.cli('kim', 'audit', 'search', ...flags);
  expect({ code, json }).toMatchObject({ code: 0, json: { altered: [] } });
  return json['records'] as AuditRecord[];
}
const recordsOf = (id: string) =>
  waitFor(
    `the end of ${id} in the audit`,
    async () => {
      const { code, json } = await acceptance.cli('kim', 'audit', 'show', id);
      const records = (json['records'] ?? []) as AuditRecord[];
      return code === 0 && records.some(({ kind }) => kind === 'ended') ? records : undefined;
    },
    { timeoutSeconds: 180 },
  );
const said = ({ kind, what, who, target, outcome }: AuditRecord) => [kind, what, who.name, target, outcome].join(' ');

test.concurrent(
  'H-26.1 has who, what, when, outcome and source of a release and of one that was terminated, by itself, and finds them',
  () =>
    acceptance.stage({ service: 'brisk' }, async (stage) => {
      const before = Date.now();
      const release = await stage.deploy('v2');
      await release.untilGatesOpen();
      expect(await release.decide({ gate: 'security', by: 'eng-lead@agents.example.com' })).toMatchObject({
        code: 'wrong-role',
      });
      await release.approveAll();
      expect(await release.ending()).toMatchObject({ ok: true });
      const terminated = await stage.deploy('v3');
      await terminated.untilGatesOpen();
      await terminated.handle.terminate('it took too long');

      const records = await recordsOf(release.id);
      expect(records[0]).toMatchObject({
        ...{ kind: 'started', procedure: 'deployRelease', who: { name: 'kim', how: 'declared' }, target: 'brisk' },
        ...{ system: SYSTEM, environment: stage.environment, source: expect.stringMatching(/^windlass@\d+$/) },
      });
      const told = records.map(said);
      const expected = [
        'started deployRelease kim brisk started',
        'lease acquire kim brisk reserved',
        'decision decide eng-lead@agents.example.com brisk wrong-role',
        `decision decide ${DECIDERS['security']} brisk recorded`,
        `decision decide ${DECIDERS['engineering-lead']} brisk recorded`,
        'lease acquire kim brisk granted',
        'effect switchTraffic kim brisk scheduled',
        'effect switchTraffic kim brisk completed',
        'lease release kim brisk clean',
        'ended end kim brisk released',
      ];
      expect(told.filter((each) => expected.includes(each))).toEqual(expected);
      // When: between what this test saw of it, in order.
      const times = records.map(({ at }) => Date.parse(at));
      expect(times).toEqual([...times].sort((a, b) => a - b));
      expect([times[0]! >= before - 1000, times.at(-1)! <= Date.now()]).toEqual([true, true]);

      expect((await recordsOf(terminated.id)).at(-1)).toMatchObject({
        ...{ kind: 'ended', outcome: 'terminated', labels: { reason: 'it took too long' } },
      });
      const here = ['--system', SYSTEM, '--environment', stage.environment];
      expect((await search(...here, '--outcome', 'wrong-role')).map(said)).toEqual([expected[2]]);
      expect((await search(...here, '--text', 'took too long')).map(said)).toEqual([
        expect.stringMatching(/^ended end .* terminated$/),
      ]);
      expect((await search(...here, '--who', 'kim', '--kind', 'started', '--target', 'brisk')).length).toBe(2);
      expect(await search(...here, '--until', new Date(before - 60_000).toISOString())).toEqual([]);
    }),
  300_000,
);

test.concurrent(
  'H-26.2 verifies what was exported, without any server; a record that was changed, deleted, inserted or moved is found, its place named',
  () =>
    acceptance.stage({ service: 'brisk' }, async (stage) => {
      const release = await stage.deploy('v2');
      await release.untilGatesOpen();
      await release.decide({ gate: 'security', decision: 'reject', reason: 'the scan is not complete' });
      await release.ending();
      const { environment } = stage;
      const exported = await acceptance.cli('kim', 'audit', 'export', SYSTEM, environment, '--to', folder);
      expect(exported).toMatchObject({ code: 0, json: { folder } });
      // In this process, with no server and no database configured.
      const verify = async () => {
        const { code, out } = await windlass(['audit', 'verify', folder, '--json']);
        return { code, ...(JSON.parse(out) as { ok: boolean; chains: { records: number }[]; findings: object[] }) };
      };
      const well = await verify();
      expect(well).toMatchObject({ code: 0, ok: true, findings: [], chains: [{ system: SYSTEM, environment }] });
      expect(well.chains[0]!.records).toBeGreaterThan(4);

      const file = `${SYSTEM}/${environment}/segments/00000001.jsonl`;
      const path = join(folder, file);
      const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
      const rejected = lines.findIndex((line) => line.includes('"decision":"reject"'));
      const line = rejected + 1;
      const sequence = (JSON.parse(lines[rejected]!) as AuditRecord).sequence;
      const approved = lines[rejected]!.replace('"decision":"reject"', '"decision":"approve"');
      const alterations: [string[], object][] = [
        [lines.with(rejected, approved), { code: 'edited', file, line, sequence }],
        [lines.toSpliced(rejected, 1), { code: 'missing', file, line, sequence: sequence + 1 }],
        [lines.toSpliced(rejected, 0, lines[rejected]!), { code: 'repeated', file, line: line + 1, sequence }],
        [
          lines.with(rejected, lines[rejected + 1]!).with(rejected + 1, lines[rejected]!),
          { code: 'out-of-order', file, line: line + 1, sequence },
        ],
        [lines.slice(0, -2), { code: 'truncated', file }],
      ];
      for (const [altered, finding] of alterations) {
        writeFileSync(path, `${altered.join('\n')}\n`);
        expect(await verify()).toMatchObject({
          code: 1,
          ok: false,
          findings: expect.arrayContaining([expect.objectContaining(finding)]),
        });
      }
      writeFileSync(path, `${lines.join('\n')}\n`);
      expect((await verify()).code).toBe(0);

      // In the database: refused to the worker's role; done by its owner behind the triggers, it shows.
      const writer = await world.asWriter();
      await expect(writer.query("UPDATE windlass_audit.records SET outcome = 'well'")).rejects.toMatchObject({
        code: '42501',
      });
      await writer.end();
      const owner = await world.database.connect();
      await owner.query('ALTER TABLE windlass_audit.records DISABLE TRIGGER append_only');
      await owner.query(
        `UPDATE windlass_audit.records SET line = replace(line, '"decision":"reject"', '"decision":"approve"') WHERE environment = $1`,
        [environment],
      );
      await owner.query('ALTER TABLE windlass_audit.records ENABLE ALWAYS TRIGGER append_only');
      await owner.end();
      const shown = await acceptance.cli('kim', 'audit', 'show', release.id);
      expect(shown).toMatchObject({ code: 1, json: { altered: [`${SYSTEM} ${environment} sequence ${sequence}`] } });
    }),
  300_000,
);
