import { createHash } from 'node:crypto';
import { previewChanges, type Rejection } from '../src/adapters/kubernetes/dry-run.ts';
import { plannedWrites } from '../src/domain/release/planned-writes.ts';
import { planRelease, type DraftPlan } from '../src/domain/release/plan.ts';
import type { Refusal } from '../src/contracts/plan.ts';
import { selects } from '../src/domain/release/selectors.ts';
import { targetOf } from '../src/domain/release/target.ts';
import { colorOf, companions } from './color.ts';
import type { Dependencies } from './dependencies.ts';
import { openTarget } from './guard.ts';
import { createDigester } from './literals.ts';
import { observe, type Observation } from './observe.ts';
import type { DraftRequest, ReleaseActivities } from './release-types.ts';

/** The plan of a release: what people approve. */
export function createReleasePlanActivities({
  kubernetes,
}: Pick<Dependencies, 'kubernetes'>): Pick<ReleaseActivities, 'draftRelease'> {
  const digestLiteral = createDigester();
  return {
    /**
     * Reads the service, decides how the release would go, and lets the API server try each change without keeping it:
     * what admission, quota or validation would refuse is a refusal of the plan. This changes nothing.
     * @throws NotFound, WrongCluster, Forbidden, Unavailable
     */
    async draftRelease(request) {
      const { slice } = request;
      const cluster = await openTarget(kubernetes, targetOf(slice));
      const seen = await observe(cluster, targetOf(slice), slice.spec);
      const draft = planRelease({ ...request, target: targetOf(slice), live: seen.live });
      const plan = { ...draft, refusals: [...draft.refusals, ...strangers(seen)] };
      const digest = digestOf(request, plan, seen);
      if (plan.refusals.length > 0) return { ...plan, changes: [], digest };

      const old = seen.deployments.find(({ metadata }) => metadata.uid === plan.from.uid)!;
      const color = colorOf({ ...plan, changes: [], digest }, seen.live.fence, 'dry-run');
      const beside = await companions(cluster, plan, seen.service, old, color);
      const writes = plannedWrites({ plan, spec: slice.spec, service: seen.service, old, color, companions: beside });
      const { changes, rejections } = await previewChanges(cluster, plan.target.namespace, writes, digestLiteral);
      return {
        ...plan,
        changes,
        refusals: rejections.map(refusalOf),
        warnings: [...plan.warnings, ...sharedAutoscaler(plan, old.spec.selector.matchLabels)],
        digest,
      };
    },
  };
}

/**
 * SHA-256 of what is intended and of what must still be so when it is done: identities, the template and the image that
 * run, by digest. Not in it: sizes, which autoscalers change while people think, and anything that a dry run answers.
 */
function digestOf({ slice, image, version, requestedBy }: DraftRequest, plan: DraftPlan, seen: Observation): string {
  const serving = seen.live.deployments.find(({ uid }) => uid === plan.from.uid);
  const { replicas: _from, ...from } = plan.from;
  const { replicas: _to, ...to } = plan.to;
  const intent = {
    catalog: slice.digest,
    request: { image, version, requestedBy },
    target: plan.target,
    serviceUid: plan.serviceUid,
    from: { ...from, imageIds: serving?.imageIds ?? [] },
    to,
    narrowTo: plan.narrowTo ?? null,
    retireEarly: plan.retireEarly ?? null,
    hpa: plan.hpa ?? null,
    pdb: plan.pdb ?? null,
    gates: plan.gates,
  };
  return createHash('sha256').update(canonical(intent)).digest('hex');
}

/** JSON with sorted keys: the same intent gives the same text. */
const canonical = (value: unknown): string =>
  JSON.stringify(value, (_key, each: unknown) =>
    typeof each === 'object' && each !== null && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1)))
      : each,
  );

/** Pods that no Deployment made would lose their traffic at the switch, and nothing would bring them back. */
const strangers = ({ live, otherWorkloads }: Observation): Refusal[] =>
  otherWorkloads.length === 0
    ? []
    : [
        {
          code: 'foreign-pods',
          message: `Service ${live.name} also serves from ${otherWorkloads.join(' and ')}, which a blue-green release cannot replace: only Deployments can be behind it.`,
        },
      ];

const refusalOf = ({ kind, name, message }: Rejection): Refusal => ({
  code: 'not-admitted',
  message: `The API server would refuse ${kind} ${name}: ${message}`,
});

/** Kubernetes stops scaling where two autoscalers' pods overlap: https://kubernetes.io/docs (condition AmbiguousSelector). */
function sharedAutoscaler({ hpa, from, to }: DraftPlan, selector: Record<string, string> = {}): string[] {
  if (!hpa || !selects(selector, to.selector)) return [];
  return [
    `The selector of ${from.deployment} also takes in the pods of ${to.deployment}: until ${from.deployment} is retired, Kubernetes scales neither automatically (AmbiguousSelector). Retire it early if load may rise.`,
  ];
}
