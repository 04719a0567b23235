import { parse } from 'yaml';
import { systemSchema } from '../../src/contracts/catalog.ts';
import { windowProblems } from '../../src/catalog/windows.ts';

const SYSTEM = `
apiVersion: windlass/v1
system: small
description: A small system
environments: { here: { cluster: { context: here }, namespace: small } }
services:
  web: { workload: { name: web }, container: app, kubernetesService: web, port: 80, health: { path: /health } }
channels: { slack: { kind: slack, url: 'env:SLACK_URL' } }
runbooks:
  patch:
    description: Patches
    changes: [service]
    parameters: { replicas: { type: int, description: How many } }
    steps: [{ action: scaleWorkload, with: { name: web, replicas: '\${parameters.replicas}' } }]
windows:
  weekly:
    description: The week
    environments: [here]
    service: web
    zone: UTC
    opens: { weekday: sunday, at: '02:00' }
    duration: 2h
    mode:
      on: { action: showMaintenancePage, with: { service: web, page: maintenance } }
      off: { action: hideMaintenancePage, with: { service: web } }
    tasks: [{ runbook: patch, with: { replicas: 2 } }]
    notify: [slack]
`;

const faultsWith = (from: string, to: string): string[] => {
  expect(SYSTEM).toContain(from);
  const catalog = systemSchema.parse(parse(SYSTEM.replace(from, to)));
  return windowProblems(catalog).map(({ path, message }) => `${path.slice(2).join('.')}: ${message}`);
};

test('a window that fits has no faults', () => {
  expect(faultsWith('zone: UTC', 'zone: UTC')).toEqual([]);
});

test.each([
  ['zone: UTC', 'zone: Mars/Olympus', /^zone: expected UTC or a zone of the IANA database .*got "Mars\/Olympus"$/],
  ['duration: 2h', 'duration: 10m', /^cutoff: expected a cutoff shorter than the window \(10 min\), got 15 min/],
  ['duration: 2h', 'duration: 2d', /^duration: expected a day at most$/],
  ['duration: 2h', 'duration: 2h\n    notice: 3h', /^notice: expected at most 2 h: it is started at 00:00/],
  ['service: web\n', 'service: shop\n', /^service: no service "shop"/],
  ['environments: [here]', 'environments: [there]', /^environments.0: no environment "there"/],
  ['notify: [slack]', 'notify: [teams]', /^notify.0: no channel "teams"/],
  ['notify: [slack]', 'backups: [orders]', /^backups.0: no database "orders"/],
  ['notify: [slack]', 'includes: [monthly]', /^includes.0: no window "monthly"/],
  ['notify: [slack]', 'includes: [weekly]', /^includes.0: expected windows that do not include each other$/],
  ['replicas: 2 }', 'replicas: many }', /^tasks.0.with: patch: parameter replicas: expected a whole number/],
  ['runbook: patch', 'runbook: match', /^tasks.0.runbook: no runbook "match"/],
  ['page: maintenance', 'pages: maintenance', /^mode.on.with.pages: unknown key/m],
  ['action: hideMaintenancePage', 'action: hidePage', /^mode.off.action: no action "hidePage"/],
])('%s as %s is a fault', (from, to, fault) => {
  expect(faultsWith(from, to).join('\n')).toMatch(fault);
});
