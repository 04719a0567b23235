import { sleep } from '@temporalio/workflow';

/** Sleeps under a name that the timeline of the Temporal UI shows. */
export const sleepAs = (summary: string, ms: number): Promise<void> => sleep(Math.max(1, ms), { summary });
