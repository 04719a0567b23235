import { waitFor } from '../../scripts/sandbox/wait.ts';
import type { App } from './agent.ts';
import { adminCluster, type TestNamespace } from './namespace.ts';
import { valueOf } from './prometheus-value.ts';

/**
 * Waits until Prometheus sees that the app is down and stays down. A pod that ends is down too; then there is nothing to
 * measure until the next one is seen. So only a pod that nobody has deleted counts.
 */
export async function untilAppDown({ name: namespace }: TestNamespace, { container }: App): Promise<void> {
  await waitFor(
    `${container} down`,
    async () => {
      const pods = await adminCluster().list('Pod', namespace, { labelSelector: `app=${container}` });
      const [pod] = pods;
      if (!pod || pods.length > 1 || pod.metadata.deletionTimestamp) return false;
      return (await valueOf(`up{namespace="${namespace}",pod="${pod.metadata.name}"}`)) === 0;
    },
    { timeoutSeconds: 90 },
  );
}
