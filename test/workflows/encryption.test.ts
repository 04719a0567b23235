import { randomBytes } from 'node:crypto';
import { Client } from '@temporalio/client';
import { join } from 'node:path';
import { ApplicationFailure } from '@temporalio/common';
import { waitFor } from '../../scripts/sandbox/wait.ts';
import { failureOf } from '../support/workflow-failure.ts';
import { keyIdOf } from '../../src/adapters/temporal/payload-codec.ts';
import { windlass, type CliResult } from '../support/cli.ts';
import { runbookActivities, worldOf, type RunbookWorld } from '../support/runbook.ts';
import { findSecrets } from '../support/secret-scanner.ts';
import { startLocalServer, type KeysEnvironment, type TestTemporal } from '../support/temporal.ts';

// On a real server, with the CLI as people use it. What the server knows is read by a client that has no keys.
const KEYS = { KEY_A: randomBytes(32).toString('base64'), KEY_B: randomBytes(32).toString('hex') };
const A: KeysEnvironment = { ...KEYS, WINDLASS_PAYLOAD_KEYS: 'a=env:KEY_A' };
const B_THEN_A: KeysEnvironment = { ...KEYS, WINDLASS_PAYLOAD_KEYS: 'b=env:KEY_B,a=env:KEY_A' };
const B: KeysEnvironment = { ...KEYS, WINDLASS_PAYLOAD_KEYS: 'b=env:KEY_B' };

/** All may read what is encrypted, before anybody encrypts. */
const PLAIN: KeysEnvironment = { ...KEYS, WINDLASS_PAYLOAD_KEYS: 'plain,a=env:KEY_A' };

const canary = (where: string): string => `canary-${where}-${randomBytes(6).toString('hex')}`;
const CANARIES = {
  input: canary('input'),
  asks: canary('asks'),
  decision: canary('decision'),
  signal: canary('signal'),
  message: canary('message'),
  stack: canary('stack'),
  cause: canary('cause'),
  details: canary('details'),
  // In the memo, too.
  person: canary('person'),
};
/** What the command line shows of them; stacks and details are for programmers. */
const SHOWN = Object.keys(CANARIES)
  .filter((name) => name !== 'stack' && name !== 'details')
  .sort();

const ID = 'runbook/test/local/main';
const RUNBOOK = `
main:
  description: Says something and sets a
  parameters: { text: { type: string, description: what is said } }
  steps:
    - { name: say, action: note, with: { key: '\${parameters.text}' } }
    - gate: { name: lead, asks: 'Shall it go out? ${CANARIES.asks}', roles: [lead] }
    - { name: setA, action: look, with: { key: a } }
`;

let temporal: TestTemporal;
let world: RunbookWorld;
afterEach(() => temporal?.stop());

async function serve(keys: KeysEnvironment): Promise<void> {
  world = worldOf(RUNBOOK);
  const activities = runbookActivities(world);
  temporal = await startLocalServer({ activities: () => activities, keys });
}

function failing(type: string): Error {
  const cause = new Error(CANARIES.cause);
  const error = ApplicationFailure.create({
    ...{ type, message: CANARIES.message, nonRetryable: type !== 'Unavailable', cause },
    details: [{ of: CANARIES.details }],
  });
  error.stack = `Error\n    at ${CANARIES.stack} (file.ts:1:1)`;
  return error;
}

const cli = (keys: KeysEnvironment, ...args: string[]): Promise<CliResult> =>
  windlass([...args, '--json', '--as', args[0] === 'run' ? CANARIES.person : 'ana'], {
    env: {
      ...keys,
      TEMPORAL_ADDRESS: temporal.env.address,
      TEMPORAL_NAMESPACE: temporal.client.options.namespace,
      WINDLASS_TASK_QUEUE: temporal.taskQueue,
    },
  });

async function tell(keys: KeysEnvironment, ...args: string[]) {
  const { code, out } = await cli(keys, ...args);
  if (code !== 0) throw new Error(`windlass ${args.join(' ')} ended with ${code}: ${out}`);
  return JSON.parse(out);
}

const begin = (keys: KeysEnvironment) =>
  tell(keys, 'run', 'test', 'local', 'main', '--parameter', `text=${CANARIES.input}`, '--on-failure', 'fail');

const untilGateOpens = (keys: KeysEnvironment) =>
  waitFor('the gate', async () => (await tell(keys, 'status', ID)).gates?.[0]?.outcome === 'waiting', {
    timeoutSeconds: 30,
  });

/** A run from its start to its failure, with a canary wherever people or programs write. @returns all that people read */
async function failInEveryWay(keys: KeysEnvironment): Promise<string> {
  world.failures['look a'] = [...Array.from({ length: 2 }, () => failing('Unavailable')), failing('ChecksFailed')];
  const read: unknown[] = [await begin(keys)];
  await untilGateOpens(keys);
  read.push(await tell(keys, 'status'), await tell(keys, 'status', ID));
  await tell(keys, 'hold', ID, '--reason', CANARIES.signal);
  await tell(keys, 'resume', ID);
  await tell(keys, 'approve', ID, 'lead', '--reason', CANARIES.decision);
  const why = await waitFor(
    'an attempt that failed',
    async () => {
      const { activities } = await tell(keys, 'why', ID);
      return activities[0]?.lastFailure as string | undefined;
    },
    { timeoutSeconds: 30 },
  );
  expect(why).toBe(`Unavailable: ${CANARIES.message} (${CANARIES.cause})`);
  const failure = await failureOf(temporal.client.workflow.getHandle(ID).result());
  expect(failure).toEqual({ type: 'ChecksFailed', message: expect.stringContaining(CANARIES.message) });
  read.push(await tell(keys, 'show', ID), await tell(keys, 'why', ID), await tell(keys, 'list', '--all'));
  return JSON.stringify(read);
}

/** All that the server tells of every run, as its JSON. */
async function rawRecords(): Promise<string> {
  const { connection } = temporal.env;
  const { namespace } = temporal.client.options;
  const keyless = new Client({ connection, namespace });
  const { executions } = await connection.workflowService.listWorkflowExecutions({ namespace });
  const records = executions.map(async ({ execution }) => {
    const { workflowId, runId } = execution!;
    return [
      await keyless.workflow.getHandle(workflowId!, runId!).fetchHistory(),
      await connection.workflowService.describeWorkflowExecution({ namespace, execution: execution! }),
    ];
  });
  return JSON.stringify([executions, await Promise.all(records)]);
}

const found = async (text: string | Promise<string>): Promise<string[]> =>
  [...new Set(findSecrets(await text, CANARIES).map(({ secret }) => secret))].sort();

test('without keys, all that was written is in the records of the server', async () => {
  await serve({});
  const read = await failInEveryWay({});
  expect(await found(rawRecords())).toEqual(Object.keys(CANARIES).sort());
  expect(await found(read)).toEqual(SHOWN);
}, 60_000);

test('with keys nothing of it is there, and people read the same', async () => {
  await serve(A);
  const read = await failInEveryWay(A);
  const records = await rawRecords();
  // What is in plain text: that it was searched is shown by what is found.
  const control = findSecrets(records, { id: ID, encoding: 'binary/encrypted' });
  expect(control).toEqual(expect.arrayContaining([{ secret: 'id', wrapped: '' }, { secret: 'encoding', wrapped: 'base64' }])); // prettier-ignore
  expect(await found(records)).toEqual([]);
  expect(await found(read)).toEqual(SHOWN);
}, 60_000);

test('a command line without the key says which one it needs', async () => {
  await serve(A);
  await begin(A);
  await untilGateOpens(A);
  const message = 'A payload was encrypted with key "a", and WINDLASS_PAYLOAD_KEYS';
  for (const args of [['status'], ['status', ID], ['show', ID], ['why', ID], ['list'], ['approve', ID, 'lead']])
    expect(await refused({}, ...args)).toEqual(`${message} is not set.`);
  expect(await refused(B, 'show', ID)).toEqual(`${message} has b: add that key at its end.`);
  expect(await refused({ WINDLASS_PAYLOAD_KEYS: 'a=env:KEY_A' }, 'status')).toMatch(/^Secret env:KEY_A: .*not set/);
}, 60_000);

async function refused(keys: KeysEnvironment, ...args: string[]): Promise<string> {
  const { code, out } = await cli(keys, ...args);
  const { error } = JSON.parse(out);
  expect([code, error.code, error.hint]).toEqual([1, 'configuration-invalid', expect.stringContaining('WINDLASS_PAYLOAD_KEYS')]); // prettier-ignore
  return error.message as string;
}

/** Ids of the keys that payloads of the newest run are encrypted with. */
async function keyIds(): Promise<string[]> {
  const history = JSON.stringify(await temporal.client.workflow.getHandle(ID).fetchHistory());
  const ids = history.matchAll(/"encryption-key-id":"([^"]+)"/g);
  return [...new Set(Array.from(ids, ([, id]) => Buffer.from(id!, 'base64').toString()))].sort();
}

test('keys are rotated under an open workflow; a worker that lacks its key leaves it open and says so', async () => {
  await serve(A);
  await begin(A);
  await untilGateOpens(A);

  await temporal.restartWorker(B);
  const handle = temporal.client.workflow.getHandle(ID);
  // Something for the worker to do: it cannot read what it would need for it.
  await tell(A, 'hold', ID);
  const fault = await waitFor('the fault', async () => (await tell(B_THEN_A, 'why', ID)).task?.failure as string, {
    timeoutSeconds: 30,
  });
  expect(fault).toBe('WrongKey: a payload was encrypted with key "a", and WINDLASS_PAYLOAD_KEYS has b: add that key at its end'); // prettier-ignore
  expect((await handle.describe()).status.name).toBe('RUNNING');

  await temporal.restartWorker(B_THEN_A);
  await tell(B_THEN_A, 'resume', ID);
  // The server waits longer after each task that failed.
  await waitFor('the worker', async () => (await tell(B_THEN_A, 'status', ID)).worker === 'answered', { timeoutSeconds: 60 }); // prettier-ignore
  await tell(B_THEN_A, 'approve', ID, 'lead');
  await waitFor('its end', async () => (await tell(B_THEN_A, 'status', ID)).ending, { timeoutSeconds: 30 });
  const { run, story } = await tell(B_THEN_A, 'show', ID);
  expect(run.status).toBe('completed');
  expect(story.input.parameters).toEqual({ text: CANARIES.input });
  const records = await rawRecords();
  expect(await found(records)).toEqual([]);
  expect(await keyIds()).toEqual(['a', 'b']);
}, 120_000);

test('Schedules are encrypted too, and written again with a new key', async () => {
  await serve(A);
  const catalog = ['--catalog', join(import.meta.dirname, '../../systems')];
  const verbs = async (keys: KeysEnvironment, verb: string): Promise<string[]> => {
    const { schedules } = await tell(keys, 'schedules', verb, ...catalog);
    return [...new Set((schedules as { verb: string }[]).map((step) => step.verb))];
  };
  const keyIdsOfSchedules = async (): Promise<string[]> => {
    const ids: string[] = [];
    for await (const { scheduleId } of temporal.client.schedule.list()) {
      const { schedule } = await temporal.env.connection.workflowService.describeSchedule({
        namespace: temporal.client.options.namespace,
        scheduleId,
      });
      const { input, memo, userMetadata } = schedule!.action!.startWorkflow!;
      for (const payload of [...input!.payloads!, ...Object.values(memo!.fields!), userMetadata!.summary!])
        ids.push(keyIdOf(payload));
    }
    return [...new Set(ids)];
  };
  expect([await verbs({}, 'apply'), await keyIdsOfSchedules()]).toEqual([['create'], ['']]);
  expect([await verbs(A, 'apply'), await keyIdsOfSchedules()]).toEqual([['update'], ['a']]);
  expect(await verbs(A, 'plan')).toEqual(['keep']);
  expect(await verbs(B_THEN_A, 'apply')).toEqual(['update']);
  expect([await verbs(B, 'plan'), await keyIdsOfSchedules()]).toEqual([['keep'], ['b']]);
}, 60_000);

test('a step that a worker cannot read is tried again, until one with the key takes it', async () => {
  await serve(A);
  world.failures['look a'] = [failing('Unavailable'), failing('Unavailable')];
  await begin(A);
  await untilGateOpens(A);
  await tell(A, 'approve', ID, 'lead');
  const lastFailure = async (): Promise<string> => (await tell(B_THEN_A, 'why', ID)).activities[0]?.lastFailure ?? '';
  await waitFor('a failed attempt', async () => (await lastFailure()).startsWith('Unavailable'), {
    timeoutSeconds: 30,
  });

  await temporal.restartWorker(B);
  await waitFor('the fault', async () => /^WrongKey: .* key "a"/.test(await lastFailure()), { timeoutSeconds: 30 });
  await temporal.restartWorker(B_THEN_A);
  const { ending } = await waitFor(
    'its end',
    async () => {
      const status = await tell(B_THEN_A, 'status', ID);
      return status.ending ? status : undefined;
    },
    { timeoutSeconds: 60 },
  );
  expect(ending.ok).toBe(true);
}, 120_000);

test('a workflow that was begun in plain text goes on where keys are configured', async () => {
  await serve(PLAIN);
  await begin(PLAIN);
  await untilGateOpens(A);
  expect(await keyIds()).toEqual([]);
  await temporal.restartWorker(A);
  await tell(A, 'approve', ID, 'lead', '--reason', CANARIES.decision);
  await waitFor('its end', async () => (await tell(A, 'status', ID)).run.status === 'completed', {
    timeoutSeconds: 30,
  });
  expect(await found(JSON.stringify(await tell(A, 'show', ID)))).toContain('decision');
  expect(await found(rawRecords())).not.toContain('decision');
}, 60_000);

test('and a worker without keys does not end one that was begun with them', async () => {
  await serve(A);
  await begin(A);
  await untilGateOpens(A);
  await temporal.restartWorker({});
  await tell(A, 'hold', ID);
  const fault = await waitFor('the fault', async () => (await tell(A, 'why', ID)).task?.failure as string, {
    timeoutSeconds: 30,
  });
  expect(fault).toMatch(/^WrongKey: .* key "a", and WINDLASS_PAYLOAD_KEYS is not set$/);
  expect((await temporal.client.workflow.getHandle(ID).describe()).status.name).toBe('RUNNING');
}, 60_000);
