import type { ActionContext } from './action.ts';

/** When the first attempt began, in milliseconds since the epoch: a worker that died must not prolong a deadline. */
export function startedAt({ former, now }: Pick<ActionContext, 'former' | 'now'>): { startedAt: number } {
  return { startedAt: (former as { startedAt?: number } | undefined)?.startedAt ?? now() };
}
