import { systemSchema } from '../../src/contracts/catalog.ts';
import { openAcceptance, type Acceptance } from '../support/acceptance.ts';
import { BRISK, SERVICE, shipped } from '../support/acceptance-catalog.ts';
import type { Stage, StageOptions } from '../support/acceptance-stage.ts';
import { waitFor } from '../../scripts/sandbox/wait.ts';

const PRE = 'agent-system-pre-deployment';
const POST = 'agent-system-post-deployment';
const BLUE = 'agent-system';
const GREEN = 'agent-system-green';
const runbook = systemSchema.parse(shipped()).services[SERVICE]!.release;

/** Real Jobs, and a soak that does not judge metrics. */
const jobs = { release: { soak: { duration: '1s', interval: '1s', warmUp: '0s' } }, metrics: [] };
const failing = {
  image: 'docker.io/windlass/sample:v1',
  command: ['node', '/app/job.js', '--expect', 'fail'],
  timeout: '60s',
};
const endless = {
  image: 'docker.io/windlass/sample:v1',
  command: ['node', '-e', "console.log('still checking'); setTimeout(() => {}, 3600_000)"],
  // Its pod has to have started and spoken by then, on a busy machine too.
  timeout: '12s',
};

let acceptance: Acceptance;
beforeAll(async () => {
  acceptance = await openAcceptance({
    subject: 'rollout',
    stages: 11,
    variants: {
      jobs,
      'pre-fails': { ...jobs, release: { ...jobs.release, preDeployment: failing } },
      'pre-endless': { ...jobs, release: { ...jobs.release, preDeployment: endless } },
      brisk: BRISK,
      'brisk-short': { ...BRISK, release: { ...BRISK.release, rolloutTimeout: '8s' } },
    },
  });
}, 120_000);
afterAll(() => acceptance?.close());

/** When an object was created, by the audit log. */
async function createdAt(stage: Stage, resource: string, name: string): Promise<number> {
  const entry = (await stage.changes()).find(
    ({ verb, objectRef, requestObject }) =>
      verb === 'create' &&
      objectRef.resource === resource &&
      (requestObject as { metadata: { name: string } }).metadata.name.startsWith(name),
  );
  return entry ? Date.parse(entry.requestReceivedTimestamp) : NaN;
}

/** The only Job of that name, with when it was complete. */
async function jobOf(stage: Stage, name: string) {
  const found = (await stage.namespace.list('Job')).filter(({ metadata }) => metadata!.name!.startsWith(name));
  expect(found).toHaveLength(1);
  return found[0]!;
}

/** Blue serves alone, with its own selector, as if nothing had happened. */
async function expectOnlyBlue(stage: Stage): Promise<void> {
  expect(await stage.deployments()).toEqual({ [BLUE]: { image: expect.stringContaining(':v1'), ready: 1 } });
  expect((await stage.service()).spec!['selector']).toEqual({ app: 'agent-system' });
  expect((await stage.namespace.list('Service')).map(({ metadata }) => metadata!.name)).toHaveLength(1);
  expect(await stage.served()).toBe('v1');
}

test.concurrent(
  'S-03.1 runs the pre-deployment Job to its end before the new color exists, then releases',
  () =>
    acceptance.stage({ service: 'jobs' }, async (stage) => {
      expect(await stage.release('v2')).toMatchObject({ outcome: 'released' });
      const job = await jobOf(stage, PRE);
      expect(job.status).toMatchObject({ succeeded: 1 });
      // The API server keeps whole seconds, the audit log microseconds.
      expect(Date.parse(job.status!['completionTime'])).toBeLessThanOrEqual(
        await createdAt(stage, 'deployments', GREEN),
      );
      expect(await stage.served()).toBe('v2');
    }),
  180_000,
);

test.concurrent(
  'S-03.2 stops when the Job fails, keeps its log with the evidence, and no new color appears',
  () =>
    acceptance.stage({ service: 'pre-fails' }, async (stage) => {
      const ending = await (await stage.deployApproved('v2')).ending();
      expect(ending).toMatchObject({ ok: false, type: 'JobFailed', message: expect.stringMatching(/pre-deployment/) });
      const uri = /s3:\/\/\S+?\.log/.exec(ending.ok ? '' : ending.message)?.[0];
      expect(await acceptance.evidence(uri!)).toMatch(/FAIL requested outcome[^]*1 check\(s\) failed/);
      expect(await createdAt(stage, 'deployments', GREEN)).toBeNaN();
      expect(await stage.switches()).toEqual([]);
      await expectOnlyBlue(stage);
    }),
  180_000,
);

test.concurrent(
  'S-03.3 gives a Job 300 s; one that is not complete in its time stops the release, is ended, and its log is kept',
  () =>
    acceptance.stage({ service: 'pre-endless' }, async (stage) => {
      expect(runbook.preDeployment!.timeout).toBe(300_000);
      const ending = await (await stage.deployApproved('v2')).ending();
      expect(ending).toMatchObject({ ok: false, type: 'JobFailed', message: expect.stringMatching(/within 12 s/) });
      const uri = /s3:\/\/\S+?\.log/.exec(ending.ok ? '' : ending.message)?.[0];
      expect(await acceptance.evidence(uri!)).toMatch(/still checking/);
      expect(await createdAt(stage, 'deployments', GREEN)).toBeNaN();
      await expectOnlyBlue(stage);
      await waitFor(
        'the end of the Job',
        async () => (await stage.namespace.list('Job')).every(({ status }) => !status!['active']),
        { timeoutSeconds: 60 },
      );
    }),
  180_000,
);

test.concurrent(
  'S-04.1 brings green up beside blue within 600 s while every request is still answered by blue',
  () =>
    acceptance.stage({ service: SERVICE, replicas: 2 }, async (stage) => {
      expect(runbook.rolloutTimeout).toBe(600_000);
      const load = await stage.load();
      const release = await stage.deployApproved('v2');
      await release.until('green beside blue', ({ step }) => /post-deployment Job/.test(step));
      expect(await stage.deployments()).toMatchObject({ [BLUE]: { ready: 2 }, [GREEN]: { ready: 2 } });
      const green = (await stage.namespace.find('Deployment', GREEN))!;
      const available = green.status!['conditions'].find((each: { type: string }) => each.type === 'Available');
      const tookMs = Date.parse(available.lastTransitionTime) - +green.metadata!.creationTimestamp!;
      expect(tookMs).toBeLessThan(runbook.rolloutTimeout);

      expect(await release.ending()).toMatchObject({ ok: true });
      const { failures, versions } = await load.stop();
      const [switched] = (await stage.switches()).filter(({ selector }) => selector['version'] === 'green');
      expect(versions['v2']!.firstAt).toBeGreaterThanOrEqual(switched!.at);
      expect(failures).toEqual([]);
    }),
  180_000,
);

test.concurrent(
  'S-04.2 runs the post-deployment verification Job against green before any traffic reaches it',
  () =>
    acceptance.stage({ service: 'jobs' }, async (stage) => {
      const load = await stage.load();
      expect(await stage.release('v2')).toMatchObject({ outcome: 'released' });
      const { versions, failures } = await load.stop();
      const job = await jobOf(stage, POST);
      expect(job.status).toMatchObject({ succeeded: 1 });
      // What the Job itself saw through the preview Service: green's version, and every check of it.
      const log = await stage.namespace.kubectl('logs', `job/${job.metadata!.name}`);
      expect(log).toMatch(/PASS check redis: healthy[^]*PASS version: expected v2, got v2[^]*all checks passed/);
      expect(versions['v2']!.firstAt).toBeGreaterThan(Date.parse(job.status!['completionTime']));
      expect(failures).toEqual([]);
    }),
  180_000,
);

test.concurrent(
  'S-04.3 fails when the rollout is not complete, tells the cause apart (image pull, crash loop, memory, scheduling, probe) and removes green',
  async () => {
    const alone = {
      affinity: {
        podAntiAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: [
            { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: { app: 'agent-system' } } },
          ],
        },
      },
    };
    const causes: [string, string, StageOptions][] = [
      ['image-pull', 'v99', { service: 'brisk' }],
      ['crash-loop', 'v6', { service: 'brisk' }],
      // It listens before it has used up its memory, which takes seconds on a busy machine: ready for a moment is not enough.
      ['out-of-memory', 'v7', { service: 'brisk', minReadySeconds: 15 }],
      ['unschedulable', 'v2', { service: 'brisk', pod: alone }],
      ['probe', 'v8', { service: 'brisk-short' }],
    ];
    const stories = causes.map(([reason, version, options]) =>
      acceptance.stage(options, async (stage) => {
        const load = await stage.load(10);
        const ending = await (await stage.deployApproved(version)).ending();
        expect(ending).toMatchObject({
          ok: false,
          type: 'RolloutFailed',
          message: expect.stringMatching(new RegExp(`${GREEN} \\(${version}\\) did not become ready: ${reason}: `)),
        });
        expect(await createdAt(stage, 'deployments', GREEN)).not.toBeNaN();
        await expectOnlyBlue(stage);
        const { versions, failures } = await load.stop();
        expect({ failures, versions: Object.keys(versions) }).toEqual({ failures: [], versions: ['v1'] });
      }),
    );
    const failures = (await Promise.allSettled(stories)).flatMap((each) =>
      each.status === 'rejected' ? [each.reason as Error] : [],
    );
    if (failures.length > 0) throw new AggregateError(failures, failures.map(({ message }) => message).join('\n\n'));
  },
  240_000,
);

test.concurrent(
  'S-04.4 fails when the verification Job fails, keeps its log and removes green',
  () =>
    acceptance.stage({ service: 'jobs' }, async (stage) => {
      const load = await stage.load();
      const ending = await (await stage.deployApproved('v9')).ending();
      expect(ending).toMatchObject({ ok: false, type: 'JobFailed', message: expect.stringMatching(/post-deployment/) });
      const uri = /s3:\/\/\S+?\.log/.exec(ending.ok ? '' : ending.message)?.[0];
      expect(await acceptance.evidence(uri!)).toMatch(/FAIL check redis: unhealthy/);
      expect(await createdAt(stage, 'deployments', GREEN)).not.toBeNaN();
      await expectOnlyBlue(stage);
      const { versions, failures } = await load.stop();
      expect({ failures, versions: Object.keys(versions) }).toEqual({ failures: [], versions: ['v1'] });
    }),
  180_000,
);
