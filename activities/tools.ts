import { activityInfo, heartbeat, sleep } from '@temporalio/activity';

/** What shared watches need of the activity that runs; actions have it in their context. */
export const activityTools = () => ({
  heartbeat,
  sleep: (ms: number) => sleep(ms),
  former: activityInfo().heartbeatDetails as unknown,
  now: () => Date.now(),
});
