import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { GateView } from '../../src/contracts/gates.ts';
import { deployRequest, rollbackRequest } from '../../src/cli/commands/release-requests.ts';
import { chooseServer, readSandbox, whoAmI } from '../../src/cli/configuration.ts';
import { explain, type CliError } from '../../src/cli/errors.ts';
import { chooseGate } from '../../src/cli/gate-choice.ts';
import { rolesOf } from '../../src/cli/roles.ts';
import { visibilityQuery } from '../../src/cli/server/runs.ts';
import { advise, pendingActivities, type WhyView } from '../../src/cli/server/why.ts';
import { fillFields } from '../../src/cli/start-input.ts';
import { windlass } from '../support/cli.ts';

const errorOf = (work: () => unknown): CliError => {
  try {
    work();
  } catch (error) {
    return error as CliError;
  }
  throw new Error('it was accepted');
};

describe('the command line', () => {
  test.each([
    [['deploy', 'shop', 'production'], 'Missing: service, image.'],
    [['deploy', 'a', 'b', 'c', 'd:1', 'e'], 'too many arguments'],
    [['rollback', 'a', 'b', 'c', '--reason', 'x'], '--mode'],
    [['rollback', 'a', 'b', 'c', '--mode', 'fast', '--reason', 'x'], 'Allowed choices are emergency, planned'],
    [['reject', 'id', 'gate'], '--reason'],
    [['rescue', 'id', 'pray', '--reason', 'x'], 'Allowed choices are retry, skip, done, give-up'],
    [['list', '--limit', 'many'], 'expected a whole number above 0'],
    [['depoly'], "unknown command 'depoly'"],
  ])('%j is refused with exit code 2 before anything is asked of a server', async (args, message) => {
    const text = await windlass(args);
    expect(text).toMatchObject({ code: 2, err: expect.stringContaining(message) });
    const json = await windlass([...args, '--json']);
    expect(JSON.parse(json.out).error).toMatchObject({ code: 'usage', message: expect.stringContaining(message) });
  });

  test('every command has an example in its help, and --json', async () => {
    const { out } = await windlass(['--help']);
    const names = [...out.matchAll(/^ {2}([a-z-]+) \[options\]/gm)].map(([, name]) => [name!]);
    expect(names.length).toBeGreaterThan(10);
    for (const name of [...names, ['plan', 'deploy'], ['plan', 'rollback']]) {
      const help = await windlass([...name, '--help']);
      expect(help).toMatchObject({
        code: 0,
        out: expect.stringMatching(new RegExp(`--json[^]*Examples:\\n +\\$ windlass ${name.join(' ')}`)),
      });
    }
  });
});

describe('a request', () => {
  const me = 'kim';

  test('takes its fields by place or by flag, in any mixture', () => {
    const byPlace = deployRequest(['shop', 'production', 'web', 'web:v2'], {}, me, false);
    const mixed = deployRequest(['production', 'web:v2'], { system: 'shop', service: 'web' }, me, false);
    expect(mixed).toEqual(byPlace);
    expect(byPlace).toMatchObject({
      workflowId: 'deploy/shop/production/web-v2',
      input: { requestedBy: 'kim', onBusy: 'refuse', planOnly: false },
    });
    expect(errorOf(() => fillFields(['a', 'b'], ['1', '2'], { a: '0' }))).toMatchObject({ code: 'usage' });
  });

  test('for a plan has an id of its own each time', () => {
    const ids = [1, 2].map(
      () => rollbackRequest(['shop', 'production', 'web'], { mode: 'planned', reason: 'x' }, me, true).workflowId,
    );
    expect(ids[0]).toMatch(/^plan\/rollback\/shop\/production\/web-[0-9a-f]{8}$/);
    expect(ids[0]).not.toBe(ids[1]);
  });

  test.each([
    ['an image without a tag', ['shop', 'production', 'web', 'web'], 'image: expected a tag or a digest'],
    ['latest', ['shop', 'production', 'web', 'web:latest'], 'latest names no release'],
    ['a system with capitals', ['Shop', 'production', 'web', 'web:v2'], 'system: expected lower-case letters'],
  ])('with %s is refused with the field and what was expected', (_, places, message) => {
    expect(errorOf(() => deployRequest(places, {}, me, false))).toMatchObject({
      code: 'invalid-input',
      message: expect.stringContaining(message),
      exitCode: 2,
    });
  });

  test('over the limit is refused with both sizes before anything starts', () => {
    const error = errorOf(() =>
      deployRequest(['shop', 'production', 'web', 'web:v2'], { reason: 'x'.repeat(3 << 20) }, me, false),
    );
    expect(error).toMatchObject({
      code: 'input-too-large',
      message: expect.stringMatching(/3145\d{3} bytes; at most 131072[^]*2 MiB/),
    });
  });
});

describe('the server', () => {
  const sandbox = { temporal: { address: '127.0.0.1:7300', ui: 'http://127.0.0.1:8300/', namespace: 'default' } };

  test.each([
    ['a flag', { address: 'a:1' }, { address: 'b:2' }, sandbox, 'a:1', 'flag'],
    ['the configuration', {}, { address: 'b:2' }, sandbox, 'b:2', 'configuration'],
    ['a running sandbox', {}, {}, sandbox, '127.0.0.1:7300', 'sandbox'],
    ['the default', {}, {}, undefined, 'localhost:7233', 'default'],
  ])('is that of %s', (_, flags, configured, local, address, from) => {
    expect(chooseServer(flags, configured, local, {})).toMatchObject({ address, from });
  });

  test('of the sandbox has its UI, also when named by address; another one has none', () => {
    expect(chooseServer({ address: '127.0.0.1:7300' }, {}, sandbox, {}).ui).toBe('http://127.0.0.1:8300');
    expect(chooseServer({ address: 'a:1' }, {}, sandbox, {}).ui).toBeUndefined();
    expect(chooseServer({ address: 'a:1' }, {}, sandbox, { TEMPORAL_UI_URL: 'https://ui' }).ui).toBe('https://ui');
  });

  test('of a sandbox whose file is broken is not guessed', () => {
    const state = mkdtempSync(join(tmpdir(), 'windlass-cli-'));
    mkdirSync(join(state, 'sandbox'));
    writeFileSync(join(state, 'sandbox/endpoints.json'), '{');
    expect(errorOf(() => readSandbox({ WINDLASS_STATE: state }))).toMatchObject({ code: 'configuration-invalid' });
    expect(readSandbox({ WINDLASS_STATE: join(state, 'none') })).toBeUndefined();
  });

  test('that cannot be reached is told apart from one that refuses or does not know', () => {
    const grpc = (code: number): Error => Object.assign(new Error('x'), { code, details: 'detail' });
    expect([14, 4, 7, 16, 5, 13].map((code) => explain(new Error('failed', { cause: grpc(code) })).code)).toEqual([
      'unreachable',
      'unreachable',
      'not-allowed',
      'not-allowed',
      'not-found',
      'server-error',
    ]);
  });
});

describe('the person', () => {
  test('is named by --as, else WINDLASS_USER', () => {
    expect(whoAmI('sam', { WINDLASS_USER: 'kim' })).toBe('sam');
    expect(whoAmI(undefined, { WINDLASS_USER: 'kim' })).toBe('kim');
  });

  test('has the roles of the variable, else of the catalog where it can be read', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'windlass-cli-'));
    writeFileSync(join(folder, 'shop.yaml'), 'people:\n  - {name: sam, roles: [security]}\n');
    writeFileSync(join(folder, 'broken.yaml'), 'people: [');
    const env = { WINDLASS_SYSTEMS: folder };
    expect(await rolesOf('sam', ['shop', 'broken', 'missing'], env)).toEqual(['security']);
    expect(await rolesOf('kim', ['shop'], env)).toBeUndefined();
    const at = Date.parse('2026-01-01T00:00:00Z');
    const delegates = `delegates: [{to: sam, roles: [lead], until: 2026-01-02T00:00:00Z}]`;
    writeFileSync(
      join(folder, 'lent.yaml'),
      `people:\n  - {name: sam, roles: [dev]}\n  - {name: ana, roles: [lead], ${delegates}}\n`,
    );
    expect(await rolesOf('sam', ['lent'], env, at)).toEqual(['dev', 'lead']);
    expect(await rolesOf('sam', ['lent'], env, at + 2 * 86_400_000)).toEqual(['dev']);
    expect(await rolesOf('sam', ['shop'], { ...env, WINDLASS_ROLES: 'lead, devops' })).toEqual(['lead', 'devops']);
  });
});

describe('the gate of a decision', () => {
  const gate = (name: string, role: string, outcome: GateView['outcome'] = 'waiting', by: string[] = []): GateView => ({
    name,
    kind: 'approval',
    asks: '',
    roles: [role],
    quorum: 2,
    outcome,
    code: 'c',
    openedAt: '',
    expiresAt: '',
    approvals: by.map((who) => ({ by: who, at: '' })),
  });
  const gates = [gate('security', 'security'), gate('lead', 'lead'), gate('window', 'devops', 'approved')];

  test('is the only waiting one that a role of the person may decide', () => {
    expect(chooseGate(gates, undefined, 'sam', ['security', 'devops']).name).toBe('security');
  });

  test('must be named when several could be meant, or none is for the person', () => {
    expect(errorOf(() => chooseGate(gates, undefined, 'sam', ['security', 'lead']))).toMatchObject({
      code: 'usage',
      message: 'Several gates wait: security (security), lead (lead).',
    });
    expect(errorOf(() => chooseGate(gates, undefined, 'sam', ['intern']))).toMatchObject({
      code: 'usage',
      message: expect.stringContaining('None of the waiting gates is for sam (intern)'),
    });
    expect(errorOf(() => chooseGate(gates, undefined, 'sam', undefined))).toMatchObject({ code: 'usage' });
  });

  test('is not one the person approved already', () => {
    expect(
      chooseGate([gate('a', 'lead', 'waiting', ['sam']), gate('b', 'lead')], undefined, 'sam', ['lead']).name,
    ).toBe('b');
  });

  test('of a withdrawal is any that waits, of a retraction the one the person approved', () => {
    expect(chooseGate(gates, undefined, 'kim', [], { decision: 'withdraw' }).name).toBe('security');
    const mine = [gate('a', 'lead'), gate('b', 'dev', 'waiting', ['sam'])];
    expect(chooseGate(mine, undefined, 'sam', undefined, { decision: 'retract' }).name).toBe('b');
    expect(chooseGate(mine, undefined, 'sam', ['dev'], { decision: 'reject' }).name).toBe('b');
  });

  test('of a break-glass is one that the person may pass alone', () => {
    const glass = [gate('a', 'lead'), { ...gate('b', 'lead'), breakGlass: { roles: ['on-call'] } }];
    const how = { decision: 'approve' as const, breakGlass: true };
    expect(chooseGate(glass, undefined, 'kim', ['on-call'], how).name).toBe('b');
  });

  test('that is named is taken as it is: the procedure answers for one that is decided', () => {
    expect(chooseGate(gates, 'window', 'sam', [])).toMatchObject({ name: 'window' });
    expect(errorOf(() => chooseGate(gates, 'nope', 'sam', []))).toMatchObject({
      code: 'refused',
      message: expect.stringContaining('security (security)'),
    });
  });
});

test('a filter becomes a visibility query in which a quote cannot end the text', () => {
  expect(visibilityQuery({ state: 'running', system: "o'hara", limit: 1 })).toBe(
    "OpsProcedure IS NOT NULL AND WorkflowType != 'changeControl' AND WorkflowId NOT STARTS_WITH 'plan/' AND ExecutionStatus = 'Running' AND OpsSystem = 'o''hara'",
  );
});

describe('the advice', () => {
  const view = (over: Partial<WhyView>): WhyView =>
    ({
      run: { id: 'ID', runId: 'r', procedure: 'deployRelease', status: 'running', awaiting: [], startedAt: '' },
      workerPolls: true,
      activities: [],
      ...over,
    }) as WhyView;
  const retrying = { id: '1', type: 'checkHealth', state: 'waits-to-retry' as const, attempt: 3 };

  test.each<[string, Partial<WhyView>, string | undefined]>([
    ['start a worker before anything else', { workerPolls: false, activities: [retrying] }, undefined],
    ['mend the worker when workflow tasks fail', { task: { state: 'scheduled', attempt: 4 } }, undefined],
    [
      'start a worker for the queue that nobody polls',
      {
        unserved: [{ taskQueue: 'prod-deploy', activities: ['checkHealth'], capabilities: 'deploy' }],
        progress: { phase: 'rescue' } as never,
      },
      undefined,
    ],
    [
      'go on without those who would carry notices',
      { unserved: [{ taskQueue: 'prod-notify', activities: ['notify'], capabilities: 'notify' }] },
      'windlass status ID --follow',
    ],
    [
      'send what its worker does not carry out to one that does',
      {
        activities: [{ ...retrying, lastFailure: 'Activity function checkHealth is not registered on this Worker' }],
      },
      undefined,
    ],
    [
      'decide the gate that waits',
      { gates: [{ name: 'lead', roles: ['lead'], outcome: 'waiting' } as GateView] },
      'windlass approve ID lead',
    ],
    ['rescue a stuck step', { progress: { phase: 'rescue' } as never }, 'windlass rescue ID retry --reason …'],
    [
      'resume what is held',
      { progress: { phase: 'changing', held: { by: 'kim', reason: '' } } as never },
      'windlass resume ID',
    ],
    ['retry what waits', { activities: [retrying] }, 'windlass retry-now ID'],
    ['watch what works', {}, 'windlass status ID --follow'],
  ])('is to %s', (_, over, command) => {
    expect(advise(view(over)).command).toBe(command);
  });

  test('tells an activity that waits for its next attempt from one that runs or is paused', async () => {
    const now = Date.parse('2026-11-23T12:00:00Z');
    const at = (seconds: number) => ({ seconds: now / 1000 + seconds }) as never;
    const pending = await pendingActivities(
      {
        pendingActivities: [
          {
            activityId: '1',
            activityType: { name: 'a' },
            state: 1,
            attempt: 3,
            scheduledTime: at(5),
            lastFailure: { message: 'refused', applicationFailureInfo: { type: 'Unavailable' } },
          },
          { activityId: '2', activityType: { name: 'b' }, state: 2, attempt: 1 },
          { activityId: '3', activityType: { name: 'c' }, state: 1, attempt: 2, paused: true },
        ],
      },
      now,
      () => Promise.reject(new Error('nothing is encoded here')),
    );
    expect(pending).toMatchObject([
      { state: 'waits-to-retry', lastFailure: 'Unavailable: refused', nextAttemptAt: '2026-11-23T12:00:05.000Z' },
      { state: 'running' },
      { state: 'paused' },
    ]);
  });
});
