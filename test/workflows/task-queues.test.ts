import { Worker } from '@temporalio/worker';
import { capabilityOf, type Capability, type TaskQueues } from '../../src/domain/capabilities.ts';
import { RETRY_PROFILES, worstCaseMs } from '../../src/domain/retry-profiles.ts';
import { windlass } from '../support/cli.ts';
import { slice } from '../support/live.ts';
import { standIn, standInActivities } from '../support/stand-in-activities.ts';
import { startLocalServer, startTimeSkipping, type TestTemporal } from '../support/temporal.ts';

// Which task queue an activity goes to, by capability, as the slice of the catalog says.
const INPUT = {
  system: 'test',
  environment: 'local',
  service: 'shop',
  image: 'registry.example.com/shop:v2',
  requestedBy: 'kim',
};
const HOUR = 3_600_000;

let temporal: TestTemporal;
let stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  await Promise.all(stops.map((stop) => stop()));
  stops = [];
  await temporal.stop();
});

type Activities = ReturnType<typeof standInActivities>;

/** The stand-ins that worker has: of some capabilities, or of all but some. */
const only = (all: Activities, capability: Capability): Activities =>
  Object.fromEntries(Object.entries(all).filter(([name]) => (capabilityOf(name) ?? 'core') === capability));

async function serve(taskQueue: string, activities: Activities): Promise<void> {
  const worker = await Worker.create({
    connection: temporal.env.nativeConnection,
    namespace: temporal.env.namespace ?? 'default',
    taskQueue,
    activities,
  });
  const running = worker.run();
  stops.push(async () => {
    worker.shutdown();
    await running;
  });
}

async function scheduledIn(workflowId: string) {
  const { events } = await temporal.client.workflow.getHandle(workflowId).fetchHistory();
  return (events ?? []).flatMap(({ activityTaskScheduledEventAttributes: scheduled }) => scheduled ?? []);
}

/** Where each type of activity was sent. */
async function sentTo(workflowId: string): Promise<Record<string, string[]>> {
  const sent: Record<string, Set<string>> = {};
  for (const scheduled of await scheduledIn(workflowId))
    (sent[scheduled.activityType!.name!] ??= new Set()).add(scheduled.taskQueue!.name!);
  return Object.fromEntries(Object.entries(sent).map(([name, queues]) => [name, [...queues]]));
}

const routedSlice = (taskQueues: TaskQueues) => {
  const routed = { ...slice(), taskQueues };
  routed.policies.deployRelease.gates = [];
  routed.policies.deployRelease.notify = ['slack'];
  return routed;
};

async function ended(workflowId: string): Promise<unknown> {
  const handle = temporal.client.workflow.getHandle(workflowId);
  while ((await handle.describe()).status.name === 'RUNNING') await temporal.env.sleep(HOUR / 4);
  return handle.result();
}

test('the activities of a capability go to its queue, the others stay on that of the workflow', async () => {
  const world = standIn({ slice: routedSlice({ deploy: 'prod-deploy', notify: 'prod-notify' }) });
  const all = standInActivities(world);
  temporal = await startTimeSkipping({ activities: () => only(all, 'core') });
  await serve('prod-deploy', only(all, 'deploy'));
  await serve('prod-notify', only(all, 'notify'));
  const { client, taskQueue } = temporal;
  await client.workflow.start('deployRelease', { taskQueue, workflowId: 'release', args: [INPUT] });
  expect(await ended('release')).toMatchObject({ outcome: 'released' });

  const sent = await sentTo('release');
  expect(sent).toMatchObject({
    loadSlice: [taskQueue],
    acquireLease: [taskQueue],
    draftRelease: ['prod-deploy'],
    switchTraffic: ['prod-deploy'],
    notify: ['prod-notify'],
  });
  const queueOfEach = { core: taskQueue, deploy: 'prod-deploy', notify: 'prod-notify' };
  for (const [name, queues] of Object.entries(sent))
    expect([name, queues]).toEqual([name, [queueOfEach[capabilityOf(name) as 'core']]]);

  // A notice that nobody would carry is given up as soon as one that is tried in vain: a procedure waits for it at its end.
  const notices = (await scheduledIn('release')).filter(({ activityType }) => activityType?.name === 'notify');
  for (const { scheduleToCloseTimeout } of notices)
    expect(Number(scheduleToCloseTimeout?.seconds)).toBe(Math.floor(worstCaseMs(RETRY_PROFILES.notice) / 1000));
});

test('executions in one worker keep the queues of their own catalog', async () => {
  const all = standInActivities(standIn());
  const loadSlice = async ({ service }: { service: string }) =>
    service === 'plain' ? slice() : routedSlice({ deploy: `deploy-${service}` });
  temporal = await startLocalServer({ activities: () => ({ ...all, loadSlice }) });
  await serve('deploy-a', only(all, 'deploy'));
  await serve('deploy-b', only(all, 'deploy'));
  const { client, taskQueue } = temporal;
  const places = ['a', 'b', 'plain', 'a', 'plain', 'b'].map((service, index) => ({ service, id: `plan-${index}` }));
  await Promise.all(
    places.map(({ service, id }) =>
      client.workflow.execute('deployRelease', {
        taskQueue,
        workflowId: id,
        args: [{ ...INPUT, service, planOnly: true }],
      }),
    ),
  );
  for (const { service, id } of places)
    expect((await sentTo(id))['draftRelease']).toEqual([service === 'plain' ? taskQueue : `deploy-${service}`]);
});

test('why says that the worker of a queue has other capabilities', async () => {
  const all = standInActivities(standIn({ slice: routedSlice({ deploy: 'prod-deploy' }) }));
  temporal = await startLocalServer({ activities: () => all });
  await serve('prod-deploy', only(all, 'notify'));
  const { client, taskQueue } = temporal;
  const handle = await client.workflow.start('deployRelease', { taskQueue, workflowId: 'release', args: [INPUT] });
  const failedOnce = async () =>
    (await handle.describe()).raw.pendingActivities?.some(({ lastFailure }) => lastFailure);
  while (!(await failedOnce())) await new Promise((resolve) => setTimeout(resolve, 20));
  const env = { TEMPORAL_ADDRESS: temporal.env.address, WINDLASS_TASK_QUEUE: taskQueue };
  expect((await windlass(['why', 'release'], { env })).out).toContain(
    'The worker that took draftRelease does not carry out deploy.',
  );
});

test('status, why and plan name the queue that nobody polls, and what to start', async () => {
  const world = standIn({ slice: routedSlice({ deploy: 'prod-deploy' }) });
  temporal = await startLocalServer({ activities: () => standInActivities(world) });
  const { client, taskQueue } = temporal;
  const env = { TEMPORAL_ADDRESS: temporal.env.address, WINDLASS_TASK_QUEUE: taskQueue };
  const handle = await client.workflow.start('deployRelease', { taskQueue, workflowId: 'release', args: [INPUT] });
  while (
    !(await handle.describe()).raw.pendingActivities?.some(({ activityType }) => activityType?.name === 'draftRelease')
  )
    await new Promise((resolve) => setTimeout(resolve, 20));

  const told =
    'No worker polls task queue prod-deploy, where draftRelease waits. ' +
    'Start one: WINDLASS_TASK_QUEUE=prod-deploy WINDLASS_CAPABILITIES=deploy';
  expect((await windlass(['status', 'release'], { env })).out).toContain(told);
  expect((await windlass(['why', 'release'], { env })).out).toContain(
    `${told}\nThe procedure goes on by itself where it stopped.`,
  );
  const plan = ['plan', 'deploy', 'test', 'local', 'shop', '--image', INPUT.image, '--timeout', '2'];
  const planned = await windlass(plan, { env });
  expect(planned.code).not.toBe(0);
  expect(planned.err).toContain(told);
});
