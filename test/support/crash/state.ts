import type { ChangeControlState } from '../../../src/contracts/change-control.ts';
import { normalize } from './calls.ts';
import type { Live } from './cluster.ts';

/** Set by the cluster, not by whoever wrote the object. */
const OF_THE_CLUSTER = ['deployment.kubernetes.io/revision', 'kubectl.kubernetes.io/last-applied-configuration'];

/** The final state of a namespace as lines that are the same for every run that ended the same, one per object. */
export function describeObjects(objects: Live[], environment: string): string[] {
  return objects
    .filter(({ metadata }) => metadata?.name !== 'kube-root-ca.crt')
    .map(({ kind, metadata, spec = {}, status = {} }) => {
      const annotations = Object.entries(metadata?.annotations ?? {}).filter(
        ([name]) => !OF_THE_CLUSTER.includes(name),
      );
      const { clusterIP: _ip, clusterIPs: _ips, ...wanted } = spec;
      const facts = {
        labels: withoutIds(metadata?.labels),
        annotations: Object.fromEntries(annotations.sort()),
        spec: kind === 'Job' ? { completions: spec['completions'] } : wanted,
        status: { ready: status['readyReplicas'], succeeded: status['succeeded'], failed: status['failed'] },
      };
      return normalize(`${kind} ${metadata?.name}: ${JSON.stringify(facts)}`, environment);
    })
    .sort();
}

/** Change control when all is over. `sequence` counts grants and releases, so a doubled grant shows in it. */
export function describeChangeControl({ leases, queue, budget, sequence, ignored }: ChangeControlState): string {
  const held = leases.map(
    ({ scope, mode, holder, dirty }) => `${scope} ${mode} ${holder.procedure}${dirty ? ' dirty' : ''}`,
  );
  const zone = budget ? `, zone ${budget.zone}, told ${budget.told?.channels.join(' and ')}` : '';
  return `change control: leases [${held.join(', ')}], queue ${queue.length}, sequence ${sequence}, ignored ${ignored}${zone}`;
}

function withoutIds(labels: Record<string, string> = {}): Record<string, string> {
  return Object.fromEntries(
    Object.entries(labels)
      .filter(([name]) => !/controller-uid|job-name/.test(name))
      .sort(),
  );
}
