import { fillIn, jobManifest, judgeJob } from '../../src/domain/release/job.ts';
import type { Job } from '../../src/domain/release/objects.ts';

const NOW = Date.parse('2026-11-23T12:00:00Z');
const job = (status: Job['status']): Job => ({
  metadata: { name: 'check', namespace: 'shop', uid: 'u', resourceVersion: '1' },
  status,
});
const condition = (type: string, reason?: string) => [{ type, status: 'True', ...(reason ? { reason } : {}) }];
const started = (secondsAgo: number) => ({ startTime: new Date(NOW - secondsAgo * 1000).toISOString() });

test.each([
  ['runs', started(10), undefined],
  ['completed', { ...started(400), conditions: condition('Complete') }, 'succeeded'],
  ['failed', { ...started(10), conditions: condition('Failed', 'BackoffLimitExceeded') }, 'failed'],
  ['is about to fail', { ...started(10), conditions: condition('FailureTarget', 'BackoffLimitExceeded') }, 'failed'],
  ['passed its own deadline', { ...started(10), conditions: condition('Failed', 'DeadlineExceeded') }, 'timed-out'],
  ['runs for longer than allowed', started(301), 'timed-out'],
])('a Job that %s is judged so', (_case, status, outcome) => {
  expect(judgeJob(job(status), 300_000, NOW)?.outcome).toBe(outcome);
});

test('a Job outlives our patience by a little, so that its log can be read', () => {
  const order = { image: '${image}', command: ['check', '${url}', '${unknown}'], timeout: 300_000 };
  const fill = { image: 'shop:v2', url: 'http://10.0.0.1:80' };
  const { spec } = jobManifest({ name: 'check', job: order, fill, token: 3, createdBy: 'deploy/shop' });
  expect(spec).toMatchObject({
    backoffLimit: 0,
    activeDeadlineSeconds: 330,
    template: { spec: { containers: [{ image: 'shop:v2', command: ['check', 'http://10.0.0.1:80', '${unknown}'] }] } },
  });
});

test('what is filled in is not filled in again', () => {
  expect(fillIn('${a}', { a: '${b}', b: 'c' })).toBe('${b}');
});
