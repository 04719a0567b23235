import { managersOf, unlistedOwners } from '../../src/domain/release/field-owners.ts';

const fields = [
  { manager: 'argocd-controller', fieldsV1: { 'f:spec': { 'f:selector': { 'f:app': {} } } } },
  { manager: 'kubectl-edit', fieldsV1: { 'f:spec': { 'f:selector': {}, 'f:ports': {} } } },
  { manager: 'windlass', fieldsV1: { 'f:spec': { 'f:selector': {} } } },
  { manager: 'helm', fieldsV1: { 'f:spec': { 'f:ports': {} } } },
];

test('whoever wrote a field or a part of it owns it, and we are not told of ourselves', () => {
  expect(managersOf(fields, 'spec.selector', 'windlass')).toEqual(['argocd-controller', 'kubectl-edit']);
  expect(managersOf(undefined, 'spec.selector', 'windlass')).toEqual([]);
});

test.each([
  ['argocd-controller'],
  ['argocd-application-controller'],
  ['kustomize-controller'],
  ['helm-controller'],
  ['helm'],
  ['Helm'],
])('%s would undo a change, unless the catalog says how it is told', (manager) => {
  expect(unlistedOwners([manager], [])).toEqual([manager]);
  expect(unlistedOwners([manager], [{ manager }])).toEqual([]);
});

test('people and controllers of Kubernetes bring nothing back', () => {
  expect(unlistedOwners(['kubectl-client-side-apply', 'kubectl-edit', 'kube-controller-manager'], [])).toEqual([]);
});
