import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compileBudget } from '../../src/catalog/budgets.ts';
import { CatalogError } from '../../src/catalog/errors.ts';
import { loadCatalog } from '../../src/catalog/load.ts';

const SMALL = [
  'apiVersion: windlass/v1',
  'system: small',
  'description: A small system',
  'environments:',
  '  here: { cluster: { context: here }, namespace: small, prometheus: "http://prometheus" }',
  'services:',
  '  web: { workload: { name: web }, container: app, kubernetesService: web, port: 80, health: { path: /health } }',
  'channels:',
  '  slack: { kind: slack, url: "env:SLACK_URL" }',
  'errorBudgets:',
  '  here:',
  '    notify: [slack]',
  '    critical: { services: [web] }',
  '    deployWorkflow: { repository: acme/shop, file: deploy.yml, token: "env:GITHUB_TOKEN" }',
  '    slos:',
  '      availability:',
  '        objective: 99.9',
  '        errorRatio: bad{namespace="$namespace"}[$window]',
  '        yellow: { below: 50, returnsAt: 60 }',
  '        red: { below: 10, returnsAt: 20 }',
].join('\n');

const load = (text: string) => {
  const directory = mkdtempSync(join(tmpdir(), 'windlass-budgets-'));
  writeFileSync(join(directory, 'small.yaml'), text);
  return loadCatalog({ directory });
};

test('says what is watched, with times in milliseconds and the field defaults', async () => {
  const { budget, prometheus } = compileBudget(await load(SMALL), { system: 'small', environment: 'here' });
  expect(prometheus).toBe('http://prometheus');
  expect(budget).toMatchObject({
    every: 300_000,
    staleAfter: 1_800_000,
    critical: { services: ['web'], onRequest: true },
    deployWorkflow: { disabledIn: 'red', url: 'https://api.github.com' },
    slos: { availability: { window: 30 * 86_400_000, burnWindow: 3_600_000, hold: 1_800_000 } },
  });
});

test('an environment without one is unknown by name', async () => {
  const catalog = await load(SMALL);
  expect(() => compileBudget(catalog, { system: 'small', environment: 'there' })).toThrow('there is: here');
  const none = await load(SMALL.slice(0, SMALL.indexOf('errorBudgets')));
  expect(() => compileBudget(none, { system: 'small', environment: 'here' })).toThrow(
    expect.objectContaining({ type: 'UnknownErrorBudget' }),
  );
});

test.each([
  ['  here:\n    notify', '  her:\n    notify', '11:3: errorBudgets.her: no environment "her"'],
  ['notify: [slack]', 'notify: [slak]', '12:14: errorBudgets.here.notify.0: no channel "slak"'],
  ['services: [web]', 'services: [wib]', '13:28: errorBudgets.here.critical.services.0: no service "wib"'],
  ['acme/shop', 'acme', 'deployWorkflow.repository: expected owner/repository'],
  ['env:GITHUB_TOKEN', 'ghp_1234', 'deployWorkflow.token: expected a reference'],
  ['deploy.yml', 'deploy', 'deployWorkflow.file: expected the file name of a workflow'],
  ['objective: 99.9', 'objective: 100', '17:20: errorBudgets.here.slos.availability.objective'],
  ['errorRatio:', 'good:', 'expected "errorRatio", or "good" and "total"'],
  [
    '$namespace',
    '$service',
    '18:21: errorBudgets.here.slos.availability.errorRatio: expected only $namespace, $window, got $service',
  ],
  ['[$window]', '[5m]', '18:21: errorBudgets.here.slos.availability.errorRatio: expected $window as the range'],
  ['returnsAt: 60', 'returnsAt: 40', 'yellow.returnsAt: expected at least `below`'],
  ['below: 10', 'below: 50', 'red.below: expected less than where yellow begins'],
  ['below: 10, returnsAt: 20', 'below: 10, returnsAt: 70', 'red.returnsAt: expected at most where yellow ends'],
  [', prometheus: "http://prometheus"', '', 'missing key "prometheus": its error budget is measured there'],
  [
    '    slos:',
    '    recovery: { plan: Fix it, runbook: triage }\n    slos:',
    '15:40: errorBudgets.here.recovery.runbook: no runbook "triage"',
  ],
])('%s → %s is a fault of its line', async (from, to, message) => {
  expect(SMALL).toContain(from);
  const error = await load(SMALL.replace(from, to)).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(CatalogError);
  expect((error as Error).message).toContain(message);
});
