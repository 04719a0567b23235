import { waitFor } from '../../scripts/sandbox/wait.ts';
import { systemSchema } from '../../src/contracts/catalog.ts';
import { openAcceptance, type Acceptance } from '../support/acceptance.ts';
import { BRISK, SERVICE, shipped } from '../support/acceptance-catalog.ts';
import type { Stage } from '../support/acceptance-stage.ts';

const BLUE = 'agent-system';
const GREEN = 'agent-system-green';
const DAY_MS = 86_400_000;
const runbook = systemSchema.parse(shipped()).services[SERVICE]!.release;
const brisk = (retireAfter: string) => ({ ...BRISK, release: { ...BRISK.release, retireAfter } });

let acceptance: Acceptance;
beforeAll(async () => {
  acceptance = await openAcceptance({
    subject: 'soak',
    stages: 6,
    variants: { brisk: BRISK, 'retires-soon': brisk('8s'), 'retires-later': brisk('25s') },
  });
}, 120_000);
afterAll(() => acceptance?.close());

/** When the worker deleted a Deployment, by the audit log. */
async function deletedAt(stage: Stage, deployment: string): Promise<number | undefined> {
  const entry = (await stage.changes()).find(
    ({ verb, objectRef, responseStatus }) =>
      verb === 'delete' &&
      objectRef.resource === 'deployments' &&
      objectRef.name === deployment &&
      responseStatus.code === 200,
  );
  return entry && Date.parse(entry.requestReceivedTimestamp);
}

const switchedToGreen = async (stage: Stage): Promise<number> => {
  const switches = (await stage.switches()).filter(({ selector }) => selector['version'] === 'green');
  expect(switches).toHaveLength(1);
  return switches[0]!.at;
};

test.concurrent(
  'S-05.1 switches the Service selector to green under traffic without a failed request',
  () =>
    acceptance.stage({ service: SERVICE, replicas: 2 }, async (stage) => {
      const load = await stage.load(100);
      expect(await stage.release('v2')).toMatchObject({ outcome: 'released', color: 'green' });
      const { failures, issued, succeeded, versions, connections } = await load.stop();
      const at = await switchedToGreen(stage);
      expect((await stage.service()).spec!['selector']).toEqual({ app: 'agent-system', version: 'green' });
      expect({ failures, lost: issued - succeeded }).toEqual({ failures: [], lost: 0 });
      // New connections left blue at once. Kept ones really were kept: those stay on blue's pods until these go.
      expect(versions['v1']!.connections.new!.lastAt - at).toBeLessThan(5000);
      expect(versions['v2']!.firstAt).toBeGreaterThanOrEqual(at);
      expect(connections.kept.opened).toBeLessThan(connections.kept.requests / 10);
    }),
  180_000,
);

test.concurrent(
  'S-05.2 soaks for 10 minutes judged by the metrics of green, then succeeds',
  () =>
    acceptance.stage({ service: SERVICE }, async (stage) => {
      // The runbook's own times and thresholds; on the sandbox the soak lasts 6 s.
      expect(runbook.soak).toMatchObject({ duration: 600_000 });
      const load = await stage.load(60);
      const release = await stage.deployApproved('v2');
      const soaking = await release.until('the soak', ({ phase }) => phase === 'soaking');
      expect(soaking.step).toBe('Soak v2');
      expect((await stage.service()).metadata!.annotations!['windlass.dev/releases']).toContain('"outcome":"soaking"');
      await release.until('a verdict under way', ({ lines }) => lines.some((line) => /^soak: Pass/.test(line)));
      expect(await release.ending()).toMatchObject({ ok: true, result: { outcome: 'released' } });

      const at = await switchedToGreen(stage);
      const { closeTime } = await release.handle.describe();
      expect(closeTime!.getTime() - at).toBeGreaterThanOrEqual(6000);
      const records = JSON.parse((await stage.service()).metadata!.annotations!['windlass.dev/releases']!);
      expect(records[0]).toMatchObject({ version: 'v2', outcome: 'good' });
      // What it was judged by is there to see: green's own series.
      const pods = await stage.namespace.list('Pod');
      const hash = pods.find(({ metadata }) => metadata!.labels!['version'] === 'green')!.metadata!.labels!;
      const measured = `sum(http_requests_total{namespace="${stage.environment}",pod_template_hash="${hash['pod-template-hash']}"})`;
      expect(await acceptance.prometheus(measured)).toBeGreaterThan(100);
      expect((await load.stop()).failures).toEqual([]);
    }),
  180_000,
);

test.concurrent(
  'S-05.3 retires the old color 24 h after the switch and not before',
  async () => {
    const afterADay = acceptance.stage({ service: 'brisk' }, async (stage) => {
      const { previous } = await stage.release('v2');
      const at = await switchedToGreen(stage);
      const waits = Date.parse(previous.retiresAt) - at;
      expect(waits).toBeGreaterThanOrEqual(DAY_MS);
      expect(waits).toBeLessThan(DAY_MS + 60_000);
      const retirement = stage.get(previous.retireWorkflowId);
      await retirement.until('its sleep', ({ phase }) => phase === 'sleeping');
      const { raw } = await retirement.handle.describe();
      expect(raw.pendingActivities ?? []).toEqual([]);
      expect(await stage.deployments()).toMatchObject({ [BLUE]: { ready: 1 }, [GREEN]: { ready: 1 } });
      expect(await deletedAt(stage, BLUE)).toBeUndefined();
    });
    const afterSeconds = acceptance.stage({ service: 'retires-soon', replicas: 2 }, async (stage) => {
      const load = await stage.load(60);
      const { previous } = await stage.release('v2');
      expect(await stage.deployments()).toMatchObject({ [BLUE]: { ready: 2 } });
      const retired = await stage.get(previous.retireWorkflowId).ending();
      expect(retired).toMatchObject({ ok: true, result: { outcome: 'retired' } });
      expect(await deletedAt(stage, BLUE)).toBeGreaterThanOrEqual(Date.parse(previous.retiresAt));
      expect(Object.keys(await stage.deployments())).toEqual([GREEN]);
      const { failures, versions } = await load.stop();
      expect(failures).toEqual([]);
      expect(versions['v2']!.connections.kept!.count).toBeGreaterThan(0);
    });
    await Promise.all([afterADay, afterSeconds]);
  },
  180_000,
);

test.concurrent(
  'S-05.4 keeps the old color when a rollback happened within the 24 h',
  () =>
    acceptance.stage({ service: 'retires-later' }, async (stage) => {
      const { previous } = await stage.release('v2');
      const rollback = await stage.rollback('--mode', 'emergency');
      expect(await rollback.ending()).toMatchObject({ ok: true, result: { outcome: 'rolled-back', version: 'v1' } });
      const moves = await stage.switches();
      const back = moves[moves.findIndex(({ selector }) => selector['version'] === 'green') + 1];
      expect(back!.at).toBeLessThan(Date.parse(previous.retiresAt));
      expect(await stage.get(previous.retireWorkflowId).ending()).toMatchObject({
        ok: true,
        result: { outcome: 'in-service' },
      });
      expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(previous.retiresAt));
      expect(await deletedAt(stage, BLUE)).toBeUndefined();
      expect(await stage.deployments()).toMatchObject({ [BLUE]: { ready: 1 } });
      expect(await stage.served()).toBe('v1');
    }),
  180_000,
);

test.concurrent(
  'S-05.5 switches back when the metrics of green fail during the soak',
  () =>
    acceptance.stage({ service: SERVICE }, async (stage) => {
      const load = await stage.load(80);
      const release = await stage.deployApproved('v4');
      const ending = await release.ending();
      expect(ending).toMatchObject({
        ok: false,
        type: 'MetricsFailed',
        message: expect.stringMatching(/error-rate is [\d.]+ %, expected at most 0\.1 %/),
      });
      await waitFor(
        'some seconds of v1',
        async () => (await load.snapshot()).versions['v1']!.lastAt > Date.now() - 500,
        {
          timeoutSeconds: 10,
        },
      );
      const { failures, versions } = await load.stop();
      // v4 failed on its own, and nothing else did.
      expect(failures).toEqual([expect.objectContaining({ kind: 'http_500', version: 'v4' })]);
      const moves = await stage.switches();
      const toGreen = moves.findIndex(({ selector }) => selector['version'] === 'green');
      const back = moves[toGreen + 1]!;
      expect(back.selector).toEqual({ app: 'agent-system', 'pod-template-hash': expect.any(String) });
      expect(versions['v4']!.firstAt).toBeGreaterThanOrEqual(moves[toGreen]!.at);
      expect(versions['v4']!.connections.new!.lastAt - back.at).toBeLessThan(5000);
      expect((await stage.service()).spec!['selector']).toEqual({ app: 'agent-system' });
      expect(Object.keys(await stage.deployments())).toEqual([BLUE]);
      expect(await stage.served()).toBe('v1');
    }),
  180_000,
);
