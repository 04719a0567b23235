import { WithStartWorkflowOperation } from '@temporalio/client';
import { readEndpoints } from '../../scripts/sandbox/endpoints.ts';
import type { Decision } from '../../src/contracts/gates.ts';
import { openAcceptance, type Acceptance } from '../support/acceptance.ts';
import { imageOf } from '../support/acceptance-app.ts';
import { BRISK } from '../support/acceptance-catalog.ts';
import type { RunningProcedure } from '../support/acceptance-procedure.ts';
import type { Stage } from '../support/acceptance-stage.ts';

const { kubernetes, prometheus } = readEndpoints();
const soaking = { ...BRISK, release: { ...BRISK.release, soak: { duration: '10m', interval: '1s', warmUp: '0s' } } };
const nowhere = { cluster: { context: kubernetes.context }, namespace: 'acc-nowhere', prometheus: prometheus.url };

let acceptance: Acceptance;
beforeAll(async () => {
  acceptance = await openAcceptance({
    subject: 'input',
    stages: 7,
    variants: { brisk: BRISK, soaking, other: BRISK },
    catalog: { environments: { nowhere } },
    // A channel whose secret is not there: nothing of what follows may depend on it.
    env: { WINDLASS_SLACK_URL: undefined },
  });
}, 120_000);
afterAll(() => acceptance?.close());

/** It ended as failed at once, with a named type and words that help, and no workflow task failed on the way. */
async function expectRefusal(procedure: RunningProcedure, type: string, message: RegExp): Promise<void> {
  expect(await procedure.ending()).toMatchObject({ ok: false, type, message: expect.stringMatching(message) });
  expect(await procedure.failedWorkflowTasks()).toBe(0);
}

/** Runs something that must leave the cluster exactly as it was. */
async function expectUntouched(stage: Stage, run: () => Promise<unknown>): Promise<void> {
  const before = await stage.namespace.versions();
  await run();
  expect(await stage.namespace.versions()).toEqual(before);
  expect(await stage.changes()).toEqual([]);
}

test.concurrent(
  'names every fault of an input that was typed by hand, under any workflow id, and changes nothing',
  () =>
    acceptance.stage({ service: 'brisk' }, async (stage) => {
      const good = stage.input();
      const cases: [string, unknown, RegExp][] = [
        ['UnknownSystem', { ...good, system: 'agent-sistem' }, /agent-sistem.*agent-system/],
        ['UnknownEnvironment', { ...good, environment: 'staging' }, /staging/],
        ['UnknownService', { ...good, service: 'briks' }, /briks.*brisk/],
        ['InvalidInput', { ...good, image: 'Not An Image' }, /image: expected an image reference such as/],
        ['InvalidInput', { ...good, image: 'registry.example.com/app:latest' }, /image: latest names no release/],
        ['InvalidInput', { ...good, planOnly: 'yes', requestedBy: 7 }, /requestedBy: .*planOnly: .*boolean/],
        ['InvalidInput', { ...good, colour: 'green' }, /"colour".*A valid input: \{"system"/],
        ['InvalidInput', {}, /system: .*environment: .*service: .*image: .*requestedBy: /],
        ['InvalidInput', 'v2', /expected object/],
        ['InvalidInput', undefined, /expected object/],
      ];
      await expectUntouched(stage, () =>
        Promise.all(
          cases.map(async ([type, input, message]) =>
            expectRefusal(await stage.start('deployRelease', input), type, message),
          ),
        ),
      );
      const rollback = { ...good, mode: 'hasty', reason: '' };
      await expectRefusal(await stage.start('rollBackRelease', rollback), 'InvalidInput', /mode: .*reason: .*image/);
    }),
  180_000,
);

test.concurrent(
  'answers a decision that comes with the start itself; the release goes on, and a channel without its secret is named',
  () =>
    acceptance.stage({ service: 'brisk' }, async (stage) => {
      const { client, taskQueue } = acceptance;
      const start = new WithStartWorkflowOperation('deployRelease', {
        workflowId: `Please release this! ${taskQueue}`,
        taskQueue,
        args: [stage.input()],
        workflowIdConflictPolicy: 'FAIL',
      });
      const early: Decision = {
        gate: 'security',
        decision: 'approve',
        by: 'security-team@agents.example.com',
        code: '?',
      };
      const answer = await client.workflow.executeUpdateWithStart('decide', {
        args: [early],
        startWorkflowOperation: start,
      });
      expect(answer).toMatchObject({ code: 'unknown-gate' });

      const { workflowId } = await start.workflowHandle();
      const release = stage.get(workflowId);
      await release.approveAll();
      expect(await release.ending()).toMatchObject({ ok: true, result: { outcome: 'released' } });
      const { timeline } = await release.progress();
      expect(timeline.map(({ text }) => text)).toContainEqual(
        expect.stringMatching(/notice not delivered to slack: .*WINDLASS_SLACK_URL/),
      );
      expect(await release.failedWorkflowTasks()).toBe(0);
      expect(await stage.served()).toBe('v2');
    }),
  180_000,
);

test.concurrent(
  'says before it starts anything that an input is larger than a server takes',
  async () => {
    const place = ['agent-system', 'nowhere', 'brisk', imageOf('v2')];
    // A single argument has a limit of its own, below that of the input.
    const long = ['--reason', 'r'.repeat(100_000), '--release', 'v'.repeat(100_000)];
    const { code, json } = await acceptance.cli('kim', 'deploy', ...place, ...long);
    expect({ code, json }).toMatchObject({
      code: 2,
      json: { error: { code: 'input-too-large', message: expect.stringMatching(/\d+ bytes; at most 131072/) } },
    });
  },
  60_000,
);

test.concurrent(
  'refuses a second deployment by the name of the first, or queues it behind that when asked to',
  () =>
    acceptance.stage({ service: 'brisk' }, async (stage) => {
      const first = await stage.deploy('v2');
      await first.untilGatesOpen();
      await expectUntouched(stage, async () => {
        const same = await acceptance.cli('kim', 'deploy', ...stage.place, imageOf('v2'));
        expect(same).toMatchObject({ code: 1, json: { error: { code: 'already-running' } } });
        const second = await stage.deploy('v10');
        await expectRefusal(second, 'LeaseUnavailable', new RegExp(`reserved by ${first.id} .*asked by kim`));
      });

      const queued = await stage.deploy('v10', '--queue');
      const waiting = await queued.until('its place in the queue', ({ lines }) =>
        lines.some((line) => line.includes('queue')),
      );
      expect(waiting.lines.join()).toMatch(new RegExp(`number 1 in the queue behind deployRelease .*${first.id}`));
      await first.decide({ gate: 'security', decision: 'reject', reason: 'v10 instead' });
      expect(await first.ending()).toMatchObject({ ok: false, type: 'GateNotApproved' });
      await queued.approveAll();
      expect(await queued.ending()).toMatchObject({ ok: true, result: { outcome: 'released', version: 'v10' } });
      expect(await stage.served()).toBe('v10');
    }),
  180_000,
);

test.concurrent(
  'ends by name where the worker may do nothing, where the namespace is missing and where the Service is',
  () =>
    acceptance.stage({ service: 'brisk', bound: false }, async (stage) => {
      await expectUntouched(stage, async () => {
        await expectRefusal(await stage.deploy('v2'), 'Forbidden', new RegExp(`forbid.*${stage.environment}`, 'is'));
        const inNowhere = { ...stage.input(), environment: 'nowhere' };
        // Who has no permission in a namespace is not told that it does not exist.
        await expectRefusal(await stage.start('deployRelease', inNowhere), 'Forbidden', /acc-nowhere/);
      });
      await acceptance.stage({ service: 'brisk' }, async (bound) => {
        const other = { ...bound.input(), service: 'other' };
        await expectUntouched(bound, async () =>
          expectRefusal(await bound.start('deployRelease', other), 'NotFound', /other-service/),
        );
      });
    }),
  180_000,
);

test.concurrent(
  'asks a person when somebody else moves the traffic during the soak, and takes everything back when told to',
  () =>
    acceptance.stage({ service: 'soaking' }, async (stage) => {
      const release = await stage.deployApproved('v2');
      const { escape } = await release.until('the soak', ({ phase }) => phase === 'soaking');
      // The way back by hand that every status shows, as an operator would use it.
      const [, patch] = /-p '(.+)'$/.exec(escape!) ?? [];
      await stage.namespace.kubectl('patch', 'service', 'soaking-service', '--type', 'json', '-p', patch!);
      await release.until('the question', ({ step }) =>
        /soak ended Interfered: Service soaking-service selects/.test(step),
      );
      const [gate] = await release.untilGatesOpen();
      expect(gate).toMatchObject({
        name: 'interference',
        asks: expect.stringMatching(/keep v2, reject to go back to v1/),
      });

      expect(await release.decide({ gate: 'interference', decision: 'reject' })).toMatchObject({ code: 'recorded' });
      await expectRefusal(release, 'GateNotApproved', /interference was rejected.*taken back/);
      expect(Object.keys(await stage.deployments())).toEqual(['agent-system']);
      expect((await stage.service()).spec!['selector']).toEqual({ app: 'agent-system' });
      expect(await stage.served()).toBe('v1');
    }),
  180_000,
);

test.concurrent(
  'gives green an autoscaler of its own at the size that blue has now, and keeps blue at that size',
  () =>
    acceptance.stage({ service: 'soaking', replicas: 2 }, async (stage) => {
      await stage.namespace.create(autoscaler(stage.environment));
      const release = await stage.deployApproved('v2');
      await release.until('the soak', ({ phase }) => phase === 'soaking');
      expect((await stage.service()).metadata!.annotations).toMatchObject({
        'windlass.dev/adopted-selector': '{"app":"agent-system"}',
      });
      const scalers = await stage.namespace.list('HorizontalPodAutoscaler');
      const facts = scalers.map(({ metadata, spec }) => [
        metadata!.name,
        spec!['scaleTargetRef'].name,
        spec!['minReplicas'],
        metadata!.annotations?.['windlass.dev/hpa-minimum'],
      ]);
      expect(facts.sort()).toEqual([
        ['agent-system', 'agent-system', 2, '1'],
        ['agent-system-green', 'agent-system-green', 2, '1'],
      ]);
      expect(await stage.deployments()).toMatchObject({ 'agent-system-green': { ready: 2 } });

      await release.handle.signal('abort', { by: 'kim', reason: 'seen enough' });
      await expectRefusal(release, 'Aborted', /seen enough/);
      const [left, ...others] = await stage.namespace.list('HorizontalPodAutoscaler');
      expect(others).toEqual([]);
      expect(left).toMatchObject({ metadata: { name: 'agent-system' }, spec: { minReplicas: 1 } });
    }),
  180_000,
);

const autoscaler = (namespace: string): object => ({
  apiVersion: 'autoscaling/v2',
  kind: 'HorizontalPodAutoscaler',
  metadata: { name: 'agent-system', namespace },
  spec: {
    minReplicas: 1,
    maxReplicas: 3,
    scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'agent-system' },
    // Out of reach: how busy the machine is must not matter.
    metrics: [
      { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 5000 } } },
    ],
  },
});
