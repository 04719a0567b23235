import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAdmissionActivities } from '../../activities/admission.ts';
import { updateWithStart } from '../../src/adapters/temporal.ts';
import { loadCatalog } from '../../src/catalog/load.ts';
import { changeControl, changeControlId } from '../../src/contracts/change-control.ts';
import type { BudgetMessage, SloReport } from '../../src/contracts/budget-messages.ts';
import { windlass, type CliCall } from '../support/cli.ts';
import { color, live, record } from '../support/live.ts';
import { standIn, standInActivities } from '../support/stand-in-activities.ts';
import { startLocalServer, type TestTemporal } from '../support/temporal.ts';

// What people type about freezes and zones, against a real server with the real change control, the real calendar and
// the real admission. Only the cluster, which nothing here changes, is kept in memory.
const CATALOG = `
apiVersion: windlass/v1
system: books
description: A system whose books are closed now and then
environments:
  production: { cluster: { context: here }, namespace: books, prometheus: "http://prometheus" }
  staging: { cluster: { context: here }, namespace: staging }
services:
  shop:
    workload: { name: shop }
    container: app
    kubernetesService: shop
    port: 80
    health: { path: /health }
people:
  - { name: ana, roles: [lead] }
channels:
  slack: { kind: slack, url: "env:SLACK_URL" }
policies:
  deployRelease:
    gates:
      - { name: lead, asks: Go?, roles: [lead] }
    notify: [slack]
errorBudgets:
  production:
    notify: [slack]
    slos:
      availability:
        objective: 99.9
        errorRatio: bad[$window]
        yellow: { below: 50, returnsAt: 60 }
        red: { below: 10, returnsAt: 20 }
freezes:
  year-end:
    reason: the books are closed
    environments: [production]
    changes: [deployment]
    once: { zone: America/New_York, from: 2090-12-30T00:00, until: 2091-01-02T08:00 }
  nights:
    reason: nobody is there
    environments: [staging]
    effect: allow
    changes: [maintenance]
    recurring: { zone: UTC, days: [monday, tuesday], from: "09:00", until: "17:00" }
`;
const IN_THE_YEAR_END = ['--at', '2090-12-31T12:00:00Z'];
/** A Sunday. */
const BEFORE = ['--at', '2090-12-24T12:00:00Z'];

let temporal: TestTemporal;
let directory: string;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'windlass-closures-'));
  writeFileSync(join(directory, 'books.yaml'), CATALOG);
  const service = live({
    selector: { app: 'shop', version: 'green' },
    deployments: [color('blue', 'v1'), color('green', 'v2')],
    releases: [record('v2', 'shop-green'), record('v1', 'shop-blue')],
  });
  temporal = await startLocalServer({
    activities: (given) => ({
      ...standInActivities(standIn({ service })),
      ...createAdmissionActivities({ ...given, catalog: { current: () => loadCatalog({ directory }) } }),
    }),
  });
}, 120_000);
afterAll(async () => {
  await temporal?.stop();
  rmSync(directory, { recursive: true });
}, 60_000);

const cli = (args: string[], { env, ...call }: CliCall = {}) =>
  windlass(args, {
    env: { TEMPORAL_ADDRESS: temporal.env.address, WINDLASS_TASK_QUEUE: temporal.taskQueue, ...env },
    ...call,
  });
const freezes = (...args: string[]) => cli(['freezes', ...args, '--catalog', directory]);
const json = (text: string) => JSON.parse(text);

const place = { system: 'books', environment: 'production' };
const PLACE = ['books', 'production'];
/** What a measurement leaves of the budget, in percent; the real change control makes the zone of it. */
const measured = (remaining: number) => {
  const limits: SloReport['limits'] = {
    yellow: { below: 50, returnsAt: 60 },
    red: { below: 10, returnsAt: 20 },
    holdMs: 0,
  };
  const message: BudgetMessage = {
    ...{ kind: 'measured', requestId: crypto.randomUUID(), at: Date.now(), staleAfterMs: 3_600_000 },
    critical: { services: [], onRequest: true },
    slos: [{ name: 'availability', remaining, burnRate: 3, limits }],
  };
  return updateWithStart(temporal.client, {
    ...{ workflowType: changeControl.procedure, workflowId: changeControlId(place), input: place },
    ...{ taskQueue: temporal.taskQueue, update: 'budget', updateId: message.requestId, argument: message },
    timeoutMs: 30_000,
  });
};
const rollback = ['rollback', ...PLACE, 'shop', '--mode', 'emergency', '--reason', 'errors rose', '--as', 'ana'];
const planned = async () => {
  const [{ out, code }, answer] = await Promise.all([
    cli(['plan', ...rollback]),
    cli(['plan', ...rollback, '--json']).then((ended) => json(ended.out)),
  ]);
  expect({ code, plan: answer.plan }).toMatchObject({ code: 0, plan: { kind: 'switch', record: { version: 'v1' } } });
  return { out, breakGlass: answer.plan.breakGlass as string | undefined };
};

describe('freezes list', () => {
  test('has a line for each kind of change in each environment, with the rule, its reason and when that changes', async () => {
    const { code, out } = await freezes('list', ...IN_THE_YEAR_END);
    expect({ code, lines: out.trimEnd().split('\n') }).toEqual({
      code: 0,
      lines: [
        'books production  deployment   closed by year-end (the books are closed); opens at 2091-01-02T13:00:00.000Z',
        'books production  maintenance  open',
        'books staging  deployment   open',
        'books staging  maintenance  closed by nights (nobody is there); opens at 2091-01-01T09:00:00.000Z',
      ],
    });
  });

  test('says of an open environment when it closes, and by what', async () => {
    const { out } = await freezes('list', ...PLACE, ...BEFORE);
    expect(out).toMatch(/^books production {2}deployment +open; closes at 2090-12-30T05:00:00\.000Z by year-end\n/);
  });

  test('is the same for programs, of one system or of one environment', async () => {
    const { out } = await freezes('list', 'books', 'staging', ...IN_THE_YEAR_END, '--json');
    expect(json(out)).toEqual({
      at: '2090-12-31T12:00:00.000Z',
      environments: [
        {
          system: 'books',
          environment: 'staging',
          states: [
            { kind: 'deployment', state: 'open' },
            {
              ...{ kind: 'maintenance', state: 'closed', rule: 'nights', reason: 'nobody is there' },
              opens: '2091-01-01T09:00:00.000Z',
            },
          ],
        },
      ],
    });
    expect(json((await freezes('list', 'books', '--json')).out).environments).toHaveLength(2);
  });

  test.each([
    [['list', '--at', 'tomorrow'], 2, '--at: expected a time with its zone'],
    [['list', '--at', '2090-12-31T12:00'], 2, '--at: expected a time with its zone'],
    [['list', 'books', 'moon'], 1, 'moon'],
    [['show', 'books', 'moon'], 1, 'moon'],
    [['show', 'books'], 2, 'environment'],
  ])('%j is refused with what was expected', async (args, code, message) => {
    const answer = await freezes(...args);
    expect(answer).toMatchObject({ code, err: expect.stringContaining(message) });
  });
});

describe('a freeze that was started by hand', () => {
  test('is listed and shown beside those of the catalog, passed by the plan of a rollback, and gone after its end', async () => {
    expect(await planned()).toEqual({ out: expect.not.stringContaining('BREAK-GLASS'), breakGlass: undefined });
    const why = ['--reason', 'the auditors are here', '--as', 'ana'];
    expect((await cli(['freeze', 'start', ...PLACE, '--until', '4h', '--name', 'audit', ...why])).code).toBe(0);

    const listed = await freezes('list', ...PLACE);
    expect(listed.out).toMatch(
      /deployment +closed by audit \(the auditors are here, says ana\); opens at 20[^]*maintenance +closed by audit/,
    );
    const shown = await freezes('show', ...PLACE);
    expect(shown.out).toMatch(
      /closed by audit[^]*\n\nyear-end: no deployment, from 2090-12-30T00:00 until 2091-01-02T08:00 \(America\/New_York\): the books are closed\naudit: no deployment and maintenance, from 20.* \(UTC\): the auditors are here, says ana\n$/,
    );
    expect(json((await freezes('show', ...PLACE, '--json')).out)).toMatchObject({
      ...place,
      freezes: [{ name: 'year-end' }, { name: 'audit', effect: 'deny', changes: ['deployment', 'maintenance'] }],
    });

    const { out, breakGlass } = await planned();
    expect(breakGlass).toMatch(/^rollback passes freeze audit \(the auditors are here, says ana\), which opens at 20/);
    expect(out).toMatch(
      /\nwarning: +BREAK-GLASS: rollback passes freeze audit \(the auditors are here, says ana\), which .*\n$/,
    );

    expect((await cli(['freeze', 'end', ...PLACE, '--name', 'audit', '--as', 'ana'])).code).toBe(0);
    expect((await freezes('list', ...PLACE)).out).not.toContain('audit');
    expect(await planned()).toEqual({ out: expect.not.stringContaining('BREAK-GLASS'), breakGlass: undefined });
  }, 60_000);
});

test('an environment of which nobody can tell what was started by hand is listed by the catalog, and that is said', async () => {
  const nobody = { TEMPORAL_ADDRESS: temporal.env.address, WINDLASS_TASK_QUEUE: 'nobody' };
  // Change control of another queue than that of any worker: it runs, and nobody answers for it.
  await temporal.client.workflow.start('changeControl', {
    ...{ taskQueue: 'nobody', workflowId: changeControlId({ ...place, environment: 'staging' }) },
    args: [{ ...place, environment: 'staging' }],
  });
  const { code, out, err } = await cli(['freezes', 'list', 'books', 'staging', '--catalog', directory], {
    env: nobody,
  });
  expect({ code, out, err }).toEqual({
    code: 0,
    out: expect.stringMatching(/^books staging +deployment +open/),
    err: expect.stringContaining('No worker told of freezes of books staging that were started by hand.'),
  });
}, 60_000);

describe('zones', () => {
  test('are none before anything was measured', async () => {
    expect(await cli(['zones', 'books', 'elsewhere'])).toMatchObject({
      code: 0,
      out: expect.stringContaining('No error budget was measured.'),
    });
  });

  test('say what is left, what it stops and what lifts it; a rollback is planned through a red one, and says so', async () => {
    await measured(100);
    expect((await cli(['zones', ...PLACE])).out).toMatch(/^books production {2}green since 20/);
    expect((await planned()).breakGlass).toBeUndefined();

    await measured(5);
    const { out } = await cli(['zones', ...PLACE]);
    expect(out).toMatch(
      /^books production {2}red since 20.* \(.*\): .*\n {2}availability: red, 5 % left, burn rate 3\n {2}lifts when .*20 %/,
    );
    const { zones, unanswered } = json((await cli(['zones', ...PLACE, '--json'])).out);
    expect({ zones, unanswered }).toMatchObject({
      zones: [{ ...place, zone: 'red', stale: false, slos: [{ name: 'availability', zone: 'red', remaining: 5 }] }],
      unanswered: [],
    });

    expect((await planned()).breakGlass).toMatch(
      /^rollback passes error-budget availability \(red since 20.*it lifts when/,
    );
    await measured(100);
    expect((await planned()).breakGlass).toBeUndefined();
  }, 60_000);
});
