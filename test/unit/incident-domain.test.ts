import type { IncidentAlert, IncidentRecord } from '../../src/contracts/handle-incident.ts';
import { incidents } from '../../src/contracts/incident-catalog.ts';
import { endOfNextBusinessDay, instantOf, isBusinessDay } from '../../src/domain/incident/business-days.ts';
import { dueAfter, escalationTimes, levelAt } from '../../src/domain/incident/clock.ts';
import {
  emptyLedger,
  enter,
  firesStill,
  KEPT_ALERTS,
  KEPT_CHARACTERS,
  keyOf,
  without,
} from '../../src/domain/incident/ledger.ts';
import { draftPostMortem } from '../../src/domain/incident/post-mortem.ts';
import { noted, ruleFor, timesOf, TIMELINE_ENTRIES } from '../../src/domain/incident/record.ts';
import { computeSeverity } from '../../src/domain/incident/severity.ts';

const MINUTE = 60_000;
const VIENNA = {
  zone: 'Europe/Vienna',
  businessHours: { from: '09:00', until: '17:00' },
  holidays: ['2026-12-25', '2026-12-08'],
};
const utc = (text: string): number => Date.parse(`${text}Z`);

describe('the next business day', () => {
  test.each([
    ['in the week', '2026-11-24T10:00:00', '2026-11-25T16:00:00'],
    ['over a weekend, from Friday', '2026-11-27T10:00:00', '2026-11-30T16:00:00'],
    ['from Saturday', '2026-11-28T10:00:00', '2026-11-30T16:00:00'],
    ['from Sunday', '2026-11-29T10:00:00', '2026-11-30T16:00:00'],
    ['over a holiday', '2026-12-07T10:00:00', '2026-12-09T16:00:00'],
    ['over a holiday and a weekend', '2026-12-24T10:00:00', '2026-12-28T16:00:00'],
    ['late on Sunday in UTC, when it is Monday there', '2026-11-29T23:30:00', '2026-12-01T16:00:00'],
    ['over the change to summer time', '2027-03-26T10:00:00', '2027-03-29T15:00:00'],
  ])('ends at the end of the business hours of the zone: %s', (_, at, expected) => {
    expect(new Date(endOfNextBusinessDay(utc(at), VIENNA)).toISOString()).toBe(`${expected}.000Z`);
  });

  test.each([
    ['2026-11-26', true],
    ['2026-11-28', false],
    ['2026-11-29', false],
    ['2026-12-25', false],
  ])('%s is a business day: %s', (date, expected) => expect(isBusinessDay(date, VIENNA)).toBe(expected));

  test.each([
    ['2026-01-15', '09:00', 'Europe/Vienna', '2026-01-15T08:00:00.000Z'],
    ['2026-07-15', '09:00', 'Europe/Vienna', '2026-07-15T07:00:00.000Z'],
    ['2026-07-15', '09:00', 'America/New_York', '2026-07-15T13:00:00.000Z'],
    ['2026-07-15', '00:30', 'Asia/Kolkata', '2026-07-14T19:00:00.000Z'],
    ['2026-10-25', '12:00', 'Europe/Vienna', '2026-10-25T11:00:00.000Z'],
  ])('%s %s in %s is %s', (date, time, zone, expected) =>
    expect(new Date(instantOf(date, time, zone)).toISOString()).toBe(expected),
  );
});

describe('the response clock', () => {
  const at = utc('2026-11-27T10:00:00');

  test.each([
    ['P-01 P0', 5 * MINUTE, '2026-11-27T10:05:00.000Z'],
    ['P-01 P1 and H-11 Sev1', 15 * MINUTE, '2026-11-27T10:15:00.000Z'],
    ['P-01 P2 and H-11 Sev2', 60 * MINUTE, '2026-11-27T11:00:00.000Z'],
    ['H-11 Sev3', 240 * MINUTE, '2026-11-27T14:00:00.000Z'],
    ['P-01 P3 and H-11 Sev4', 'next-business-day' as const, '2026-11-30T16:00:00.000Z'],
  ])('%s must be answered by then', (_, within, expected) =>
    expect(new Date(dueAfter(at, within, VIENNA)).toISOString()).toBe(expected),
  );

  test('calls the chain one after another', () => {
    const times = escalationTimes(at, { respondWithin: 15 * MINUTE, escalateEvery: 10 * MINUTE }, 4, VIENNA);
    expect(times.map((time) => (time - at) / MINUTE)).toEqual([0, 15, 25, 35]);
    expect([0, 14, 15, 34, 35, 999].map((minutes) => levelAt(times, at + minutes * MINUTE))).toEqual([
      0, 0, 1, 2, 3, 3,
    ]);
  });

  test('calls nobody on a weekend for what waits for the next business day', () => {
    const times = escalationTimes(
      at,
      { respondWithin: 'next-business-day', escalateEvery: 'next-business-day' },
      3,
      VIENNA,
    );
    expect(times.map((time) => new Date(time).toISOString())).toEqual([
      '2026-11-27T10:00:00.000Z',
      '2026-11-30T16:00:00.000Z',
      '2026-12-01T16:00:00.000Z',
    ]);
  });
});

describe('severity', () => {
  const { severities, alerts } = incidents.parse({
    severities: [
      {
        name: 'P0',
        respondWithin: '5m',
        escalateEvery: '5m',
        when: [
          { fact: 'agents-down', above: 50 },
          { label: 'severity', is: 'page' },
        ],
      },
      {
        name: 'P1',
        respondWithin: '15m',
        escalateEvery: '10m',
        when: [
          { fact: 'agents-down', above: 25 },
          { fact: 'error-rate', above: 10 },
          { fact: 'latency-ratio', above: 5 },
          { fact: 'uptime', below: 99 },
        ],
      },
      { name: 'P2', respondWithin: '1h', escalateEvery: '30m' },
    ],
    onCall: [{ name: 'primary', roles: ['devops'] }],
    alerts: [
      { alert: 'AgentDown', service: 'web', runbook: 'web-down' },
      { alert: 'AgentDown', runbook: 'down' },
    ],
  });

  test.each([
    [{ 'agents-down': 51 }, 'P0', 'agents-down is 51, over 50'],
    [{ 'agents-down': 50 }, 'P1', 'agents-down is 50, over 25'],
    [{ 'agents-down': 25 }, 'P2', 'no condition of a worse severity holds'],
    [{ 'error-rate': 10.004 }, 'P1', 'error-rate is 10, over 10'],
    [{ 'latency-ratio': 6 }, 'P1', 'latency-ratio is 6, over 5'],
    [{ uptime: 98.5 }, 'P1', 'uptime is 98.5, under 99'],
    [{ 'agents-down': 60, 'error-rate': 90 }, 'P0', 'agents-down is 60, over 50'],
    [{}, 'P2', 'no condition of a worse severity holds'],
  ])('of %j is %s', (facts, severity, why) =>
    expect(computeSeverity(severities, { facts, labels: [] })).toEqual({ severity, why }),
  );

  test('may come from the label of any alert', () => {
    const labels = [{ severity: 'info' }, { severity: 'page' }];
    expect(computeSeverity(severities, { facts: {}, labels }).severity).toBe('P0');
  });

  test('the runbooks are those of the first rule for the alert and the service', () => {
    expect(ruleFor({ alerts }, 'AgentDown', 'web')?.runbook).toBe('web-down');
    expect(ruleFor({ alerts }, 'AgentDown', 'api')?.runbook).toBe('down');
    expect(ruleFor({ alerts }, 'Other', 'api')).toBeUndefined();
  });
});

const alert = (over: Partial<IncidentAlert> = {}): IncidentAlert => ({
  fingerprint: 'f1',
  status: 'firing',
  startsAt: '2026-11-26T10:00:00Z',
  labels: { alertname: 'AgentDown' },
  annotations: {},
  ...over,
});

describe('the ledger of alerts', () => {
  const firing = alert();
  const ended = alert({ status: 'resolved' });

  test.each([
    ['one that fires', [firing], 1, 1],
    ['one that is sent again', [firing, firing, firing], 1, 1],
    ['one that ended', [firing, ended], 0, 1],
    ['one that is sent again after its end', [firing, ended, firing], 0, 1],
    ['an end without a beginning', [ended], 0, 0],
    ['one that fires anew', [firing, ended, alert({ startsAt: '2026-11-26T11:00:00Z' })], 1, 2],
    ['the same start in another notation', [firing, alert({ startsAt: '2026-11-26T11:00:00+01:00' })], 1, 1],
    ['two of them, one ended', [firing, alert({ fingerprint: 'f2' }), ended], 1, 2],
  ])('%s', (_, alerts, stillFiring, total) => {
    const { ledger } = enter(emptyLedger(), alerts, 7);
    expect(ledger).toMatchObject({ firing: stillFiring, total });
    expect(ledger.quietSince).toBe(stillFiring === 0 && total > 0 ? 7 : undefined);
  });

  test('without alerts that are known from elsewhere counts the others only', () => {
    const other = alert({ fingerprint: 'f2' });
    const { ledger } = enter(emptyLedger(), [firing, other, { ...other, status: 'resolved' }], 7);
    expect(without(ledger, [keyOf(firing)])).toMatchObject({ firing: 0, total: 1, kept: [other] });
  });

  test.each([
    ['fires while one alert of it does', [firing, alert({ fingerprint: 'f2' }), ended], true],
    ['does not fire when all of it ended', [firing, ended], false],
    ['is taken to fire when none of it was kept', [alert({ labels: { alertname: 'Other' } })], true],
  ])('a kind of alert %s', (_, alerts, fires) => {
    expect(firesStill(enter(emptyLedger(), alerts, 7).ledger, 'AgentDown')).toBe(fires);
  });

  test('keeps a storm small', () => {
    const storm = Array.from({ length: 1000 }, (__, index) => alert({ fingerprint: `f${index}` }));
    const { ledger, news } = enter(emptyLedger(), storm, 0);
    expect([ledger.total, ledger.kept.length, news.length]).toEqual([1000, KEPT_ALERTS, 1000]);
  });

  test('keeps fewer alerts when they are long, over several webhooks too', () => {
    const annotations = { description: 'x'.repeat(15_000) };
    const storm = Array.from({ length: 30 }, (__, index) => alert({ fingerprint: `f${index}`, annotations }));
    const first = enter(emptyLedger(), storm.slice(0, 10), 0).ledger;
    const { ledger } = enter(first, storm, 0);
    expect([first.kept.length, ledger.total, ledger.firing]).toEqual([10, 30, 30]);
    expect(ledger.kept.length).toBe(13);
    expect(JSON.stringify(ledger.kept).length).toBeLessThanOrEqual(KEPT_CHARACTERS);
  });
});

const record = (over: Partial<IncidentRecord> = {}): IncidentRecord => ({
  id: 'incident/test/local/shop',
  title: 'AgentDown',
  system: 'test',
  environment: 'local',
  severity: 'P1',
  computed: { severity: 'P2', why: 'no condition holds' },
  levels: 1,
  milestones: {
    startedAt: '2026-11-26T10:00:00.000Z',
    openedAt: '2026-11-26T10:01:00.000Z',
    acknowledgedAt: '2026-11-26T10:04:00.000Z',
    resolvedAt: '2026-11-26T10:31:00.000Z',
  },
  acknowledgedBy: 'kim',
  override: { severity: 'P1', by: 'ana', reason: 'customers call', at: '2026-11-26T10:05:00.000Z' },
  alerts: { total: 1, kept: [alert()] },
  runbooks: [{ purpose: 'remedy', runbook: 'agent-down', outcome: 'completed', workflowId: 'x/remedy' }],
  timeline: [{ at: '2026-11-26T10:01:00.000Z', text: 'opened <b>\nby' }],
  ...over,
});

describe('the record', () => {
  test('times are from opening to acknowledgement, and from the first alert to the end', () => {
    expect(timesOf(record())).toEqual({ mttaMs: 3 * MINUTE, mttrMs: 31 * MINUTE });
    expect(timesOf(record({ milestones: { startedAt: '', openedAt: '' } }))).toEqual({});
  });

  test('a long timeline keeps its first and its latest entries', () => {
    let long = record({ timeline: [] });
    for (let index = 0; index < 3 * TIMELINE_ENTRIES; index++) long = noted(long, index, `entry ${index}`);
    expect(long.timeline).toHaveLength(TIMELINE_ENTRIES);
    expect(long.timeline[0]!.text).toBe('entry 0');
    expect(long.timeline.at(-1)!.text).toBe(`entry ${3 * TIMELINE_ENTRIES - 1}`);
  });

  test('the draft of the post-mortem says what is recorded and asks what people must find out', () => {
    const draft = draftPostMortem(record());
    for (const expected of [
      '# Post-mortem: AgentDown',
      'P1 (by the rules P2: no condition holds)',
      'P1 by ana: customers call',
      '2026-11-26T10:04:00.000Z by kim',
      'Time to acknowledge:** 3 min',
      'Time to recover:** 31 min',
      'remedy: agent-down: completed',
      '2026-11-26T10:01:00.000Z opened b by',
      '- Root cause:',
    ])
      expect(draft).toContain(expected);
  });
});
