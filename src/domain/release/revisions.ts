import type { Deployment, PodTemplate, ReplicaSet } from './objects.ts';
import { isObserved, isOwnedBy, REVISION } from './ownership.ts';
import { TEMPLATE_HASH } from './selectors.ts';

/** One of the templates that a Deployment has had, as its ReplicaSets remember it. */
export interface Revision {
  /** Rises with each change of the template; the newest one is what the Deployment has now. */
  revision: number;
  /** Image by container. */
  images: Record<string, string>;
  /** When its ReplicaSet was made, ISO 8601: a revision that came back is older than its number says. */
  createdAt: string;
  replicas: number;
  template: PodTemplate;
}

/** The newest first, as `kubectl rollout history` knows them: as many as `revisionHistoryLimit` lets be kept. */
export function revisionsOf(deployment: Deployment, replicaSets: ReplicaSet[]): Revision[] {
  return replicaSets
    .flatMap(({ metadata, spec }) => {
      const revision = Number(metadata.annotations?.[REVISION]);
      if (!spec || !revision || !isOwnedBy(metadata, deployment)) return [];
      const images = Object.fromEntries(spec.template.spec.containers.map(({ name, image }) => [name, image]));
      const { replicas = 0, template } = spec;
      return [{ revision, images, createdAt: metadata.creationTimestamp ?? '', replicas, template }];
    })
    .sort((a, b) => b.revision - a.revision);
}

/** Whether the controller has seen the newest template, so that the first of `revisionsOf` is the Deployment's own. */
export function isSettled(deployment: Deployment, [newest]: Revision[]): boolean {
  const { annotations } = deployment.metadata;
  return isObserved(deployment) && newest !== undefined && newest.revision === Number(annotations?.[REVISION]);
}

/** The template as a Deployment has it: the controller adds a label of its own to that of a ReplicaSet. */
export function deployableTemplate({ template }: Revision): PodTemplate {
  const { [TEMPLATE_HASH]: _, ...labels } = template.metadata?.labels ?? {};
  return { ...template, metadata: { ...template.metadata, labels } };
}

/** `docker.io/windlass/sample:v2`; of several containers each with its name. */
export function imagesText({ images }: Pick<Revision, 'images'>): string {
  const all = Object.entries(images);
  return all.length === 1 ? all[0]![1] : all.map(([name, image]) => `${name} ${image}`).join(', ');
}
