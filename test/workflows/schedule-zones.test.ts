import { Temporal } from '@js-temporal/polyfill';
import { ScheduleOverlapPolicy } from '@temporalio/client';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { openingDue, openingsWithin } from '../../src/calendar/openings.ts';
import { wantedSchedules } from '../../src/catalog/schedules.ts';
import type { Catalog } from '../../src/catalog/catalog.ts';
import { applySchedules, compareSchedules } from '../../src/cli/server/schedules.ts';
import { maintenance, WEEKDAYS, type CatalogWindow } from '../../src/contracts/window.ts';
import { withLocalServer, startLocalServer, type TestTemporal } from '../support/temporal.ts';
import { windowActivities, windowWorld } from '../support/window-world.ts';

// Real Schedules where clocks change at odd places, of windows at the wall times that a change skips and that it repeats.
// `test/unit/calendar-zones.test.ts` compares the calendar with other code; here the server is compared with the calendar.
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const FROM = Date.parse('2024-01-01T12:00:00Z');
const DAYS = 2550;
const ZONES = `Australia/Lord_Howe Pacific/Norfolk Pacific/Easter Antarctica/Troll America/Santiago America/Havana
  America/Asuncion America/Nuuk America/Scoresbysund America/St_Johns America/New_York Africa/Cairo Africa/Casablanca
  Asia/Beirut Asia/Gaza Asia/Jerusalem Europe/Chisinau Europe/Dublin`.split(/\s+/);

/** The middle of what a change of the clocks skips or repeats, on the wall. */
interface Change {
  at: number;
  kind: 'skips' | 'repeats';
  date: string;
  opens: { weekday: (typeof WEEKDAYS)[number]; at: string };
}

function* changesOf(zone: string): Generator<Change> {
  let now = Temporal.Instant.fromEpochMilliseconds(FROM).toZonedDateTimeISO(zone);
  for (;;) {
    const after = now.getTimeZoneTransition('next');
    if (!after || after.epochMilliseconds > FROM + DAYS * DAY) return;
    const before = after.subtract({ nanoseconds: 1 });
    const shift = after.offsetNanoseconds - before.offsetNanoseconds;
    const first = shift > 0 ? before.toPlainDateTime().add({ nanoseconds: 1 }) : after.toPlainDateTime();
    const wall = first.add({ nanoseconds: Math.abs(shift) / 2 });
    const opens = { weekday: WEEKDAYS[wall.dayOfWeek - 1]!, at: wall.toPlainTime().toString().slice(0, 5) };
    const date = wall.toPlainDate().toString();
    yield { at: after.epochMilliseconds, kind: shift > 0 ? 'skips' : 'repeats', date, opens };
    now = after;
  }
}

const windowOf = (zone: string, opens: object): CatalogWindow =>
  maintenance.parse({
    ...{ description: 'A test', environments: ['local'], service: 'shop', zone, opens },
    ...{ duration: '2h', tasks: [{ runbook: 'patch' }] },
  });

/** A window for every weekday and time at which a zone has a change. */
const awkward = ZONES.flatMap((zone) => {
  const byTime = new Map<string, Change[]>();
  for (const change of changesOf(zone)) {
    const time = `${change.opens.weekday}-${change.opens.at}`;
    byTime.set(time, [...(byTime.get(time) ?? []), change]);
  }
  return [...byTime].map(([time, changes]) => ({
    name: `${zone}-${time}`.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-'),
    window: windowOf(zone, changes[0]!.opens),
    changes,
  }));
});
const windows = Object.fromEntries(awkward.map(({ name, window }) => [name, window]));

const world = windowWorld({ slice: (slice) => ({ ...slice, closed: 'it is a test' }) });
const activities = () => windowActivities(world);

async function apply({ client, taskQueue }: TestTemporal, of: Record<string, CatalogWindow>): Promise<void> {
  const catalog = {
    systems: new Map([['test', { catalog: { windows: of, errorBudgets: {} } }]]),
  } as unknown as Catalog;
  const wanted = wantedSchedules(catalog, Date.parse('2025-01-02T00:00:00Z'));
  await applySchedules(client, taskQueue, wanted, await compareSchedules(client, wanted, ['test']));
}

/** A thousand at most, which is more than weeks in seven years. */
async function firingsOf({ client }: TestTemporal, window: string, from: number, to: number): Promise<number[]> {
  const { startTime } = await client.workflowService.listScheduleMatchingTimes({
    namespace: 'default',
    scheduleId: `window/test/local/${window}`,
    ...{ startTime: { seconds: from / 1000 } as never, endTime: { seconds: to / 1000 } as never },
  });
  return startTime.map(({ seconds }) => Number(seconds) * 1000);
}

describe('Schedules in zones with odd changes of the clocks', () => {
  let temporal: TestTemporal;
  beforeAll(async () => {
    temporal = await startLocalServer({ activities });
    await apply(temporal, windows);
  }, 120_000);
  afterAll(() => temporal?.stop());

  test('there are both kinds of changes in each zone, and more than two hundred of them', () => {
    const kinds = (zone: string) => new Set([...changesOf(zone)].map(({ kind }) => kind)).size;
    expect(ZONES.filter((zone) => kinds(zone) < 2)).toEqual([]);
    expect(awkward.flatMap(({ changes }) => changes).length).toBeGreaterThan(200);
  });

  test.each(awkward)('$name is started once for each of its dates of 2024 to 2030, before it opens', async (each) => {
    const { name, window, changes } = each;
    const openings = openingsWithin(window, FROM, DAYS);
    const dates = openings.map(({ date }) => date);
    expect(dates).toEqual(expect.arrayContaining(changes.map(({ date }) => date)));
    const firings = await firingsOf(temporal, name, FROM, FROM + DAYS * DAY);
    const due = firings.map((at) => openingDue(window, at));
    expect(due.map((opening) => opening?.date)).toEqual(dates);
    const late = due.filter((opening, index) => opening!.opensAt < firings[index]!);
    expect(late).toEqual([]);
  });

  const samples = ZONES.flatMap((zone) =>
    (['skips', 'repeats'] as const).flatMap((kind) =>
      awkward
        .flatMap(({ name, window, changes }) => changes.map((change) => ({ name, window, ...change })))
        .filter((each) => each.window.zone === zone && each.kind === kind)
        .slice(-1),
    ),
  );
  test.each(samples)('$name, whose time a change $kind on $date, starts one run for it', async (each) => {
    const { name, window, date, at } = each;
    // The run of the week after shows that this date is done with.
    const [start, end] = [new Date(at - 1.5 * DAY), new Date(at + 8.5 * DAY)];
    const handle = temporal.client.schedule.getHandle(`window/test/local/${name}`);
    await handle.backfill({ start, end, overlap: ScheduleOverlapPolicy.ALLOW_ALL });
    const dates = async () => {
      const { recentActions } = (await handle.describe()).info;
      const fired = recentActions.map(({ scheduledAt }) => scheduledAt).filter((when) => when >= start && when <= end);
      return fired.map((when) => openingDue(window, when.getTime())?.date);
    };
    const next = Temporal.PlainDate.from(date).add({ days: 7 }).toString();
    while (!(await dates()).includes(next));
    expect(await dates()).toEqual([date, next]);
  });
});

/** Rules of a zone that is always so far ahead of UTC, in a file as a machine has it (RFC 9636). */
function zoneFile(hours: number): Buffer {
  const header = Buffer.alloc(44);
  header.write('TZif');
  // One kind of local time, and the four letters of its name.
  header.writeUInt32BE(1, 36);
  header.writeUInt32BE(4, 40);
  const kind = Buffer.alloc(6);
  kind.writeInt32BE(hours * 3600);
  return Buffer.concat([header, kind, Buffer.from('TST\0')]);
}

test('a server with other rules for the zones does not matter: the rules of the worker win', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'windlass-zones-'));
  const others = { 'Africa/Abidjan': 1, 'Africa/Lagos': 0, 'Asia/Kolkata': 9 };
  for (const [zone, hours] of Object.entries(others)) {
    mkdirSync(dirname(join(folder, zone)), { recursive: true });
    writeFileSync(join(folder, zone), zoneFile(hours));
  }
  // Where a program in Go looks first.
  const server = (binary: string): string => {
    const file = join(folder, 'temporal');
    writeFileSync(file, `#!/bin/sh\nZONEINFO='${folder}' exec '${binary}' "$@"\n`, { mode: 0o755 });
    return file;
  };
  try {
    await withLocalServer({ activities, server }, async (temporal) => {
      const of = Object.keys(others).map((zone): [string, CatalogWindow] => [
        zone.toLowerCase().replace('/', '-'),
        windowOf(zone, { weekday: 'sunday', at: '00:30' }),
      ]);
      await apply(temporal, Object.fromEntries(of));
      // It does have them.
      const { client, taskQueue } = temporal;
      await client.schedule.create({
        scheduleId: 'window/test/local/by-the-zone',
        spec: { timezone: 'Africa/Abidjan', calendars: [{ hour: 12 }] },
        action: { type: 'startWorkflow', workflowType: 'maintenanceWindow', taskQueue },
        state: { paused: true },
      });
      expect(await firingsOf(temporal, 'by-the-zone', FROM, FROM + DAY - 1)).toEqual([FROM + DAY - HOUR]);

      for (const [name, window] of of) {
        const firings = await firingsOf(temporal, name, FROM, FROM + DAYS * DAY);
        const openings = openingsWithin(window, FROM, DAYS);
        expect(firings.map((at) => openingDue(window, at))).toEqual(openings);
        const leads = openings.map(({ opensAt }, index) => (opensAt - firings[index]!) / HOUR);
        expect([Math.min(...leads) >= 0.5, Math.max(...leads) <= 1]).toEqual([true, true]);
      }
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}, 60_000);
