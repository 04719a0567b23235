import { ApplicationFailure } from '@temporalio/common';
import { createLeasesActivities } from '../../activities/leases.ts';
import { changeControlId, STAND_DOWN_GRACE_MS, type ChangeControlState } from '../../src/contracts/change-control.ts';
import { withTimeSkipping } from '../support/temporal.ts';
import type { HolderInput, HolderView } from '../support/workflows/holders.ts';

const at = { system: 'sandbox', environment: 'local' };

test('change control sleeps until the grace time is over, and then displaces the holder', async () => {
  const options = {
    workflows: 'test/support/workflows/holders.ts',
    activities: (given: Parameters<typeof createLeasesActivities>[0]) => ({
      ...createLeasesActivities(given),
      // An activity under way keeps this server from skipping time, so nobody watches between two attempts.
      awaitHolderEnd: () => Promise.reject(ApplicationFailure.create({ message: 'later', nextRetryDelay: '1 day' })),
    }),
  };
  await withTimeSkipping(options, async ({ client, env, taskQueue }) => {
    const start = (workflowId: string, input: Omit<HolderInput, 'at' | 'scope'>) =>
      client.workflow.start('holder', { taskQueue, workflowId, args: [{ at, scope: 'shop', ...input }] });
    const deploy = await start('deploy', {
      priority: 'deployment',
      steps: [{ do: 'hold', onBusy: 'refuse' }, { do: 'wait' }],
    });
    while ((await deploy.query<HolderView>('view')).done < 1) await env.sleep(10);
    const rollback = await start('rollback', {
      priority: 'rollback',
      steps: [{ do: 'hold', onBusy: 'queue', preempt: true }],
    });
    const { takenFrom } = (await rollback.result()) as HolderView;
    expect(takenFrom?.how).toBe('displaced');
    const control = client.workflow.getHandle(changeControlId(at));
    const [lease] = (await control.query<ChangeControlState>('state')).leases;
    expect(lease?.holder.workflowId).toBe('rollback');
    const took = Date.parse(lease!.since) - (await rollback.describe()).startTime.getTime();
    expect(took).toBeGreaterThanOrEqual(STAND_DOWN_GRACE_MS);
    // What is above the grace time is real time: the way of the request through activity and Update.
    expect(took).toBeLessThan(STAND_DOWN_GRACE_MS + 10_000);
  });
}, 90_000);
