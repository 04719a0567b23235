import { openAcceptance, type Acceptance } from '../support/acceptance.ts';
import { BRISK } from '../support/acceptance-catalog.ts';
import { RELEASE_CRITERIA as criteria } from '../support/release-criteria.ts';

const LEAD = 'eng-lead@agents.example.com';
const answers = Object.fromEntries([
  ...Object.keys(criteria.go).map((name) => [name, `yes: https://evidence.example.com/${name}`]),
  ...Object.keys(criteria.noGo).map((name) => [name, `no: https://evidence.example.com/${name}`]),
]) as Record<string, string>;

let acceptance: Acceptance;
beforeAll(async () => {
  const gates = [{ name: 'go-no-go', asks: 'Go or no-go?', roles: ['engineering-lead'], criteria }];
  acceptance = await openAcceptance({
    subject: 'gonogo',
    stages: 2,
    variants: { brisk: BRISK },
    catalog: { policies: { deployRelease: { gates } } },
  });
}, 120_000);
afterAll(() => acceptance?.close());

const approve = (id: string, given: Record<string, string>) => {
  const fields = Object.entries(given).flatMap(([name, value]) => ['--field', `${name}=${value}`]);
  return acceptance.cli(LEAD, 'approve', id, 'go-no-go', '--yes', ...fields);
};

test(
  'S-26.1 releases when all seven criteria are so and none of the five is, and keeps the evidence of each',
  () =>
    acceptance.stage({ service: 'brisk' }, async (stage) => {
      const release = await stage.deploy('v2');
      await release.untilGatesOpen();
      const { dependencies: _, ...eleven } = answers;
      expect((await approve(release.id, eleven)).code).not.toBe(0);
      expect(await stage.changes()).toEqual([]);
      expect(await approve(release.id, answers)).toMatchObject({ code: 0, json: { code: 'recorded' } });
      expect(await release.ending()).toMatchObject({ ok: true, result: { outcome: 'released', version: 'v2' } });
      expect(await stage.served()).toBe('v2');
      const [gate] = await release.gates();
      expect(gate!.approvals).toMatchObject([{ by: LEAD, fields: answers }]);
    }),
  240_000,
);

test(
  'S-26.2 ends as no-go by any one criterion with its evidence and changes nothing; the same release goes out when all are well',
  () =>
    acceptance.stage({ service: 'brisk' }, async (stage) => {
      const before = await stage.namespace.versions();
      for (const [name, answer, text] of [
        ['rollback', 'no: the drill failed', 'Rollback procedure verified: no, the drill failed'],
        ['vulnerabilities', 'yes: CVE-2026-1', 'Security vulnerabilities found: yes, CVE-2026-1'],
      ] as const) {
        const stopped = await stage.deploy('v2');
        await stopped.untilGatesOpen();
        await approve(stopped.id, { ...answers, [name]: answer });
        expect(await stopped.ending()).toMatchObject({
          ok: false,
          type: 'GateNotApproved',
          message: expect.stringContaining(`no-go: ${text}`),
        });
      }
      expect(await stage.changes()).toEqual([]);
      expect(await stage.namespace.versions()).toEqual(before);
      const release = await stage.deploy('v2');
      await release.untilGatesOpen();
      await approve(release.id, answers);
      expect(await release.ending()).toMatchObject({ ok: true, result: { outcome: 'released' } });
      expect(await stage.served()).toBe('v2');
    }),
  240_000,
);
