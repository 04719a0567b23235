import { failure } from '../src/adapters/failure.ts';
import { annotate, testUnchanged, unannotate, type Operation } from '../src/adapters/kubernetes/json-patch.ts';
import type { Cluster } from '../src/adapters/kubernetes/cluster.ts';
import type { DatabaseSlice, Target } from '../src/contracts/catalog.ts';
import type { LiveDependant } from '../src/domain/backup/restore-plan.ts';
import type { Deployment } from '../src/domain/release/objects.ts';
import { hasEnded, labelText, workloadOf } from '../src/domain/release/ownership.ts';
import { MARKS } from '../src/domain/release/state.ts';
import type { Dependencies } from './dependencies.ts';
import { openTarget, raiseFence, readFenced } from './guard.ts';
import { watch } from './watch.ts';

export interface DependantsRequest {
  slice: DatabaseSlice;
  dependants: LiveDependant[];
  /** Fencing tokens by lease scope: those of the dependants' services count here. */
  tokens: Record<string, number>;
}

const ROUNDS = 5;
const EVERY_MS = 500;

/**
 * What uses a database: stopped while the database is swapped, and started again as it was. Convergent: the former number
 * of replicas is in an annotation that is written with the 0 and removed with the number, so a process may die before or
 * after each patch and the next attempt finds what is left to do.
 */
export function createDependantActivities({ kubernetes }: Pick<Dependencies, 'kubernetes'>) {
  return {
    /** How they are now. It only looks. @throws Forbidden */
    async describeDependants({ slice }: { slice: DatabaseSlice }): Promise<LiveDependant[]> {
      if (slice.spec.dependants.length === 0) return [];
      const cluster = await open(slice);
      const autoscalers = await cluster.list('HorizontalPodAutoscaler', slice.namespace);
      return Promise.all(
        slice.spec.dependants.map(async ({ kind, name, service }): Promise<LiveDependant> => {
          const workload = await cluster.find(kind, slice.namespace, name);
          const autoscaler = autoscalers.find(
            ({ spec: { scaleTargetRef: of } }) => of.kind === kind && of.name === name,
          )?.metadata.name;
          return {
            ...{ kind, name },
            ...(service ? { service } : {}),
            ...(workload ? { replicas: rememberedBy(workload) ?? workload.spec.replicas ?? 1 } : {}),
            ...(autoscaler ? { autoscaler } : {}),
          };
        }),
      );
    },

    /** From now on nothing of an older lease on their services changes anything. Convergent. @throws Fenced */
    async claimDependants({ slice, tokens }: DependantsRequest): Promise<void> {
      for (const [service, token] of Object.entries(tokens)) {
        const target = targetOf(slice, service);
        if (target) await raiseFence(await openTarget(kubernetes, target), { target, token });
      }
    },

    /** Remembers the replicas of each and sets them to 0. @throws Fenced, NotFound, Forbidden */
    async stopDependants(request: DependantsRequest): Promise<void> {
      await change(request, (workload) => {
        if (rememberedBy(workload) !== undefined && workload.spec.replicas === 0) return [];
        const own = rememberedBy(workload) ?? workload.spec.replicas ?? 1;
        return [
          { op: 'add', path: '/spec/replicas', value: 0 },
          ...annotate(workload.metadata, { [MARKS.replicas]: String(own) }),
        ];
      });
    },

    /** Gives each its replicas back; nothing where none are remembered. @throws Fenced, Forbidden */
    async startDependants(request: DependantsRequest): Promise<void> {
      await change(request, (workload) => {
        const own = rememberedBy(workload);
        if (own === undefined) return [];
        return [{ op: 'add', path: '/spec/replicas', value: own }, ...unannotate(workload.metadata, MARKS.replicas)];
      });
    },

    /**
     * Returns when none of them has a pod any more, or each has as many ready ones as it shall have. A pod that is ending
     * counts: what it still does would go into the database that is swapped in.
     */
    async awaitDependants({ slice, dependants, ready }: DependantsRequest & { ready: boolean }): Promise<void> {
      if (dependants.length === 0) return;
      const cluster = await open(slice);
      await watch(EVERY_MS, async () => {
        for (const { kind, name } of dependants) {
          const workload = await cluster.find(kind, slice.namespace, name);
          if (workload && !(ready ? isReady(workload) : await isStopped(cluster, workload, kind))) return undefined;
        }
        return true;
      });
    },
  };

  function open(slice: DatabaseSlice): Promise<Cluster> {
    const { context, uid } = slice.cluster;
    return openTarget(kubernetes, {
      ...{ system: slice.system, environment: slice.environment, service: '', context, namespace: slice.namespace },
      ...(uid ? { clusterUid: uid } : {}),
      kubernetesService: '',
    });
  }

  async function change(
    { slice, dependants, tokens }: DependantsRequest,
    decide: (workload: Deployment) => Operation[],
  ): Promise<void> {
    for (const { kind, name, service } of dependants) {
      const target = service === undefined ? undefined : targetOf(slice, service);
      const cluster = target ? await openTarget(kubernetes, target) : await open(slice);
      await settle(name, async () => {
        const workload = await cluster.read(kind, slice.namespace, name);
        const operations = decide(workload);
        if (operations.length === 0) return true;
        // Read before the fence is: whoever takes the lease in between changes the workload, and the patch then misses.
        const token = service === undefined ? undefined : tokens[service];
        if (target && token !== undefined) await readFenced(cluster, { target, token });
        const patch = [testUnchanged(workload.metadata), ...operations];
        return (await cluster.patch(kind, slice.namespace, name, patch)) !== undefined;
      });
    }
  }
}

export type DependantActivities = ReturnType<typeof createDependantActivities>;

async function settle(name: string, attempt: () => Promise<boolean>): Promise<void> {
  for (let round = 0; round < ROUNDS; round++) if (await attempt()) return;
  throw failure('Unavailable', `${name} is being changed by others all the time.`);
}

function targetOf(slice: DatabaseSlice, service: string): Target | undefined {
  const kubernetesService = slice.services[service];
  if (!kubernetesService) return undefined;
  const { context, uid } = slice.cluster;
  return {
    ...{ system: slice.system, environment: slice.environment, service, context, namespace: slice.namespace },
    ...(uid ? { clusterUid: uid } : {}),
    kubernetesService,
  };
}

function rememberedBy({ metadata }: Deployment): number | undefined {
  const text = metadata.annotations?.[MARKS.replicas];
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}

const isObserved = ({ metadata, status }: Deployment): boolean =>
  (status?.observedGeneration ?? 0) >= (metadata.generation ?? 0);

/** The count in a workload's status leaves out pods that are ending. */
async function isStopped(cluster: Cluster, workload: Deployment, kind: string): Promise<boolean> {
  const { metadata, spec, status } = workload;
  if (!isObserved(workload) || (status?.replicas ?? 0) > 0) return false;
  const labelSelector = labelText(spec.selector.matchLabels ?? {});
  const pods = await cluster.list('Pod', metadata.namespace, { labelSelector });
  const own = kind === 'Deployment' ? metadata.name : `${kind}/${metadata.name}`;
  return !pods.some((pod) => workloadOf(pod) === own && !hasEnded(pod));
}

const isReady = (workload: Deployment): boolean =>
  isObserved(workload) && (workload.status?.readyReplicas ?? 0) >= (workload.spec.replicas ?? 1);
