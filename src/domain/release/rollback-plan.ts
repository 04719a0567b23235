import type { RollBackReleaseInput } from '../../contracts/roll-back-release.ts';
import type { TakenFrom } from '../../contracts/change-control.ts';
import { tagOf } from './image.ts';
import type { Refusal } from '../../contracts/plan.ts';
import { servingDeployments, TEMPLATE_HASH } from './selectors.ts';
import type { LiveDeployment, LiveService, ReleaseRecord } from './state.ts';

/** How to get back to a release that served before. */
export type RollbackPlan =
  | { kind: 'stay'; record: ReleaseRecord }
  | { kind: 'switch'; record: ReleaseRecord; deployment: LiveDeployment; partlyReady?: string; wait: boolean }
  | { kind: 'redeploy'; record: ReleaseRecord }
  | { kind: 'refused'; refusal: Refusal };

/** As people see it before anything is done: with the freezes and zones that it passes, if there are any. */
export type ShownRollbackPlan = RollbackPlan & { breakGlass?: string };

/**
 * Decides the way back. The last known good release is the default; a release that was under way when the rollback
 * began never counts as good. An emergency takes a partly ready color when it has more ready pods than the bad one.
 */
export function planRollback(
  live: LiveService,
  request: Pick<RollBackReleaseInput, 'to' | 'mode'>,
  takenFrom?: TakenFrom,
): RollbackPlan {
  const serving = servingDeployments(live)[0];
  const current = live.releases.find(({ deployment }) => deployment === serving?.name);
  // A release was interrupted before its switch: what serves is still the good one, and only its remains must go.
  const interrupted = takenFrom?.holder.procedure === 'deployRelease' && current?.outcome !== 'soaking';
  const record = request.to
    ? live.releases.find(({ version }) => version === request.to)
    : live.releases.find((each) => each.outcome === 'good' && (interrupted || each !== current));
  if (!record) {
    if (!request.to && interrupted && serving) return { kind: 'stay', record: unrecorded(live, serving) };
    return { kind: 'refused', refusal: noSuchRelease(live, request.to) };
  }
  if (serving && record.deployment === serving.name && record.image === serving.image) return { kind: 'stay', record };
  const deployment = live.deployments.find(({ name, image }) => name === record.deployment && image === record.image);
  if (!deployment || deployment.replicas === 0) return { kind: 'redeploy', record };
  const complete = deployment.readyReplicas >= deployment.replicas;
  const better = deployment.readyReplicas > (serving?.readyReplicas ?? 0);
  if (complete) return { kind: 'switch', record, deployment, wait: false };
  if (request.mode === 'emergency' && better)
    return {
      kind: 'switch',
      record,
      deployment,
      wait: false,
      partlyReady: `${deployment.readyReplicas} of ${deployment.replicas} pods of ${deployment.name} are ready, ${serving?.readyReplicas ?? 0} of the release that serves`,
    };
  return { kind: 'switch', record, deployment, wait: true };
}

/** What an interrupted release left behind, beside the Deployment that serves after the rollback. */
export interface Leftovers {
  /** Rolled back, or never released as good. They go at once: kept connections stay on their pods until these are gone. */
  remove: { deployment: string; uid: string }[];
  /** Good releases, which nobody rolled back: they retire later, as after any switch. */
  retire: { deployment: string; uid: string; version: string }[];
  /** The selector from before adoption can come back, because no color will be left. */
  widen?: { from: Record<string, string>; to: Record<string, string> };
}

/** Sorts the colors beside `keep` by what becomes of them after a rollback. */
export function planLeftovers(live: LiveService, keep: string): Leftovers {
  const others = live.deployments.filter((each) => each.name !== keep && each.createdBy);
  const outcome = (each: LiveDeployment): ReleaseRecord | undefined =>
    live.releases.find(({ deployment, image }) => deployment === each.name && image === each.image);
  const remove = others.filter((each) => outcome(each)?.outcome !== 'good');
  const retire = others.filter((each) => !remove.includes(each));
  return {
    remove: remove.map(({ name, uid }) => ({ deployment: name, uid })),
    retire: retire.map((each) => ({ deployment: each.name, uid: each.uid, version: outcome(each)!.version })),
    ...(retire.length === 0 ? widening(live) : {}),
  };
}

/** Set when the Service is still narrowed to its first pods. */
export function widening(live: LiveService): Pick<Leftovers, 'widen'> {
  return live.adoptedSelector && TEMPLATE_HASH in live.selector
    ? { widen: { from: live.selector, to: live.adoptedSelector } }
    : {};
}

function unrecorded(live: LiveService, serving: LiveDeployment): ReleaseRecord {
  return {
    version: tagOf(serving.image) ?? 'unknown',
    image: serving.image,
    deployment: serving.name,
    selector: live.selector,
    outcome: 'good',
    at: '',
    workflowId: '',
  };
}

function noSuchRelease(live: LiveService, wanted: string | undefined): Refusal {
  const known = live.releases.map(({ version, outcome }) => `${version} (${outcome})`).join(', ') || 'none';
  return wanted
    ? {
        code: 'unknown-release',
        message: `No record of a release ${wanted} on Service ${live.name}. Recorded: ${known}.`,
      }
    : {
        code: 'no-good-release',
        message: `No earlier good release is recorded on Service ${live.name}. Recorded: ${known}. Name one with --to, or deploy its image.`,
      };
}
