import type { ServiceSlice, Target } from '../../contracts/catalog.ts';
import type { Refusal } from '../../contracts/plan.ts';
import { formatDuration } from '../duration.ts';
import { toGateSpec } from '../gate.ts';
import { tagOf } from './image.ts';
import { unlistedOwners } from './field-owners.ts';
import type { ColorPlan, ReleasePlan } from './plan-types.ts';
import { servingDeployments, TEMPLATE_HASH } from './selectors.ts';
import type { LiveDeployment, LiveService } from './state.ts';

export interface PlanRequest {
  slice: ServiceSlice;
  target: Target;
  image: string;
  version: string;
  live: LiveService;
}

/** Everything of a release plan that follows from what was read; the server's dry run and the digest come on top. */
export type DraftPlan = Omit<ReleasePlan, 'changes' | 'digest'>;

/** Rollout and Jobs beside the times that the catalog sets, as seen on a warm cluster; only the shown estimate uses it. */
const USUAL_ROLLOUT_MS = 60_000;

/**
 * Decides how a blue-green release of one service would go: which color, whether the Service must be narrowed first,
 * what stands in the way. It refuses by name what it cannot do instead of trying.
 * @throws nothing: a plan with refusals is a plan that must not run.
 */
export function planRelease(request: PlanRequest): DraftPlan {
  const { slice, target, live } = request;
  const serving = servingDeployments(live);
  const from = serving[0];
  const refusals = from ? refusalsOf(request, serving) : nothingServes(live);
  const sides = planSides(request, from);
  const early = colorInTheWay(live, sides.to, refusals);
  const soak = slice.spec.release.soak;
  return {
    target: { ...target, clusterUid: live.clusterUid },
    serviceUid: live.uid,
    ...sides,
    ...(early ? { retireEarly: early } : {}),
    ...(from?.hpa ? { hpa: from.hpa } : {}),
    ...(from?.pdb ? { pdb: from.pdb } : {}),
    preview: `${live.name}-preview`,
    facts: [],
    refusals,
    warnings: warningsOf(request, from, early),
    gates: slice.policies.deployRelease.gates.map(toGateSpec),
    promotion: slice.policies.deployRelease.promotion.map(toGateSpec),
    blastRadius: blastRadius(request, from),
    reversibility:
      `Undo is a switch back within seconds for ${formatDuration(slice.spec.release.retireAfter)} after the switch; ` +
      `afterwards a rollback redeploys ${sides.from.version} (${sides.from.image}).`,
    expectedDurationMs: USUAL_ROLLOUT_MS + slice.spec.release.drain + soak.warmUp + soak.duration,
  };
}

function planSides(
  { slice, image, version, live }: PlanRequest,
  from: LiveDeployment | undefined,
): Pick<ReleasePlan, 'from' | 'to' | 'narrowTo'> {
  const { color, workload } = slice.spec;
  const [first, second] = color.names;
  const servingColor = color.names.find((each) => each === live.selector[color.label]);
  const nextColor =
    servingColor === second || (servingColor === undefined && from?.name === `${workload.name}-${second}`)
      ? first
      : second;
  const { [color.label]: _color, [TEMPLATE_HASH]: _hash, ...base } = live.adoptedSelector ?? live.selector;
  const record = live.releases.find((each) => each.deployment === from?.name && each.image === from.image);
  // Green carries the labels of the serving pods, so a Service without color or hash in its selector would take it in at once.
  const mustNarrow = !(color.label in live.selector) && !(TEMPLATE_HASH in live.selector) && from?.templateHash;
  const to: ColorPlan = {
    deployment: `${workload.name}-${nextColor}`,
    color: nextColor,
    image,
    version,
    replicas: from?.replicas ?? 0,
    selector: { ...base, [color.label]: nextColor },
  };
  const narrowTo = mustNarrow ? { ...live.selector, [TEMPLATE_HASH]: from.templateHash! } : undefined;
  return {
    from: {
      deployment: from?.name ?? '',
      image: from?.image ?? '',
      version: record?.version ?? versionFromImage(from?.image ?? ''),
      replicas: from?.replicas ?? 0,
      selector: narrowTo ?? live.selector,
      ...(from ? { uid: from.uid } : {}),
      ...(servingColor ? { color: servingColor } : {}),
      ...(from?.templateHash ? { templateHash: from.templateHash } : {}),
    },
    to,
    ...(narrowTo ? { narrowTo } : {}),
  };
}

const versionFromImage = (image: string): string => tagOf(image) ?? 'unknown';

function nothingServes(live: LiveService): Refusal[] {
  if (Object.keys(live.selector).length === 0)
    return [
      {
        code: 'service-without-selector',
        message: `Service ${live.name} has no selector: its traffic cannot be moved by one. Give it the labels of the pods it serves.`,
      },
    ];
  return [
    {
      code: 'nothing-serves',
      message: `No Deployment of namespace ${live.namespace} has pods that Service ${live.name} selects (${text(live.selector)}); StatefulSets and bare pods cannot be released blue-green.`,
    },
  ];
}

function refusalsOf({ slice, version, image, live }: PlanRequest, serving: LiveDeployment[]): Refusal[] {
  const from = serving[0]!;
  const refusals: Refusal[] = [];
  const refuse = (when: boolean | undefined, code: string, message: string): void => {
    if (when) refusals.push({ code, message });
  };
  refuse(
    serving.length > 1,
    'several-workloads',
    `Service ${live.name} selects pods of ${serving.map(({ name }) => name).join(' and ')}; a release needs one Deployment behind it.`,
  );
  refuse(
    from.image === image && live.releases[0]?.outcome !== 'soaking',
    'already-serving',
    `${image} (${version}) already serves ${live.name}.`,
  );
  refuse(
    from.hasPersistentVolumeOnce,
    'volume-read-write-once',
    `${from.name} mounts a ReadWriteOnce volume, which two colors cannot share.`,
  );
  refuse(from.hasHostPort, 'host-port', `${from.name} binds a host port, which two colors on a node cannot share.`);
  refuse(
    from.replicas === 0,
    'scaled-to-zero',
    `${from.name} is scaled to 0: there is nothing to take over from. Scale it up first.`,
  );
  refuse(!from.templateHash, 'rolling-out', `${from.name} has no current ReplicaSet yet; wait for its rollout to end.`);
  for (const quota of live.quota)
    refuse(
      quota.podsLeft !== undefined && quota.podsLeft < from.replicas,
      'quota',
      `Quota ${quota.name} leaves room for ${quota.podsLeft} pods, ${from.replicas} are needed beside the old color (${quota.text}).`,
    );
  const owners = [
    ...unlistedOwners(live.selectorManagers, slice.spec.fieldOwners).map((owner) => [
      owner,
      `the selector of Service ${live.name}`,
    ]),
    ...unlistedOwners(from.templateManagers, slice.spec.fieldOwners).map((owner) => [
      owner,
      `the pod template of ${from.name}`,
    ]),
  ];
  for (const [owner, field] of owners)
    refuse(
      true,
      'foreign-owner',
      `${owner} owns ${field} and would undo the release. Pause it, and say how under fieldOwners of service ${slice.service} in the catalog.`,
    );
  return refusals;
}

/** The Deployment that has the new color's name: ours from an earlier release goes early, another's is a refusal. */
function colorInTheWay(live: LiveService, to: ColorPlan, refusals: Refusal[]): ReleasePlan['retireEarly'] {
  const there = live.deployments.find(({ name }) => name === to.deployment);
  if (!there || servingDeployments(live).includes(there)) return undefined;
  const record = live.releases.find(({ deployment }) => deployment === there.name);
  if (!there.createdBy) {
    refusals.push({
      code: 'name-taken',
      message: `Deployment ${there.name} exists and was not made by a release; rename or delete it, the new color needs that name.`,
    });
    return undefined;
  }
  return { deployment: there.name, uid: there.uid, version: record?.version ?? versionFromImage(there.image) };
}

function warningsOf(
  { slice, live }: PlanRequest,
  from: LiveDeployment | undefined,
  early: ReleasePlan['retireEarly'],
): string[] {
  if (!from) return [];
  const warnings: string[] = [];
  if (!from.drains)
    warnings.push(
      `${from.name} does not show that it drains: keep-alive connections may be reset when its pods go. Add a preStop sleep, or the annotation windlass.dev/drains once the application drains by itself.`,
    );
  if (from.replicas === 1)
    warnings.push(`${from.name} has one replica: a node failure during the release is an outage.`);
  if (early)
    warnings.push(
      `${early.deployment} (${early.version}) still stands from an earlier release and is deleted early; going back to it then means redeploying it.`,
    );
  if (from.readyReplicas < from.replicas)
    warnings.push(`${from.name} has ${from.readyReplicas} of ${from.replicas} replicas ready now.`);
  for (const owner of slice.spec.fieldOwners)
    if (live.selectorManagers.includes(owner.manager) || from.templateManagers.includes(owner.manager))
      warnings.push(`${owner.manager} also owns fields that change: ${owner.how}`);
  return warnings;
}

function blastRadius({ slice, live }: PlanRequest, from: LiveDeployment | undefined): string {
  const recent = live.releases.slice(0, 3).map(({ version, outcome, at }) => `${version} ${outcome} ${at}`);
  return [
    `cluster ${slice.cluster.context} (${live.clusterUid})`,
    `namespace ${live.namespace}`,
    `${from?.replicas ?? 0} replicas behind Service ${live.name}, all of its traffic`,
    recent.length > 0 ? `last changes: ${recent.join(', ')}` : 'no recorded changes',
  ].join('; ');
}

const text = (labels: Record<string, string>): string =>
  Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
