import { isChange } from '../../activities/audit-effects.ts';
import { digestOf } from '../../src/audit/digest.ts';
import type { HistoryEvent } from '../../src/audit/history.ts';
import { LABELS } from '../../src/audit/labels.ts';
import { normalize } from '../../src/audit/normalize.ts';
import { auditFact, type AuditFact } from '../../src/contracts/audit.ts';
import { normalized, recordedEvents } from '../support/audit-chain.ts';

const AT = '2026-11-25T10:00:00.000Z';
const input = {
  system: 'shop',
  environment: 'production',
  service: 'web',
  requestedBy: 'kim',
  parameters: { token: 'canary' },
};

/** A history of a start and more events, their ids from 2 on. */
function facts(...more: [type: string, attributes: Record<string, unknown>][]): AuditFact[] {
  const start = { workflowType: { name: 'runRunbook' }, input: [input], identity: 'windlass@7' };
  const events = [['WORKFLOW_EXECUTION_STARTED', start] as const, ...more].map(
    ([type, attributes], index): HistoryEvent => ({ id: index + 1, at: AT, type: `EVENT_TYPE_${type}`, attributes }),
  );
  return normalize(events, { workflowId: 'run/1', runId: 'r1', changes: isChange }).facts;
}
const update = (name: string, argument: unknown) =>
  [
    'WORKFLOW_EXECUTION_UPDATE_ACCEPTED',
    { acceptedRequest: { meta: { identity: 'windlass@9' }, input: { name, args: [argument] } } },
  ] as [string, Record<string, unknown>];
const answered = (acceptedEventId: number, success: unknown) =>
  [
    'WORKFLOW_EXECUTION_UPDATE_COMPLETED',
    { acceptedEventId: String(acceptedEventId), outcome: { success: [success] } },
  ] as [string, Record<string, unknown>];

test.each([
  'deploy-released',
  'rollback-redeploy',
  'restore',
  'window-failed',
  'incident-resolved',
  'change-control',
  'runbook-taken-back',
])('the recorded history %s becomes facts that have the shape of the contract, the first of them its start', (name) => {
  const { facts, system, environment } = normalized(name);
  for (const fact of facts) expect(auditFact.safeParse(fact).error).toBeUndefined();
  expect(facts[0]).toMatchObject({ kind: 'started', eventId: 1 });
  expect(system).not.toBe('unknown');
  expect(environment).not.toBe('unknown');
  expect(normalized(name).facts).toEqual(facts);
});

test('a release tells who asked, who decided, what was leased, what was changed, and how it ended, in this order', () => {
  const { facts, system } = normalized('deploy-released');
  expect(system).toBe('agent-system');
  const told = facts.map(({ kind, what, who, outcome }) => `${kind} ${what} ${who.name} ${outcome}`);
  const expected = [
    'started deployRelease kim started',
    'lease acquire kim reserved',
    'decision decide security-team@agents.example.com recorded',
    'lease acquire kim granted',
    'effect switchTraffic kim completed',
    'lease release kim clean',
    'ended end kim released',
  ];
  expect(told.filter((each) => expected.includes(each))).toEqual(expected);
  expect(told.some((each) => each.includes('observeService'))).toBe(false);
  expect(facts.find(({ what }) => what === 'acquire')!.labels).toMatchObject({ mode: 'reserve', sequence: 1 });
});

test('people whom signed statements proved are verified, with the answer that each of them got', () => {
  const decisions = normalized('runbook-verified').facts.filter(({ kind }) => kind === 'decision');
  expect(decisions.map(({ who, outcome }) => [who.name, who.how, outcome])).toEqual([
    ['dan', 'verified', 'wrong-role'],
    ['ana', 'verified', 'wrong-code'],
    ['ana', 'verified', 'recorded'],
    ['ana', 'verified', 'same-person'],
    ['bea', 'verified', 'recorded'],
  ]);
});

test('the start has its input by digest and by its labels, and no parameter of it', () => {
  const [started] = facts();
  expect(started).toEqual({
    ...{ at: AT, procedure: 'runRunbook', workflowId: 'run/1', runId: 'r1', eventId: 1, kind: 'started' },
    ...{ what: 'runRunbook', who: { name: 'kim', how: 'declared' }, source: 'windlass@7', target: 'web' },
    ...{ outcome: 'started', inputs: digestOf(input) },
    labels: { system: 'shop', environment: 'production', service: 'web', requestedBy: 'kim' },
  });
});

test('no value of a payload that is no label is in a fact: not of parameters, results, failures or messages', () => {
  const secret = 'canary-3f9a';
  const told = facts(
    [
      'ACTIVITY_TASK_SCHEDULED',
      { activityType: { name: 'runJob' }, input: [{ scope: 'web', env: { PASSWORD: secret } }] },
    ],
    ['ACTIVITY_TASK_STARTED', { scheduledEventId: '2', attempt: 3 }],
    [
      'ACTIVITY_TASK_FAILED',
      {
        scheduledEventId: '2',
        failure: {
          message: secret,
          stackTrace: secret,
          applicationFailureInfo: { type: 'JobFailed', details: [secret] },
        },
      },
    ],
    update('decide', { gate: 'g', by: 'ana', decision: 'approve', code: secret, note: secret }),
    answered(5, { code: 'recorded', message: secret }),
    [
      'WORKFLOW_EXECUTION_SIGNALED',
      { signalName: 'alerts', input: [{ alerts: [{ description: secret }] }], identity: 'am' },
    ],
    [
      'WORKFLOW_EXECUTION_FAILED',
      { failure: { message: secret, applicationFailureInfo: { type: 'JobFailed', details: [{ body: secret }] } } },
    ],
  );
  expect(JSON.stringify(told)).not.toContain(secret);
  expect(told.map(({ kind, outcome }) => `${kind} ${outcome}`)).toEqual([
    'started started',
    'effect scheduled',
    'effect failed: JobFailed',
    'decision recorded',
    'message received',
    'ended failed: JobFailed',
  ]);
  expect(told[2]!.labels).toEqual({ attempt: 3 });
});

test.each([
  ['a role that may not', { code: 'wrong-role' }, 'wrong-role'],
  ['an order that is refused', { accepted: false }, 'refused'],
  ['an order that is taken', { accepted: true }, 'accepted'],
])('an Update is told with its answer, without effect too: %s', (_, answer, outcome) => {
  const [, told] = facts(
    update('decide', { gate: 'g', by: 'eve', decision: 'approve', reason: 'because' }),
    answered(2, answer),
  );
  expect(told).toMatchObject({
    ...{ kind: 'decision', who: { name: 'eve', how: 'declared' }, source: 'windlass@9', outcome },
    labels: { gate: 'g', decision: 'approve', reason: 'because' },
  });
});

test.each([
  ['recorded', 'verified'],
  ['wrong-role', 'verified'],
  ['invalid-statement', 'declared'],
  ['identity-required', 'declared'],
])('a decision with a statement that was answered %s is %s', (code, how) => {
  const message = { gate: 'g', by: 'ana', decision: 'approve', statement: 'a.b.c' };
  const [, told] = facts(update('decide', message), answered(2, { code }));
  expect(told!.who).toEqual({ name: 'ana', how });
  expect(JSON.stringify(told)).not.toContain('a.b.c');
});

test('an Update that was never answered says so', () => {
  expect(facts(update('rescue', { by: 'ana', verb: 'skip' }))[1]).toMatchObject({
    kind: 'order',
    outcome: 'unanswered',
  });
});

test.each(['approve', 'reject', 'retract', 'withdraw'])(
  'the Signal %s is a decision of who says so; what it effected is not known',
  (signalName) => {
    const [, told] = facts([
      'WORKFLOW_EXECUTION_SIGNALED',
      { signalName, input: [{ by: 'ana', gate: 'g' }], identity: 'ui' },
    ]);
    expect(told).toMatchObject({
      kind: 'decision',
      who: { name: 'ana' },
      outcome: 'received',
      labels: { decision: signalName, gate: 'g' },
    });
  },
);

test('a decision by break-glass says so', () => {
  const decision = { gate: 'g', by: 'ana', decision: 'approve', breakGlass: true, reason: 'the shop is down' };
  const [, told] = facts(update('decide', decision), answered(2, { code: 'recorded' }));
  expect(told!.labels).toMatchObject({ breakGlass: true, reason: 'the shop is down' });
});

test.each([
  ['a text', 'nonsense'],
  ['nothing', undefined],
  ['a list', [1, 2]],
  ['control characters', { by: 'a\u0000\u001b[31mb', reason: '\ud800x' }],
])('a Signal whose payload is %s is told without failing', (_, payload) => {
  const [, told] = facts(['WORKFLOW_EXECUTION_SIGNALED', { signalName: 'approve', input: [payload], identity: 'ui' }]);
  expect(auditFact.safeParse(told).error).toBeUndefined();
  // eslint-disable-next-line no-control-regex
  expect(JSON.stringify([told!.who, told!.labels])).not.toMatch(/[\u0000-\u001f]|\\u00|\\ud800/);
});

test.each([
  [
    'a termination',
    ['WORKFLOW_EXECUTION_TERMINATED', { identity: 'sam@laptop', reason: 'stuck' }],
    { outcome: 'terminated', who: { name: 'sam@laptop', how: 'declared' }, labels: { reason: 'stuck' } },
  ],
  [
    'a timeout',
    ['WORKFLOW_EXECUTION_TIMED_OUT', {}],
    { outcome: 'timed-out', who: { name: 'temporal', how: 'server' } },
  ],
  ['a cancellation', ['WORKFLOW_EXECUTION_CANCELED', {}], { outcome: 'canceled' }],
  ['a good end', ['WORKFLOW_EXECUTION_COMPLETED', { result: [{ outcome: 'completed' }] }], { outcome: 'completed' }],
] as [string, [string, Record<string, unknown>], object][])('%s is the end of the record', (_, event, expected) => {
  expect(facts(event)[1]).toMatchObject({ kind: 'ended', ...expected });
});

test('a request to cancel is told with who asked', () => {
  const [, told] = facts(['WORKFLOW_EXECUTION_CANCEL_REQUESTED', { identity: 'kim@laptop', cause: 'enough' }]);
  expect(told).toMatchObject({ kind: 'cancel-requested', who: { name: 'kim@laptop' }, labels: { reason: 'enough' } });
});

test('an activity of a newer version, which nobody classified, counts as a change', () => {
  expect(isChange('reformatPlanet', {})).toBe(true);
  expect(isChange('runAction', { action: 'describePods' })).toBe(false);
  expect(isChange('runAction', { action: 'scaleWorkload' })).toBe(true);
  expect(isChange('runAction', { action: 'newerAction' })).toBe(true);
});

test('evidence that an effect kept is linked by address and digest', () => {
  const evidence = { uri: 's3://bucket/job.log', sha256: 'a'.repeat(64) };
  const told = facts(
    ['ACTIVITY_TASK_SCHEDULED', { activityType: { name: 'runJob' }, input: [{}] }],
    [
      'ACTIVITY_TASK_COMPLETED',
      { scheduledEventId: '2', result: [{ log: { ...evidence, bytes: 3, contentType: 'text/plain' } }] },
    ],
  );
  expect(told[2]!.evidence).toEqual([evidence]);
});

test('what a reset copied from another run is marked as a copy, what came after is not', () => {
  const told = facts(
    ['WORKFLOW_EXECUTION_SIGNALED', { signalName: 'hold', input: [{ by: 'ana' }] }],
    ['WORKFLOW_TASK_FAILED', { cause: 'WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW', baseRunId: 'r0', identity: 'sam' }],
    ['WORKFLOW_EXECUTION_TERMINATED', { identity: 'sam' }],
  );
  expect(told.map(({ kind, copyOf }) => [kind, copyOf])).toEqual([
    ['started', 'r0'],
    ['order', 'r0'],
    ['reset', undefined],
    ['ended', undefined],
  ]);
});

test('a run that tells neither system nor environment belongs to a chain of its own', () => {
  const events = recordedEvents('backup')
    .slice(0, 1)
    .map((event) => ({
      ...event,
      attributes: { input: [{ system: '../x' }], workflowType: { name: 'backUpDatabase' } },
    }));
  expect(normalized('backup', events)).toMatchObject({ system: 'unknown', environment: 'unknown' });
});

test('what begins in the middle is no history', () => {
  expect(() => normalized('backup', recordedEvents('backup').slice(3))).toThrow(/begins with EVENT_TYPE_/);
});

test('no label is a field that holds what people type freely, but the reason they give', () => {
  expect(
    LABELS.filter((name) => ['parameters', 'body', 'code', 'title', 'message', 'password', 'env'].includes(name)),
  ).toEqual([]);
});
