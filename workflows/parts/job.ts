import { workflowInfo } from '@temporalio/workflow';
import { runMark } from '../../src/domain/run-mark.ts';
import { poll } from './activities.ts';
import { evidenceKey, type ColorWork } from './color.ts';
import { failure } from './failure.ts';

/**
 * Runs a Job of the catalog to its end; its log is kept when it fails.
 * @throws ApplicationFailure `JobFailed`, also when it takes longer than the catalog allows.
 */
export async function runCatalogJob(
  work: ColorWork,
  which: 'preDeployment' | 'postDeployment',
  via: string,
): Promise<void> {
  const { procedure, slice, plan, token } = work;
  const job = slice.spec.release[which];
  if (!job) return;
  const title = which === 'preDeployment' ? 'pre-deployment' : 'post-deployment';
  await procedure.step('changing', `Run the ${title} Job`);
  const { target } = plan;
  const done = await poll(`Run the ${title} Job`).runJob({
    target,
    token,
    name: `${slice.spec.workload.name}-${title}-${runMark(workflowInfo().firstExecutionRunId)}`,
    job,
    fill: {
      version: plan.to.version,
      image: plan.to.image,
      service: via,
      port: slice.spec.port,
    },
    evidenceKey: evidenceKey(`${title}.log`),
  });
  if (done.outcome !== 'succeeded')
    throw failure(
      'JobFailed',
      `The ${title} Job ${done.outcome}: ${done.detail}${done.log ? ` Its log: ${done.log.uri}.` : ''}`,
    );
}
