import { judgeHealth, sameVersion } from '../../src/domain/health.ts';

const NOW = Date.parse('2026-11-23T12:00:00Z');
const expected = { checks: ['database', 'redis'], maxAge: 60_000, expectedVersion: 'v2.2.0' };
const answer = (over: object = {}) => ({
  status: 'healthy',
  timestamp: '2026-11-23T11:59:30Z',
  version: '2.2.0',
  uptime: 12.5,
  checks: { database: 'healthy', redis: { status: 'healthy' } },
  ...over,
});

test('an answer with all that the contract asks for is healthy', () => {
  expect(judgeHealth(answer(), NOW, expected)).toEqual({ healthy: true, version: '2.2.0', faults: [] });
});

test.each([
  ['an unhealthy status', { status: 'degraded' }, 'status is "degraded", expected healthy'],
  ['no status', { status: undefined }, 'status is missing, expected healthy'],
  ['a stale timestamp', { timestamp: '2026-11-23T11:58:00Z' }, 'timestamp "2026-11-23T11:58:00Z" is 120 s old: stale'],
  [
    'a timestamp ahead',
    { timestamp: '2026-11-23T12:02:00Z' },
    'timestamp "2026-11-23T12:02:00Z" is 120 s ahead: stale',
  ],
  ['no time at all', { timestamp: 'soon' }, 'timestamp is "soon", expected an ISO 8601 time'],
  ['a wrong version', { version: 'v2.1.5' }, 'version is v2.1.5, expected v2.2.0'],
  ['no version', { version: '' }, 'version is missing'],
  ['no uptime', { uptime: '5 min' }, 'uptime is "5 min", expected seconds'],
  ['a missing check', { checks: { database: 'healthy' } }, 'check redis is missing'],
  ['an unhealthy check', { checks: { database: 'healthy', redis: 'down' } }, 'check redis is "down"'],
  [
    'an unhealthy check that nobody asked for',
    { checks: { database: 'healthy', redis: 'ok', mail: { status: 'down' } } },
    'check mail is "down"',
  ],
  ['no checks', { checks: null }, 'checks are missing'],
])('%s is named', (_case, over, fault) => {
  const report = judgeHealth(answer(over), NOW, expected);
  expect(report.faults).toEqual([fault]);
  expect(report.healthy).toBe(false);
});

test('all faults are named, not only the first', () => {
  const { faults } = judgeHealth(answer({ status: 'unhealthy', checks: { redis: 'down' } }), NOW, expected);
  expect(faults).toHaveLength(3);
});

test.each([['text'], [null], [[]], [undefined]])('%j is no health answer', (body) => {
  expect(judgeHealth(body, NOW, expected).faults).toEqual(['the health answer is not a JSON object']);
});

test('a leading v makes no other version', () => {
  expect(sameVersion('v2.2.0', '2.2.0')).toBe(true);
  expect(sameVersion('2.2.0', '2.2.1')).toBe(false);
});
