/**
 * Field managers that write their manifests again and again, and so would undo a release: Argo CD, Flux and Helm, by
 * the names that they give in `metadata.managedFields`. People (`kubectl-…`) and controllers of Kubernetes itself are
 * not among them: nothing brings back what they wrote.
 */
const RECONCILERS = [
  /^argocd-/, // argocd-controller, before 2.5 argocd-application-controller
  /^kustomize-controller$/, // Flux
  /^helm-controller$/, // Flux
  /^helm$/i,
];

/** The managers that would undo a change of a field and for which the catalog does not say how they are paused or told. */
export function unlistedOwners(managers: string[], listed: { manager: string }[]): string[] {
  return [...new Set(managers)].filter(
    (manager) => RECONCILERS.some((known) => known.test(manager)) && !listed.some((each) => each.manager === manager),
  );
}

/** Part of `metadata.managedFields` that is read here. */
export interface ManagedFields {
  manager?: string;
  fieldsV1?: unknown;
}

/**
 * Who wrote a field or anything under it.
 * @param path as in `spec.template`
 * @param self our own manager, which is not told
 */
export function managersOf(fields: ManagedFields[] | undefined, path: string, self: string): string[] {
  const owns = (entry: ManagedFields): boolean => {
    let at: unknown = entry.fieldsV1;
    for (const part of path.split('.')) at = (at as Record<string, unknown> | undefined)?.[`f:${part}`];
    return at !== undefined;
  };
  const managers = (fields ?? []).filter(owns).flatMap(({ manager }) => (manager && manager !== self ? [manager] : []));
  return [...new Set(managers)];
}
