import { waitFor } from '../../scripts/sandbox/wait.ts';
import { openAcceptance, type Acceptance } from '../support/acceptance.ts';
import { BRISK } from '../support/acceptance-catalog.ts';
import type { Stage } from '../support/acceptance-stage.ts';

const FIVE_MINUTES_MS = 300_000;
const BLUE = 'agent-system';
// kube-proxy on a busy machine needs many seconds to follow a selector, and nothing tells when it has: the catalog's drain
// time (30 s in production) covers that before pods are deleted.
const patient = { ...BRISK, release: { ...BRISK.release, drain: '10s' } };
const retiring = { ...BRISK, release: { ...patient.release, retireAfter: '2s' } };
const soaking = { ...BRISK, release: { ...BRISK.release, soak: { duration: '10m', interval: '1s', warmUp: '0s' } } };

let acceptance: Acceptance;
beforeAll(async () => {
  acceptance = await openAcceptance({
    subject: 'rollback',
    stages: 9,
    variants: { brisk: BRISK, patient, retiring, soaking },
  });
}, 120_000);
afterAll(() => acceptance?.close());

const selectorOf = async (stage: Stage): Promise<unknown> => (await stage.service()).spec!['selector'];
const color = (name: string) => ({ app: 'agent-system', version: name });

/** Answers that clients have got since the last move of the selector come from one version only. */
async function expectServedOnlyBy(stage: Stage, version: string): Promise<void> {
  for (let count = 0; count < 20; count++) expect(await stage.served()).toBe(version);
}

test.concurrent(
  'S-06.1 rolls back in an emergency to the version given, in under 5 minutes, and verifies it',
  () =>
    acceptance.stage({ service: 'brisk' }, async (stage) => {
      await stage.release('v2');
      await stage.release('v10');
      await expectServedOnlyBy(stage, 'v10');

      const rollback = await stage.rollback('--mode', 'emergency', '--to', 'v1');
      const ending = await rollback.ending();
      expect(ending).toMatchObject({ ok: true, result: { outcome: 'rolled-back', version: 'v1', deployment: BLUE } });
      const { startTime, closeTime } = await rollback.handle.describe();
      expect(closeTime!.getTime() - startTime.getTime()).toBeLessThan(FIVE_MINUTES_MS);
      expect((await rollback.progress()).timeline.map(({ text }) => text)).toContain('v1 is healthy');
      await expectServedOnlyBy(stage, 'v1');
      const health = (await (await fetch(`${stage.url}health`)).json()) as object;
      expect(health).toMatchObject({ status: 'healthy', version: 'v1' });
    }),
  240_000,
);

test.concurrent(
  'S-06.2 takes the last known good version when none is given',
  () =>
    acceptance.stage({ service: 'brisk' }, async (stage) => {
      await stage.release('v2');
      await stage.release('v10');
      expect(await selectorOf(stage)).toEqual(color('blue'));

      const ending = await (await stage.rollback('--mode', 'emergency')).ending();
      expect(ending).toMatchObject({ ok: true, result: { outcome: 'rolled-back', version: 'v2' } });
      expect(await selectorOf(stage)).toEqual(color('green'));
      await expectServedOnlyBy(stage, 'v2');
    }),
  240_000,
);

test.concurrent(
  'S-06.3 asks for every confirmation before a planned rollback and then rolls back',
  () =>
    acceptance.stage({ service: 'brisk' }, async (stage) => {
      await stage.release('v2');
      const before = await stage.namespace.versions();
      const changed = (await stage.changes()).length;

      const rollback = await stage.rollback('--mode', 'planned');
      const gates = await rollback.untilGatesOpen();
      expect(gates.map(({ name }) => name)).toEqual(['release-to-go-back-to', 'team-ready']);
      expect(await rollback.decide({ gate: 'release-to-go-back-to' })).toMatchObject({ code: 'recorded' });
      await rollback.until('only the devops awaited', ({ awaiting }) => awaiting.join() === 'devops');
      expect(await stage.namespace.versions()).toEqual(before);
      expect((await stage.changes()).length).toBe(changed);
      await expectServedOnlyBy(stage, 'v2');

      expect(await rollback.decide({ gate: 'team-ready' })).toMatchObject({ code: 'recorded' });
      expect(await rollback.ending()).toMatchObject({ ok: true, result: { outcome: 'rolled-back', version: 'v1' } });
      await expectServedOnlyBy(stage, 'v1');
    }),
  240_000,
);

test.concurrent(
  'S-06.4 stops a running deployment of the same service and brings traffic back',
  () =>
    acceptance.stage({ service: 'soaking' }, async (stage) => {
      const load = await stage.load(40);
      const release = await stage.deployApproved('v2');
      await release.until('the soak', ({ phase }) => phase === 'soaking');
      await waitFor('answers of v2', async () => (await load.snapshot()).versions['v2'], { timeoutSeconds: 10 });
      await expectServedOnlyBy(stage, 'v2');

      const rollback = await stage.rollback('--mode', 'emergency');
      expect(await rollback.ending()).toMatchObject({ ok: true, result: { outcome: 'rolled-back', version: 'v1' } });
      expect(await release.ending()).toMatchObject({ ok: false, type: 'StoodDown' });
      await expectServedOnlyBy(stage, 'v1');
      // The release that never was good is gone with its pods, so clients with kept connections have left it too.
      expect(Object.keys(await stage.deployments())).toEqual([BLUE]);
      const { failures, versions } = await load.stop();
      expect(failures).toEqual([]);
      expect(versions['v1']!.lastAt).toBeGreaterThan(versions['v2']!.lastAt);
    }),
  240_000,
);

test.concurrent(
  'S-06.5 refuses a version that was never released and changes nothing; the version released before is accepted',
  () =>
    acceptance.stage({ service: 'brisk' }, async (stage) => {
      await stage.release('v2');
      const selector = await selectorOf(stage);
      const deployments = await stage.deployments();
      const refused = await stage.rollback('--mode', 'emergency', '--to', 'v7');
      expect(await refused.ending()).toMatchObject({
        ok: false,
        type: 'Refused',
        message: expect.stringMatching(/unknown-release: No record of a release v7 .*v2 \(good\), v1 \(good\)/),
      });
      expect(await selectorOf(stage)).toEqual(selector);
      expect(await stage.deployments()).toEqual(deployments);
      await expectServedOnlyBy(stage, 'v2');

      const accepted = await stage.rollback('--mode', 'emergency', '--to', 'v1');
      expect(await accepted.ending()).toMatchObject({ ok: true, result: { outcome: 'rolled-back', version: 'v1' } });
      await expectServedOnlyBy(stage, 'v1');
    }),
  240_000,
);

test.concurrent(
  'H-05.1 switches traffic back to the old color by the Service selector while requests are sent, none of them failed',
  () =>
    acceptance.stage({ service: 'patient', replicas: 2 }, async (stage) => {
      await stage.release('v2');
      const load = await stage.load(100);
      await waitFor('answers of v2', async () => (await load.snapshot()).versions['v2'], { timeoutSeconds: 10 });
      const before = (await stage.switches()).length;
      const rollback = await stage.rollback('--mode', 'emergency');
      expect(await rollback.ending()).toMatchObject({ ok: true, result: { outcome: 'rolled-back', version: 'v1' } });
      const moves = (await stage.switches()).slice(before);
      expect(moves[0]!.selector).toEqual({ app: 'agent-system', 'pod-template-hash': expect.any(String) });
      await waitFor('answers of v1', async () => (await load.snapshot()).versions['v1'], { timeoutSeconds: 10 });

      const { failures, issued, succeeded, versions } = await load.stop();
      expect({ failures, lost: issued - succeeded }).toEqual({ failures: [], lost: 0 });
      expect(versions['v2']!.connections.new!.lastAt - moves[0]!.at).toBeLessThan(5000);
      expect(versions['v1']!.firstAt).toBeGreaterThanOrEqual(moves[0]!.at);
    }),
  240_000,
);

test.concurrent(
  'H-05.2 is over in under 5 minutes, measured from the request to the last answer of the new color',
  () =>
    acceptance.stage({ service: 'patient', replicas: 2 }, async (stage) => {
      await stage.release('v2');
      const load = await stage.load(40);
      await waitFor('answers of v2', async () => (await load.snapshot()).versions['v2'], { timeoutSeconds: 10 });
      const requestedAt = Date.now();
      const rollback = await stage.rollback('--mode', 'emergency');
      expect(await rollback.ending()).toMatchObject({ ok: true, result: { outcome: 'rolled-back' } });
      // Kept connections too: none of them is answered by v2 any more.
      const settled = await waitFor(
        'the last answer of v2',
        async () => {
          const { versions } = await load.snapshot();
          const { v1, v2 } = versions;
          return v1 && v2 && v1.connections.kept && v1.lastAt - v2.lastAt > 3000 && v2;
        },
        { timeoutSeconds: 120 },
      );
      expect(settled.lastAt - requestedAt).toBeLessThan(FIVE_MINUTES_MS);
      expect((await load.stop()).failures).toEqual([]);
    }),
  240_000,
);

test.concurrent(
  'H-05.3 redeploys the previous release after the old color was retired',
  () =>
    acceptance.stage({ service: 'retiring' }, async (stage) => {
      const { previous } = await stage.release('v2');
      expect(await stage.get(previous.retireWorkflowId).ending()).toMatchObject({ result: { outcome: 'retired' } });
      expect(Object.keys(await stage.deployments())).toEqual(['agent-system-green']);

      const load = await stage.load(40);
      const ending = await (await stage.rollback('--mode', 'emergency')).ending();
      expect(ending).toMatchObject({ ok: true, result: { outcome: 'rolled-back', version: 'v1' } });
      expect((await stage.deployments())['agent-system-blue']).toMatchObject({ image: expect.stringContaining(':v1') });
      expect(await selectorOf(stage)).toEqual(color('blue'));
      await expectServedOnlyBy(stage, 'v1');
      expect((await load.stop()).failures).toEqual([]);
    }),
  240_000,
);

test.concurrent(
  'H-05.4 refuses while there is no previous release and changes nothing; after a release it goes back to the version given',
  () =>
    acceptance.stage({ service: 'brisk' }, async (stage) => {
      const refused = await stage.rollback('--mode', 'emergency');
      expect(await refused.ending()).toMatchObject({
        ok: false,
        type: 'Refused',
        message: expect.stringMatching(/no-good-release: .*Recorded: none/),
      });
      expect(await selectorOf(stage)).toEqual({ app: 'agent-system' });
      expect(Object.keys(await stage.deployments())).toEqual([BLUE]);
      expect(await stage.switches()).toEqual([]);

      await stage.release('v2');
      await expectServedOnlyBy(stage, 'v2');
      const accepted = await stage.rollback('--mode', 'emergency', '--to', 'v1');
      expect(await accepted.ending()).toMatchObject({ ok: true, result: { outcome: 'rolled-back', version: 'v1' } });
      await expectServedOnlyBy(stage, 'v1');
    }),
  240_000,
);
