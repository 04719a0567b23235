import { openingDue, openingsWithin } from '../../src/calendar/openings.ts';
import { wantedSchedules } from '../../src/catalog/schedules.ts';
import type { Catalog } from '../../src/catalog/catalog.ts';
import { applySchedules, compareSchedules } from '../../src/cli/server/schedules.ts';
import { maintenance, type CatalogWindow } from '../../src/contracts/window.ts';
import { startLocalServer, type TestTemporal } from '../support/temporal.ts';
import { windowActivities, windowWorld } from '../support/window-world.ts';

// Schedules of a real server: when they fire is what the server says.
const AT = Date.parse('2026-11-26T00:00:00Z');
const HOUR = 3_600_000;
const windowOf = (over: object): CatalogWindow =>
  maintenance.parse({
    description: 'A test',
    environments: ['local'],
    service: 'shop',
    zone: 'UTC',
    opens: { weekday: 'sunday', at: '02:00' },
    duration: '2h',
    tasks: [{ runbook: 'patch' }],
    ...over,
  });
const WINDOWS = {
  weekly: windowOf({}),
  monthly: windowOf({ opens: { weekday: 'sunday', week: 1, at: '01:00' }, duration: '5h' }),
  'new-york': windowOf({ zone: 'America/New_York' }),
};
const world = windowWorld({ slice: (slice) => ({ ...slice, closed: 'it is a test' }) });
let temporal: TestTemporal;

type Budgets = Record<string, { every: number; slos: object }>;
const wantedOf = (windows: Record<string, CatalogWindow>, errorBudgets: Budgets) =>
  wantedSchedules({ systems: new Map([['test', { catalog: { windows, errorBudgets } }]]) } as unknown as Catalog, AT);
async function apply(windows: Record<string, CatalogWindow>, budgets: Budgets = {}): Promise<string[]> {
  const wanted = wantedOf(windows, budgets);
  const steps = await compareSchedules(temporal.client, wanted, ['test']);
  await applySchedules(temporal.client, temporal.taskQueue, wanted, steps);
  return steps.map(({ verb, id }) => `${verb} ${id}`);
}
const handleOf = (window: string) => temporal.client.schedule.getHandle(`window/test/local/${window}`);

beforeAll(async () => {
  temporal = await startLocalServer({ activities: () => windowActivities(world) });
  expect(await apply(WINDOWS)).toEqual([
    'create window/test/local/weekly',
    'create window/test/local/monthly',
    'create window/test/local/new-york',
  ]);
}, 120_000);
afterAll(() => temporal?.stop());

const seconds = (at: number) => ({ seconds: at / 1000 }) as never;
async function matching(window: string, from: number, to: number): Promise<number[]> {
  const { startTime } = await temporal.client.workflowService.listScheduleMatchingTimes({
    namespace: 'default',
    scheduleId: `window/test/local/${window}`,
    startTime: seconds(from),
    endTime: seconds(to),
  });
  return startTime.map((each) => Number(each.seconds) * 1000);
}

describe('Schedules of windows', () => {
  test.each(Object.entries(WINDOWS))(
    '%s fires once on the date of each opening of 2024 to 2030, before it, and never else',
    async (name, window) => {
      const from = Date.parse('2024-01-01T12:00:00Z');
      const days = 2550;
      const openings = openingsWithin(window, from, days);
      const firings: number[] = [];
      // The server answers a thousand at most.
      for (let day = 0; day < days; day += 850)
        firings.push(...(await matching(name, from + day * 24 * HOUR, from + (day + 850) * 24 * HOUR - 1)));
      expect(firings.map((at) => openingDue(window, at)?.date)).toEqual(openings.map(({ date }) => date));
      const leads = openings.map(({ opensAt }, index) => (opensAt - firings[index]!) / HOUR);
      expect(Math.min(...leads)).toBeGreaterThan(0);
      expect(Math.max(...leads)).toBeLessThanOrEqual(3);
    },
    60_000,
  );

  test.each([
    ['2027-03-14', '2027-03-14T04:00:00Z'],
    ['2027-11-07', '2027-11-07T04:00:00Z'],
  ])('New York fires once on %s, when the clocks change', async (date, firing) => {
    const noon = Date.parse(`${date}T12:00:00Z`);
    expect(await matching('new-york', noon - 36 * HOUR, noon + 36 * HOUR)).toEqual([Date.parse(firing)]);
  });

  test('are the same after they are applied again', async () => {
    expect(new Set((await apply(WINDOWS)).map((step) => step.split(' ')[0]))).toEqual(new Set(['keep']));
  });

  test('make up only for what could still begin', async () => {
    const { policies } = await handleOf('weekly').describe();
    expect(policies).toMatchObject({ catchupWindow: 1.75 * HOUR, overlap: 'BUFFER_ONE' });
  });

  test('that are triggered start the window, which looks by itself whether it may open', async () => {
    await handleOf('weekly').trigger();
    for (;;) {
      const [action] = (await handleOf('weekly').describe()).info.recentActions;
      if (action) {
        const { workflow } = action.action;
        const running = temporal.client.workflow.getHandle(workflow.workflowId);
        await expect(running.result()).rejects.toMatchObject({ cause: { type: 'WindowClosed' } });
        return;
      }
    }
  }, 60_000);

  test('are updated with their window, stay paused, and go with it', async () => {
    await handleOf('weekly').pause('not this month');
    const { monthly: _, ...left } = WINDOWS;
    expect(await apply({ ...left, weekly: windowOf({ duration: '3h' }) })).toEqual([
      'update window/test/local/weekly',
      'keep window/test/local/new-york',
      'delete window/test/local/monthly',
    ]);
    const { state, policies } = await handleOf('weekly').describe();
    expect(state.paused).toBe(true);
    expect(policies.catchupWindow).toBe(2.75 * HOUR);
  });
});

test('the Schedule of an error budget fires as often as the budget says, never two at once, and goes with it', async () => {
  const id = 'error-budget/test/local';
  const budget = (every: number) => ({ local: { every, slos: { availability: {} } } });
  expect(await apply({}, budget(60_000))).toContain(`create ${id}`);
  expect(await apply({}, budget(60_000))).toContain(`keep ${id}`);
  expect(await apply({}, budget(30_000))).toContain(`update ${id}`);
  const { spec, policies, action } = await temporal.client.schedule.getHandle(id).describe();
  expect(spec.intervals).toMatchObject([{ every: 30_000 }]);
  expect(policies.overlap).toBe('SKIP');
  expect(action).toMatchObject({
    workflowType: 'watchErrorBudget',
    args: [{ system: 'test', environment: 'local', requestedBy: 'schedule' }],
  });
  expect(await apply({})).toContain(`delete ${id}`);
});
