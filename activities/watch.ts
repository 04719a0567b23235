import { startedAt as startedAtOf } from '../src/actions/started-at.ts';
import { watch as watchWith } from '../src/actions/watch.ts';
import { activityTools } from './tools.ts';

/** As the watch of actions, in the activity that runs. */
export const watch = <T>(everyMs: number, look: () => Promise<T | undefined>, details?: unknown): Promise<T> =>
  watchWith(activityTools(), everyMs, look, details);

/** When the first attempt began, in milliseconds since the epoch: a worker that died must not prolong a deadline. */
export const startedAt = (): { startedAt: number } => startedAtOf(activityTools());
