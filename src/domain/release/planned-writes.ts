import type { CatalogService } from '../../contracts/catalog.ts';
import { formatDuration } from '../duration.ts';
import type { DraftPlan } from './plan.ts';
import { colorDeployment, type ColorRequest } from './manifests.ts';
import type { Deployment, Manifest, Service } from './objects.ts';
import { labelText } from './ownership.ts';
import type { PlannedChange } from '../../contracts/plan.ts';

/** A change of a plan with what is needed to try it: nothing for one that cannot be tried before its time has come. */
export interface PlannedWrite extends Omit<PlannedChange, 'diff'> {
  /** Created as this; `like` is what it is compared with. */
  manifest?: Manifest;
  like?: object;
  /** A new selector of this Service. */
  selector?: { service: Service; to: Record<string, string> };
}

export interface WritesRequest {
  plan: DraftPlan;
  spec: CatalogService;
  service: Service;
  /** The Deployment that serves. */
  old: Deployment;
  color: ColorRequest;
  companions: [string, Manifest][];
}

/** Every change that a release makes, in its order. */
export function plannedWrites({ plan, spec, service, old, color, companions }: WritesRequest): PlannedWrite[] {
  const { from, to, retireEarly, narrowTo, hpa, preview } = plan;
  const name = service.metadata.name;
  const { preDeployment, postDeployment, retireAfter } = spec.release;
  const writes: (PlannedWrite | false | undefined)[] = [
    preDeployment && {
      verb: 'run',
      kind: 'Job',
      name: `${spec.workload.name}-pre-deployment`,
      why: jobText(preDeployment),
    },
    retireEarly && {
      verb: 'delete',
      kind: 'Deployment',
      name: retireEarly.deployment,
      why: `its name is needed; it runs ${retireEarly.version} and does not serve`,
    },
    narrowTo && {
      verb: 'patch',
      kind: 'Service',
      name,
      why: `select the serving pods only, so that ${to.deployment} gets no traffic before it is proved`,
      selector: { service, to: narrowTo },
    },
    {
      verb: 'create',
      kind: 'Deployment',
      name: to.deployment,
      why: `${to.version} beside ${from.deployment}, ${to.replicas} replicas`,
      // While the name is taken the server cannot try it.
      ...(retireEarly ? {} : { manifest: colorDeployment(old, color) }),
      like: old,
    },
    ...companions.map(([kind, manifest]): PlannedWrite => ({
      verb: 'create',
      kind,
      name: manifest.metadata.name,
      why: manifest.metadata.name === preview ? 'tests reach the new color, users do not' : `for ${to.deployment}`,
      manifest,
    })),
    postDeployment && {
      verb: 'run',
      kind: 'Job',
      name: `${spec.workload.name}-post-deployment`,
      why: jobText(postDeployment),
    },
    hpa && {
      verb: 'patch',
      kind: 'HorizontalPodAutoscaler',
      name: hpa.name,
      why: `keep ${from.deployment} at ${from.replicas} replicas while traffic may come back`,
    },
    {
      verb: 'patch',
      kind: 'Service',
      name,
      why: `all traffic to ${to.deployment}: ${labelText(to.selector)}`,
      selector: { service, to: to.selector },
    },
    { verb: 'delete', kind: 'Service', name: preview, why: 'tests are over' },
    {
      verb: 'delete',
      kind: 'Deployment',
      name: from.deployment,
      why: `${formatDuration(retireAfter)} after the switch, unless it serves again or is kept`,
    },
  ];
  return writes.filter((each) => typeof each === 'object');
}

const jobText = ({ image, command, timeout }: { image: string; command: string[]; timeout: number }): string =>
  `${command.join(' ')} (${image}), at most ${formatDuration(timeout)}`;
