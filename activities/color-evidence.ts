import { heartbeat } from '@temporalio/activity';
import type { Cluster } from '../src/adapters/kubernetes/cluster.ts';
import type { Pod } from '../src/domain/release/objects.ts';
import { workloadOf } from '../src/domain/release/ownership.ts';
import { redactLiterals } from '../src/domain/release/redact.ts';
import { TEMPLATE_HASH } from '../src/domain/release/selectors.ts';
import type { Dependencies } from './dependencies.ts';
import { openTarget } from './guard.ts';
import { createDigester } from './literals.ts';
import type { ReleaseActivities } from './release-types.ts';

/** All of it stays under 4 MiB: logs take the most, and are cut to their last lines. */
const PODS = 5;
const LOG_BOUNDS = { lines: 1_000, bytes: 96 * 1024 };
const EVENTS = 200;

/** What a color looked like, for people who ask later why it failed. */
export function createColorEvidenceActivities({
  kubernetes,
  objects,
}: Pick<Dependencies, 'kubernetes' | 'objects'>): Pick<ReleaseActivities, 'keepColorEvidence'> {
  const digest = createDigester();
  return {
    /**
     * Keeps manifest, pods, events and logs (current and former runs) of a Deployment as one JSON document. Literals of
     * the environment are replaced; Secrets are not read. Effect: look-before-repeat, by key: what an earlier attempt
     * kept stands, because it shows the color sooner after its failure.
     */
    async keepColorEvidence({ target, deployment: name, evidenceKey }) {
      const cluster = await openTarget(kubernetes, target);
      const { namespace } = target;
      const kept = await objects.find(evidenceKey);
      if (kept) return kept;
      const [deployment, allPods, events] = await Promise.all([
        cluster.find('Deployment', namespace, name),
        cluster.list('Pod', namespace, { labelSelector: TEMPLATE_HASH }),
        cluster.list('Event', namespace),
      ]);
      const pods = allPods.filter((pod) => workloadOf(pod) === name);
      const isOurs = (of: string | undefined): boolean => of === name || (of ?? '').startsWith(`${name}-`);
      const body = {
        deployment: deployment ?? `Deployment ${name} was gone`,
        pods,
        events: events.filter(({ involvedObject }) => isOurs(involvedObject.name)).slice(-EVENTS),
      };
      return objects.put({
        key: evidenceKey,
        contentType: 'application/json',
        body: JSON.stringify(
          { ...(redactLiterals(body, digest) as object), logs: await logsOf(cluster, pods) },
          null,
          2,
        ),
      });
    },
  };
}

async function logsOf(cluster: Cluster, pods: Pod[]): Promise<Record<string, string>> {
  const logs: Record<string, string> = {};
  for (const { metadata, spec, status } of pods.slice(0, PODS)) {
    for (const { name } of spec?.containers ?? []) {
      const restarts = status?.containerStatuses?.find((each) => each.name === name)?.restartCount ?? 0;
      for (const previous of restarts > 0 ? [false, true] : [false]) {
        heartbeat();
        const text = await cluster.log(metadata.namespace, metadata.name, name, { ...LOG_BOUNDS, previous });
        if (text) logs[`${metadata.name}/${name}${previous ? ' (former run)' : ''}`] = text;
      }
    }
  }
  return logs;
}
