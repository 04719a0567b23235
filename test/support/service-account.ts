import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { readEndpoints } from '../../scripts/sandbox/endpoints.ts';
import { run } from '../../scripts/sandbox/run.ts';
import { apply, kubectl } from './namespace.ts';

/** A ServiceAccount of the sandbox's cluster that is none of the shipped ones. */
export interface ServiceAccount {
  /** As the API server's audit log has it. */
  user: string;
  subject: { kind: 'ServiceAccount'; name: string; namespace: string };
  /** A file with its token. The context has the name that the worker's own kubeconfig has. */
  kubeconfig: string;
  /** What the API server says of it when it asks by itself: `may('patch services', namespace)`. */
  may(what: string, namespace: string): Promise<boolean>;
}

/** Makes a ServiceAccount without any permission; it goes with its namespace. */
export async function createServiceAccount(namespace: string, name: string): Promise<ServiceAccount> {
  await apply({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace } });
  return useServiceAccount(namespace, name);
}

/** One that is there. */
export async function useServiceAccount(namespace: string, name: string): Promise<ServiceAccount> {
  const endpoints = readEndpoints().kubernetes;
  const token = (await kubectl('create', 'token', name, '-n', namespace, '--duration=2h')).trim();
  const config = parse(readFileSync(endpoints.workerKubeconfig, 'utf8')) as { users: { user: object }[] };
  for (const each of config.users) each.user = { token };
  const kubeconfig = join(mkdtempSync(join(tmpdir(), 'windlass-account-')), 'kubeconfig');
  writeFileSync(kubeconfig, stringify(config), { mode: 0o600 });
  return {
    user: `system:serviceaccount:${namespace}:${name}`,
    subject: { kind: 'ServiceAccount', name, namespace },
    kubeconfig,
    async may(what, where) {
      const asked = ['auth', 'can-i', ...what.split(' '), '-n', where];
      // It ends with 1 where the answer is no.
      const answer = await run(endpoints.kubectl, ['--kubeconfig', kubeconfig, ...asked], { allowFailure: true });
      if (!/^(yes|no)/.test(answer)) throw new Error(`expected yes or no to "${what}", got ${JSON.stringify(answer)}`);
      return answer.startsWith('yes');
    },
  };
}

/** Lets it do in a namespace what a ClusterRole says. @returns what takes it back */
export async function bindRole(
  { subject }: ServiceAccount,
  clusterRole: string,
  namespace: string,
): Promise<() => Promise<unknown>> {
  const name = `${subject.namespace}-${subject.name}-${clusterRole}`;
  await apply({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { name, namespace },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: clusterRole },
    subjects: [subject],
  });
  return () => kubectl('delete', 'rolebinding', name, '-n', namespace);
}
