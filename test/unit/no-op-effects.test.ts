import type { ActivityExecuteInput } from '@temporalio/worker';
import { activityInterceptors, EFFECTING_ACTIVITIES } from '../support/extensions/no-op-effects.ts';

function execute(activityType: string, ...args: unknown[]): Promise<unknown> {
  const { inbound } = activityInterceptors[0]!({ info: { activityType } } as never);
  const input: ActivityExecuteInput = { args, headers: {} };
  return inbound!.execute!(input, () => Promise.resolve('done for real'));
}

test.each(EFFECTING_ACTIVITIES)('does not do %s', async (name) => {
  const request = { key: 'k', evidenceKey: 'k', channels: ['slack'], action: 'scaleWorkload' };
  expect(await execute(name, request)).not.toBe('done for real');
});

test('lets what only observes be done for real', async () => {
  expect(await execute('observeService', {})).toBe('done for real');
  expect(await execute('runAction', { action: 'describeWorkload' })).toBe('done for real');
});

test('says of a notice that it arrived, as a careless test would believe', async () => {
  expect(await execute('notify', { channels: ['slack'] })).toEqual({ delivered: ['slack'], failed: [] });
});
