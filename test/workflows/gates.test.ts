import type { WorkflowHandleWithStartDetails } from '@temporalio/client';
import type { DecisionResult, GateSpec, GateView } from '../../src/contracts/gates.ts';
import type { ProgressView } from '../../src/contracts/progress.ts';
import { formOfCriteria } from '../../src/domain/go-no-go.ts';
import { reviewBreakGlass as contract, type ReviewBreakGlassResult } from '../../src/contracts/review-break-glass.ts';
import type { Person } from '../../src/domain/gate-rights.ts';
import { startTimeSkipping, type TestTemporal } from '../support/temporal.ts';
import type { GatedInput, GatedResult } from '../support/workflows/gated.ts';

const HOUR = 3_600_000;
const MINUTE = 60_000;

type Handle = WorkflowHandleWithStartDetails;
interface Notice {
  channels: string[];
  text: string;
}

const people: Person[] = [
  { name: 'ana', roles: ['lead'] },
  { name: 'bea', roles: ['lead'] },
  { name: 'kim', roles: ['on-call'] },
  { name: 'vic', roles: ['vp'] },
];
const spec = (over: Partial<GateSpec> = {}): GateSpec => ({
  ...{ name: 'lead', kind: 'approval', asks: 'Go?', roles: ['lead'], quorum: 1, fourEyes: true },
  expiresAfterMs: HOUR,
  ...over,
});

let temporal: TestTemporal;
let notices: Notice[];
// A server for each test: a review that is left open would keep time from being skipped in the next.
beforeEach(async () => {
  notices = [];
  temporal = await startTimeSkipping({
    workflows: 'test/support/workflows/gated.ts',
    activities: () => ({
      notify: async ({ channels, text }: Notice) => {
        notices.push({ channels, text });
        return { delivered: channels, failed: [] };
      },
      loadEnvironment: async () => ({ digest: 'sha256:catalog', people }),
    }),
  });
});
afterEach(() => temporal.stop());

const start = (over: Partial<GatedInput> & { specs?: GateSpec[] } = {}): Promise<Handle> => {
  const { specs = [spec()], ...rest } = over;
  const input: GatedInput = { rounds: [specs], people, requestedBy: 'kim', digest: 'sha256:plan', ...rest };
  const { client, taskQueue } = temporal;
  return client.workflow.start('gated', { taskQueue, workflowId: 'gated', args: [input] });
};
const gatesOf = (handle: Pick<Handle, 'query'>) => handle.query<GateView[]>('gates');
/** Sends a decision for a gate with the code that is shown. */
const decide = async (
  handle: Pick<Handle, 'query' | 'executeUpdate'>,
  decision: string,
  by: string,
  over: object = {},
): Promise<DecisionResult> => {
  const gate = (await gatesOf(handle)).find(({ outcome }) => outcome === 'waiting') ?? (await gatesOf(handle))[0]!;
  const message = { gate: gate.name, decision, by, code: gate.code, ...over };
  return handle.executeUpdate<DecisionResult, [unknown]>('decide', { args: [message] });
};
const resultOf = (handle: Handle) => handle.result() as Promise<GatedResult>;

test('an approval can be taken back until the quorum is reached', async () => {
  const handle = await start({ specs: [spec({ quorum: 2 })] });
  expect((await decide(handle, 'approve', 'ana')).code).toBe('recorded');
  expect((await decide(handle, 'retract', 'ana', { reason: 'saw the logs' })).gate?.approvals).toEqual([]);
  expect((await decide(handle, 'approve', 'bea')).gate?.outcome).toBe('waiting');
  expect((await decide(handle, 'approve', 'ana')).gate?.outcome).toBe('approved');
  expect(await resultOf(handle)).toMatchObject({ outcome: 'approved', message: 'lead: bea, ana' });
});

test('the requester withdraws: every gate that waits is withdrawn', async () => {
  const handle = await start({ specs: [spec({ name: 'security' }), spec()] });
  expect((await decide(handle, 'withdraw', 'ana')).code).toBe('not-requester');
  await handle.signal('withdraw', { gate: 'lead', by: 'kim', code: (await gatesOf(handle))[1]!.code, reason: 'no' });
  expect(await resultOf(handle)).toMatchObject({
    outcome: 'withdrawn',
    message: 'Gate lead was withdrawn by kim: no.',
  });
  expect((await gatesOf(handle)).map(({ outcome }) => outcome)).toEqual(['withdrawn', 'withdrawn']);
});

test('silence: reminders, then a second period for those above, then the end', async () => {
  const handle = await start({
    specs: [
      spec({
        ...{ onExpiry: 'escalate', escalation: { roles: ['vp'] } },
        ...{ remindEveryMs: 25 * MINUTE, notify: ['leads'] },
      }),
    ],
  });
  await temporal.env.sleep(HOUR + MINUTE);
  const [gate] = await gatesOf(handle);
  expect(gate).toMatchObject({ outcome: 'waiting', roles: ['lead', 'vp'] });
  expect(Date.parse(gate!.expiresAt) - Date.parse(gate!.openedAt)).toBe(2 * HOUR);
  expect((await handle.query<ProgressView>('progress')).awaiting).toEqual(['lead', 'vp']);
  expect(await resultOf(handle)).toMatchObject({
    outcome: 'expired',
    message: expect.stringContaining('nobody of lead or vp decided in time'),
  });
  expect(notices.map(({ text }) => text.replaceAll(/\d{4}-\S+Z/g, 'TIME'))).toEqual([
    'Waiting for lead (lead)',
    'Still waiting for lead (lead, until TIME)',
    'Still waiting for lead (lead, until TIME)',
    'Nobody decided gate lead in time; now lead or vp may decide it, until TIME.',
    'Still waiting for lead (lead or vp, until TIME)',
    'Still waiting for lead (lead or vp, until TIME)',
  ]);
  expect(new Set(notices.map(({ channels }) => channels.join()))).toEqual(new Set(['people,leads']));
});

test('those above may decide in the second period', async () => {
  const handle = await start({ specs: [spec({ onExpiry: 'escalate', escalation: { roles: ['vp'] } })] });
  expect((await decide(handle, 'approve', 'vic')).code).toBe('wrong-role');
  await temporal.env.sleep(HOUR + MINUTE);
  expect((await decide(handle, 'approve', 'vic')).code).toBe('recorded');
  expect(await resultOf(handle)).toMatchObject({ outcome: 'approved', message: 'lead: vic' });
});

test('silence lets a harmless gate pass, and the next one is asked', async () => {
  const harmless = spec({ name: 'told', kind: 'confirmation', onExpiry: 'continue', harmless: true });
  const handle = await start({ rounds: [[harmless], [spec()]] });
  await temporal.env.sleep(HOUR + MINUTE);
  expect((await decide(handle, 'approve', 'ana')).code).toBe('recorded');
  expect((await resultOf(handle)).outcome).toBe('approved');
});

test('a message that is sent twice does not decide the next gate of the same name', async () => {
  const handle = await start({ rounds: [[spec()], [spec()]] });
  const [{ code } = { code: '' }] = await gatesOf(handle);
  const approval = { gate: 'lead', decision: 'approve', by: 'ana', code };
  const send = () => handle.executeUpdate<DecisionResult, [unknown]>('decide', { args: [approval] });
  expect((await send()).code).toBe('recorded');
  expect((await send()).code).toBe('wrong-code');
  expect((await decide(handle, 'approve', 'bea')).code).toBe('recorded');
  expect((await resultOf(handle)).outcome).toBe('approved');
});

test('a form is checked where it is decided, and what was filled in is kept with its types', async () => {
  const form: GateSpec['form'] = {
    properties: {
      ticket: { type: 'string', minLength: 1, maxLength: 8 },
      users: { type: 'integer', minimum: 0 },
    },
    required: ['ticket'],
  };
  const handle = await start({ specs: [spec({ form })] });
  expect(await decide(handle, 'approve', 'ana')).toMatchObject({
    code: 'invalid-fields',
    message: 'Gate lead: ticket is missing.',
  });
  const { gate } = await decide(handle, 'approve', 'ana', { fields: { ticket: 'C-1', users: '40' } });
  expect(gate?.approvals).toMatchObject([{ by: 'ana', fields: { ticket: 'C-1', users: 40 } }]);
  expect(await resultOf(handle)).toMatchObject({ outcome: 'approved' });
  const { timeline } = await handle.query<ProgressView>('progress');
  expect(timeline.map(({ text }) => text)).toContain('ana approved (ticket: C-1; users: 40): Gate lead is approved.');
});

describe('a go or no-go', () => {
  const criteria = { go: { tests: 'All tests pass' }, noGo: { away: 'The team is away' } };
  const gate = spec({ criteria, form: formOfCriteria(criteria) });

  test('is a go when every answer is as it must be, and the evidence is kept', async () => {
    const handle = await start({ specs: [gate] });
    expect(await decide(handle, 'approve', 'ana', { fields: { tests: 'yes: run 7', away: 'maybe' } })).toMatchObject({
      code: 'invalid-fields',
      message: expect.stringContaining('away: expected "yes: <evidence>" or "no: <evidence>" (The team is away)'),
    });
    const fields = { tests: 'yes: run 7', away: 'no: rota of today' };
    expect((await decide(handle, 'approve', 'ana', { fields })).gate?.approvals).toMatchObject([{ by: 'ana', fields }]);
    expect(await resultOf(handle)).toMatchObject({ outcome: 'approved' });
  });

  test('is a no-go by one answer, which is a rejection with its evidence as the reason', async () => {
    const handle = await start({ specs: [gate] });
    const fields = { tests: 'yes: run 7', away: 'yes: all are ill' };
    const { code, gate: decided } = await decide(handle, 'approve', 'ana', { fields });
    expect(code).toBe('recorded');
    const reason = 'no-go: The team is away: yes, all are ill';
    expect(decided).toMatchObject({ outcome: 'rejected', rejection: { by: 'ana', reason, fields } });
    const { timeline } = await handle.query<ProgressView>('progress');
    expect(timeline.map(({ text }) => text).join()).toContain(`ana rejected (${reason}`);
  });
});

test('a flood of decisions without effect keeps nobody from deciding', async () => {
  const handle = await start();
  for (let index = 0; index < 101; index++) await handle.signal('approve', { nonsense: index });
  expect((await decide(handle, 'approve', 'eve')).code).toBe('rate-limited');
  expect((await decide(handle, 'approve', 'ana')).code).toBe('recorded');
  expect((await resultOf(handle)).outcome).toBe('approved');
});

describe('a break-glass', () => {
  const GLASS = spec({ quorum: 2, breakGlass: { roles: ['on-call'], notify: ['bosses'], reviewWithinMs: 8 * HOUR } });
  const why = { breakGlass: true, reason: 'checkout is down' };

  const broken = async (): Promise<{
    handle: Handle;
    review: ReturnType<TestTemporal['client']['workflow']['getHandle']>;
  }> => {
    const handle = await start({ specs: [GLASS] });
    expect((await decide(handle, 'approve', 'kim', why)).gate).toMatchObject({
      outcome: 'approved',
      approvals: [],
      brokenGlass: { by: 'kim', reason: why.reason },
    });
    expect(await resultOf(handle)).toMatchObject({
      outcome: 'approved',
      message: 'lead: passed alone by kim (break-glass: checkout is down)',
    });
    const { lines } = await handle.query<ProgressView>('progress');
    const id = /review-break-glass\/\S+(?=\))/.exec(lines.join())?.[0];
    expect(lines).toEqual([expect.stringMatching(/^BREAK-GLASS: kim passed gate lead alone: checkout is down/)]);
    return { handle, review: temporal.client.workflow.getHandle(id!) };
  };

  test('passes the gate alone, tells people at once, and opens a review that is not for who broke it', async () => {
    const { review } = await broken();
    expect(notices[1]).toEqual({
      channels: ['people', 'bosses'],
      text: expect.stringMatching(/^BREAK-GLASS: kim passed gate lead alone: checkout is down\. It is gated/),
    });
    expect((await decide(review as Handle, 'withdraw', 'kim')).code).toBe('not-requester');
    expect((await decide(review as Handle, 'approve', 'kim', { reason: 'fine' })).code).toBe('requester-excluded');
    expect((await decide(review as Handle, 'approve', 'ana')).code).toBe('comment-required');
    expect((await decide(review as Handle, 'approve', 'ana', { reason: 'it was right' })).code).toBe('recorded');
    expect(await review.result()).toEqual({ outcome: 'reviewed', message: 'break-glass-review: ana' });
  });

  // Started by itself: the server that skips time skips none while a child of a closed workflow is open.
  test('that nobody reviews is told again and again, and ends as not reviewed', async () => {
    const dueAt = new Date((await temporal.env.currentTimeMs()) + 8 * HOUR).toISOString();
    const input = { ...contract.example, roles: ['lead'], notify: ['bosses'], dueAt };
    const { client, taskQueue } = temporal;
    const review = await client.workflow.start('reviewBreakGlass', { taskQueue, workflowId: 'review', args: [input] });
    expect(((await review.result()) as ReviewBreakGlassResult).outcome).toBe('not-reviewed');
    const told = notices.map(({ text }) => text);
    expect(told.filter((text) => text.startsWith('Still waiting for break-glass-review'))).toHaveLength(3);
    expect(told.at(-1)).toMatch(/^Break-glass of kim at deploy.*: not-reviewed/);
  });

  test('at each of two gates is noted in the memo, which is read without a worker', async () => {
    const handle = await start({ rounds: [[GLASS], [{ ...GLASS, name: 'devops' }]] });
    await decide(handle, 'approve', 'kim', why);
    await decide(handle, 'approve', 'kim', { ...why, reason: 'still down, still alone' });
    await handle.result();
    expect((await handle.describe()).memo).toEqual({
      breakGlass:
        'gate lead was passed alone by kim: checkout is down; gate devops was passed alone by kim: still down, still alone',
    });
  });

  test('may be objected to', async () => {
    const { review } = await broken();
    await decide(review as Handle, 'reject', 'bea', { reason: 'a lead was awake' });
    expect(await review.result()).toEqual({
      outcome: 'objected',
      message: 'Gate break-glass-review was rejected by bea: a lead was awake.',
    });
  });
});
