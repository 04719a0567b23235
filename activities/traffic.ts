import { failure } from '../src/adapters/failure.ts';
import { annotate, pointer, test, unannotate, type Operation } from '../src/adapters/kubernetes/json-patch.ts';
import type { Labels, Pod, Service } from '../src/domain/release/objects.ts';
import { imageIdsOf, isLeaving, isReady, labelText, workloadOf } from '../src/domain/release/ownership.ts';
import { parseRecords, recordOutcome, recordSwitch } from '../src/domain/release/records.ts';
import { sameLabels, selects } from '../src/domain/release/selectors.ts';
import { MARKS, type ReleaseRecord } from '../src/domain/release/state.ts';
import { unpin } from './autoscaler.ts';
import type { Dependencies } from './dependencies.ts';
import { changeService, openTarget, raiseFence, verifyCluster } from './guard.ts';
import type { ReleaseActivities, SwitchRequest } from './release-types.ts';

const SELECTOR = pointer('spec', 'selector');

/**
 * The Service: who may change it, and whom it selects. Every change is one JSON Patch that tests the fence and what it
 * replaces. Its kind is convergent: a process that dies before the patch left nothing; one that dies after it leaves
 * the finished change, which the next attempt reads and takes for done.
 */
export function createTrafficActivities({
  kubernetes,
}: Pick<Dependencies, 'kubernetes'>): Pick<
  ReleaseActivities,
  'claimTarget' | 'narrowService' | 'restoreSelector' | 'switchTraffic' | 'recordOutcome'
> {
  return {
    /** Writes our token on the Service; from then on no holder of an older one can change it. @throws Fenced */
    async claimTarget(fenced) {
      await raiseFence(await openTarget(kubernetes, fenced.target), fenced);
    },

    /**
     * Makes the Service select the serving pods only, so that pods of a new color with the same labels get no traffic.
     * The former selector stays in an annotation. @throws Fenced, Interfered
     */
    async narrowService({ target, token, from, to }) {
      const cluster = await openTarget(kubernetes, target);
      await changeService(cluster, { target, token }, (service) => {
        if (sameLabels(selectorOf(service), to)) return [];
        return [
          ...replaceSelector(service, from, to),
          ...annotate(service.metadata, { [MARKS.adoptedSelector]: JSON.stringify(from) }),
        ];
      });
    },

    /**
     * Gives the Service its selector from before the release back. Refused while pods are there that the wide selector
     * reaches and the narrow one does not: they would get traffic. @throws Fenced, Interfered, Refused
     */
    async restoreSelector({ target, token, from, to }) {
      const cluster = await openTarget(kubernetes, target);
      const pods = await cluster.list('Pod', target.namespace, { labelSelector: labelText(to) });
      await changeService(cluster, { target, token }, (service) => {
        if (sameLabels(selectorOf(service), to)) return unannotate(service.metadata, MARKS.adoptedSelector);
        const operations = replaceSelector(service, from, to);
        assertNobodyNew(pods, from, to);
        return [...operations, ...unannotate(service.metadata, MARKS.adoptedSelector)];
      });
    },

    /**
     * Moves all traffic, and records it in the same patch. One round of parallel reads, one patch.
     * @throws Fenced, Interfered (the selector is another, or foreign pods would get traffic), Unavailable (not enough
     *   pods are ready now), Refused (the pods of a new release do not all run the same image)
     */
    async switchTraffic(request) {
      const { target, token, record } = request;
      const cluster = kubernetes.connect(target.context);
      const [service, pods] = await Promise.all([
        cluster.read('Service', target.namespace, target.kubernetesService),
        cluster.list('Pod', target.namespace, { labelSelector: labelText(record.selector) }),
        verifyCluster(cluster, target),
      ]);
      const switched = await changeService(
        cluster,
        { target, token },
        (now) => planSwitch(now, pods, request),
        service,
      );
      return { switchedAt: recordsOf(switched)[0]!.at };
    },

    /**
     * Says in the newest record of a Deployment what became of it; nothing when it has none. A color that is good also
     * gets its autoscaler's own minimum back, which kept it at size before it had traffic: a second convergent patch.
     * @throws Fenced
     */
    async recordOutcome({ target, token, deployment, outcome }) {
      const cluster = await openTarget(kubernetes, target);
      await changeService(cluster, { target, token }, ({ metadata }) => {
        const annotation = metadata.annotations?.[MARKS.releases];
        const records = recordOutcome(parseRecords(annotation), deployment, outcome);
        if (!records || JSON.stringify(records) === annotation) return [];
        const path = pointer('metadata', 'annotations', MARKS.releases);
        return [test(path, annotation), { op: 'replace', path, value: JSON.stringify(records) }];
      });
      if (outcome === 'good') await unpin(cluster, { target, token }, deployment);
    },
  };
}

const selectorOf = ({ spec }: Service): Labels => spec.selector ?? {};
const recordsOf = ({ metadata }: Service): ReleaseRecord[] => parseRecords(metadata.annotations?.[MARKS.releases]);

function planSwitch(service: Service, pods: Pod[], request: SwitchRequest): Operation[] {
  const { record, expect } = request;
  const moved = sameLabels(selectorOf(service), record.selector);
  const [newest] = recordsOf(service);
  if (moved && newest?.deployment === record.deployment && newest.image === record.image) return [];
  // Somebody may have moved it by hand to where we want it: then only the record is missing.
  const operations = replaceSelector(service, moved ? record.selector : expect, record.selector);
  assertFit(pods, request);
  const records = JSON.stringify(recordSwitch(recordsOf(service), request));
  return [...operations, ...annotate(service.metadata, { [MARKS.releases]: records })];
}

function replaceSelector(service: Service, from: Labels, to: Labels): Operation[] {
  const now = selectorOf(service);
  if (!sameLabels(now, from))
    throw failure(
      'Interfered',
      `Service ${service.metadata.name} selects ${labelText(now) || 'nothing'}, expected ${labelText(from)}: somebody else changed it.`,
      [{ found: now, expected: from }],
    );
  return [test(SELECTOR, now), { op: 'replace', path: SELECTOR, value: to }];
}

/** The pods that would get the traffic are the record's own, enough of them are ready, and new ones are all the same. */
function assertFit(pods: Pod[], { record, requireReady }: SwitchRequest): void {
  const present = pods.filter((pod) => !isLeaving(pod));
  const foreign = present.filter((pod) => workloadOf(pod) !== record.deployment);
  if (foreign.length > 0)
    throw failure(
      'Interfered',
      `${labelText(record.selector)} selects pods that are not of ${record.deployment}: ${foreign.map(({ metadata }) => metadata.name).join(', ')}.`,
    );
  const ready = present.filter(isReady);
  if (ready.length < requireReady)
    throw failure(
      'Unavailable',
      `${ready.length} of ${present.length} pods of ${record.deployment} are ready, ${requireReady} are needed to take the traffic.`,
    );
  // The way back must not fail on a tag that was pushed twice; a new release must not go out with two programs in it.
  if (record.outcome === 'soaking') assertOneImage(ready, record);
}

function assertOneImage(pods: Pod[], { deployment, image }: ReleaseRecord): void {
  const containers = new Set(pods.flatMap(({ spec }) => spec?.containers?.map(({ name }) => name) ?? []));
  for (const container of containers) {
    const ids = imageIdsOf(pods, container);
    if (ids.length > 1)
      throw failure(
        'Refused',
        `Pods of ${deployment} run ${ids.length} different images in container ${container} (${ids.join(', ')}): ${image} was pushed again. Release it by its digest.`,
      );
  }
}

function assertNobodyNew(pods: Pod[], narrow: Labels, wide: Labels): void {
  const reached = pods.filter((pod) => !isLeaving(pod) && !selects(narrow, pod.metadata.labels ?? {}));
  if (reached.length > 0)
    throw failure(
      'Refused',
      `${labelText(wide)} would give traffic to ${reached.map(({ metadata }) => metadata.name).join(', ')}: remove these pods first.`,
    );
}
