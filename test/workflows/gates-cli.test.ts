import { waitFor } from '../../scripts/sandbox/wait.ts';
import type { GateSpec, GateView } from '../../src/contracts/gates.ts';
import type { Person } from '../../src/domain/gate-rights.ts';
import { windlass, type CliCall } from '../support/cli.ts';
import { startLocalServer, type TestTemporal } from '../support/temporal.ts';
import type { GatedInput, GatedResult } from '../support/workflows/gated.ts';

// What people type about gates, against a real server; the procedure does nothing but pass gates.
let temporal: TestTemporal;
const notices: string[] = [];
beforeAll(async () => {
  temporal = await startLocalServer({
    workflows: 'test/support/workflows/gated.ts',
    activities: () => ({
      notify: async ({ text }: { text: string }) => {
        notices.push(text);
        return { delivered: [], failed: [] };
      },
      loadEnvironment: async () => ({ digest: 'sha256:catalog', people: PEOPLE }),
    }),
  });
}, 120_000);
afterAll(() => temporal?.stop());

const PEOPLE: Person[] = [
  { name: 'ana', roles: ['lead'], delegates: [{ to: 'dan', roles: ['lead'], until: '2090-01-01T00:00:00Z' }] },
  { name: 'bea', roles: ['lead'] },
  { name: 'dan', roles: ['dev'] },
  { name: 'kim', roles: ['on-call'] },
];
const SPEC: GateSpec = {
  ...{ name: 'lead', kind: 'approval', asks: 'Go?', roles: ['lead'], quorum: 2, fourEyes: true },
  expiresAfterMs: 3_600_000,
  comment: 'required',
  form: {
    properties: {
      ticket: { type: 'string', description: 'Number of the change', minLength: 1, maxLength: 8 },
      users: { type: 'integer', minimum: 0 },
    },
    required: ['ticket'],
  },
  breakGlass: { roles: ['on-call'], notify: ['ops'], reviewWithinMs: 3_600_000 },
};

let last = 0;
/** A procedure at its gate. */
async function start(): Promise<{ id: string; result: () => Promise<GatedResult> }> {
  const id = `gated-${++last}`;
  const input: GatedInput = { rounds: [[SPEC]], people: PEOPLE, requestedBy: 'kim', digest: 'sha256:plan' };
  const { client, taskQueue } = temporal;
  const handle = await client.workflow.start('gated', { taskQueue, workflowId: id, args: [input] });
  while ((await handle.query<unknown[]>('gates')).length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  return { id, result: () => handle.result() as Promise<GatedResult> };
}
const cli = (args: string[], call: CliCall = {}) =>
  windlass(args, { env: { TEMPORAL_ADDRESS: temporal.env.address, WINDLASS_TASK_QUEUE: temporal.taskQueue }, ...call });

test('what a gate needs is shown, asked for, and given', async () => {
  const { id, result } = await start();
  const bare = await cli(['approve', id, '--as', 'ana']);
  expect(bare.out).toMatch(
    /decides: +2 of lead\nexpires: .*; silence is a no\ncomment: +needed[^]*fill in: +--field ticket=… {2}text, needed: Number of the change\n +--field users=… {2}integer\nemergency: +on-call may pass it alone/,
  );
  expect(bare.err).toContain('Not counted (comment-required)');
  expect(bare.err).toContain(`windlass approve ${id} lead --comment "…"`);

  const unfilled = await cli(['approve', id, '--as', 'ana', '--comment', 'read it']);
  expect(unfilled.err).toContain('Not counted (invalid-fields): Gate lead: ticket is missing (Number of the change).');
  expect(unfilled.err).toContain(`windlass approve ${id} lead --field ticket=…`);

  const filled = ['--comment', 'read it', '--field', 'ticket=C-1', '--field', 'users=40'];
  expect(await cli(['approve', id, '--as', 'ana', ...filled])).toMatchObject({
    code: 0,
    out: expect.stringContaining('Gate lead: 1 of 2 approvals.'),
  });
  expect((await cli(['status', id])).out).toContain(
    'gate lead: waiting (1 of 2) (ana: read it (ticket: C-1, users: 40))',
  );
  expect((await cli(['approve', id, '--as', 'dan', ...filled])).out).toContain('Gate lead is approved');
  expect(await result()).toMatchObject({ outcome: 'approved', message: 'lead: ana, dan for ana' });
});

test('an approval is taken back, then the requester withdraws all of it', async () => {
  const { id, result } = await start();
  await cli(['approve', id, '--as', 'ana', '--comment', 'read it', '--field', 'ticket=C-1']);
  expect((await cli(['retract', id, '--as', 'ana', '--reason', 'saw the logs'])).out).toContain('0 of 2 approvals');
  expect((await cli(['withdraw', id, '--as', 'ana'])).err).toContain('Not counted (not-requester)');
  expect((await cli(['withdraw', id, '--as', 'kim', '--reason', 'wrong image'])).out).toContain('withdrawn');
  expect(await result()).toMatchObject({
    outcome: 'withdrawn',
    message: 'Gate lead was withdrawn by kim: wrong image.',
  });
});

test('breaking the glass needs a reason and a yes, and is shown ever after', async () => {
  const { id, result } = await start();
  const glass = ['approve', id, '--as', 'kim', '--break-glass'];
  expect(await cli(glass)).toMatchObject({ code: 2, err: expect.stringContaining('needs --reason with at least 10') });
  const why = ['--reason', 'checkout is down'];
  const terminal = { columns: 80, rows: 24 };
  const declined = await cli([...glass, ...why], { terminal, answer: 'n' });
  expect(declined).toMatchObject({ code: 1, err: expect.stringContaining('Nothing was sent.') });
  expect(await cli([...glass, ...why, '--yes'])).toMatchObject({ code: 0 });
  expect(await result()).toMatchObject({ outcome: 'approved' });
  const { out } = await cli(['status', id]);
  expect(out).toContain('emergency:  gate lead was passed alone by kim: checkout is down');
  // The list is the server's visibility, which comes a moment after what it lists.
  const listed = async () => /review-break-glass\/\S+/.exec((await cli(['list'])).out)?.[0] ?? false;
  const review = await waitFor('the review in the list', listed, { timeoutSeconds: 10 });
  expect((await cli(['status', review])).out).toMatch(/waits for: +lead, on-call[^]*gate break-glass-review: waiting/);
  expect((await cli(['show', id])).out).toContain('checkout is down');
});

test('workers that die between decisions lose none, tell nobody twice and open one review', async () => {
  const { id, result } = await start();
  const filled = ['--comment', 'read it', '--field', 'ticket=C-1'];
  const commands = [
    ['approve', id, '--as', 'ana', ...filled],
    ['retract', id, '--as', 'ana'],
    ['approve', id, '--as', 'bea', ...filled],
    ['approve', id, '--as', 'kim', '--break-glass', '--reason', 'checkout is down', '--yes'],
  ];
  for (const command of commands) {
    expect((await cli(command)).code).toBe(0);
    await temporal.restartWorker();
  }
  expect(await result()).toMatchObject({ outcome: 'approved' });
  const handle = temporal.client.workflow.getHandle(id);
  const [gate] = await handle.query<GateView[]>('gates');
  const recorded = gate!.decisions!.map(({ by, decision, breakGlass }) => [by, decision, breakGlass === true]);
  expect(recorded).toEqual([
    ['ana', 'approve', false],
    ['ana', 'retract', false],
    ['bea', 'approve', false],
    ['kim', 'approve', true],
  ]);
  expect(notices.filter((text) => text.includes(`It is ${id};`))).toHaveLength(1);
  const { events = [] } = await handle.fetchHistory();
  expect(events!.filter((event) => event.startChildWorkflowExecutionInitiatedEventAttributes)).toHaveLength(1);
  expect(events!.filter((event) => event.workflowTaskFailedEventAttributes)).toEqual([]);
});

test.each([
  [['approve', 'x', '--comment', 'a', '--reason', 'b'], '--reason and --comment are the same'],
  [['approve', 'x', '--field', 'ticket'], 'expected NAME=VALUE'],
  [['reject', 'x'], "required option '--reason <text>'"],
  [['withdraw', 'x', '--signal'], 'A decision by signal names the gate and its code.'],
])('%j is a fault of the command line', async (args, message) => {
  expect(await cli(args)).toMatchObject({ code: 2, err: expect.stringContaining(message) });
});

test('a decision may be left as a signal, with its fields', async () => {
  const { id, result } = await start();
  const [gate] = await temporal.client.workflow.getHandle(id).query<{ code: string }[]>('gates');
  const signal = ['lead', '--signal', '--code', gate!.code, '--comment', 'read it', '--field', 'ticket=C-1'];
  for (const by of ['ana', 'bea']) expect((await cli(['approve', id, ...signal, '--as', by])).code).toBe(0);
  expect(await result()).toMatchObject({ outcome: 'approved', message: 'lead: ana, bea' });
});
