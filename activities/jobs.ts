import { activityInfo } from '@temporalio/activity';
import { followJob } from '../src/actions/kubernetes/follow-job.ts';
import type { Cluster } from '../src/adapters/kubernetes/cluster.ts';
import { jobManifest } from '../src/domain/release/job.ts';
import type { Dependencies } from './dependencies.ts';
import { openTarget, readFenced } from './guard.ts';
import type { JobRequest, ReleaseActivities } from './release-types.ts';
import { activityTools } from './tools.ts';

/** Jobs of the catalog. */
export function createJobActivities({
  kubernetes,
  objects,
}: Pick<Dependencies, 'kubernetes' | 'objects'>): Pick<ReleaseActivities, 'runJob'> {
  return {
    /** As `followJob`: look-before-repeat. @throws Fenced, Interfered, Forbidden */
    async runJob(request) {
      const { target, name, job, evidenceKey, token } = request;
      const cluster = await openTarget(kubernetes, target);
      const createdBy = activityInfo().workflowExecution?.workflowId ?? 'unknown';
      return followJob({ ...activityTools(), objects }, cluster, {
        namespace: target.namespace,
        name,
        createdBy,
        timeoutMs: job.timeout,
        evidenceKey,
        async manifest() {
          await readFenced(cluster, request);
          const fill = { ...request.fill, url: await urlOf(cluster, request) };
          return jobManifest({ name, job, fill, createdBy, token });
        },
      });
    },
  };
}

/**
 * The Service under test by its address: the cluster's DNS may not know yet one that was made a second ago, and there
 * may be none. A headless Service has no address.
 */
async function urlOf(cluster: Cluster, { target, fill: { service, port } }: JobRequest): Promise<string> {
  const { clusterIP } = (await cluster.read('Service', target.namespace, service)).spec;
  const host = !clusterIP || clusterIP === 'None' ? `${service}.${target.namespace}` : clusterIP;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
