import { readFileSync } from 'node:fs';
import { parseAllDocuments } from 'yaml';
import { CLUSTER_CAPABILITIES, rbacManifests, rulesOf, unionOf, type Rule } from '../../scripts/rbac.ts';
import { RESOURCES } from '../../src/adapters/kubernetes/kinds.ts';

const ROOT = new URL('../../', import.meta.url);
const shipped = (file: string) => readFileSync(new URL(file, ROOT), 'utf8');

/** What rules allow, `group/resource verb` each. */
const allowed = (rules: Rule[]): string[] =>
  [
    ...new Set(
      rules.flatMap(({ apiGroups, resources, verbs }) =>
        apiGroups.flatMap((group) => resources.flatMap((each) => verbs.map((verb) => `${group}/${each} ${verb}`))),
      ),
    ),
  ].sort();

/** The rules of a ClusterRole in a manifest. */
const roleIn = (file: string, name: string): Rule[] =>
  (parseAllDocuments(shipped(file)).map((each) => each.toJS()) as { kind: string; metadata: { name: string }; rules: Rule[] }[]) // prettier-ignore
    .find(({ kind, metadata }) => kind === 'ClusterRole' && metadata.name === name)!.rules;

test.each(Object.entries(rbacManifests()))('%s is what the rules of the chart make (npm run schema)', (file, make) => {
  expect(shipped(file)).toBe(make());
});

test('the worker with all capabilities may do what each of them may, and nothing else', () => {
  const each = CLUSTER_CAPABILITIES.map((name) => roleIn('deploy/rbac/capabilities.yaml', `windlass-${name}`));
  expect(allowed(roleIn('deploy/rbac/worker.yaml', 'windlass-worker'))).toEqual(allowed(each.flat()));
});

test('no capability may do all that the worker may', () => {
  const all = allowed(CLUSTER_CAPABILITIES.flatMap(rulesOf));
  for (const name of CLUSTER_CAPABILITIES) expect(allowed(rulesOf(name)).length).toBeLessThan(all.length);
});

test('nothing is allowed by a wildcard, and no Secret is read', () => {
  const rules = ['nodes', 'cluster-identity', ...CLUSTER_CAPABILITIES].flatMap(rulesOf);
  expect(allowed(rules).filter((each) => each.includes('*') || each.includes('/secrets'))).toEqual([]);
});

test('what is allowed is about kinds that Windlass touches', () => {
  const known = Object.values(RESOURCES).map(({ group, plural }) => `${group}/${plural}`);
  for (const { apiGroups, resources } of CLUSTER_CAPABILITIES.flatMap(rulesOf))
    for (const resource of resources) expect(known).toContain(`${apiGroups[0]}/${resource.split('/')[0]}`);
});

test('a union has one rule per resource, with the verbs of all', () => {
  const rule = (resources: string[], verbs: string[]): Rule => ({ apiGroups: ['apps'], resources, verbs });
  expect(unionOf([rule(['a', 'b'], ['get']), rule(['a'], ['patch', 'get'])])).toEqual([
    rule(['a'], ['get', 'patch']),
    rule(['b'], ['get']),
  ]);
});
