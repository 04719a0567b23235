import type { SystemCatalog } from '../contracts/catalog.ts';
import { budgetProblems } from './budgets.ts';
import { delegationProblems } from './delegation-problems.ts';
import { freezeProblems } from './freezes.ts';
import { gateProblems } from './gate-problems.ts';
import { identityProblems } from './identity-problems.ts';
import { incidentProblems } from './incident-problems.ts';
import type { Problem } from './issues.ts';
import { duplicates, fault, noSuch } from './problems.ts';
import { placeholderProblems } from './placeholders.ts';
import { runbookProblems } from './runbooks.ts';
import { windowProblems } from './windows.ts';

/** Faults between the parts of a system: names that nothing has, numbers that contradict each other. */
export function referenceProblems(catalog: SystemCatalog): Problem[] {
  return [
    ...atLeastOne(catalog),
    ...duplicates(
      catalog.people.map((each) => each.name),
      (index) => ['people', index, 'name'],
      'person',
    ),
    ...delegationProblems(catalog),
    ...identityProblems(catalog),
    ...policyProblems(catalog),
    ...serviceProblems(catalog),
    ...databaseProblems(catalog),
    ...runbookProblems(catalog),
    ...windowProblems(catalog),
    ...freezeProblems(catalog),
    ...incidentProblems(catalog),
    ...budgetProblems(catalog),
  ];
}

function atLeastOne(catalog: SystemCatalog): Problem[] {
  return (['environments', 'services'] as const)
    .filter((key) => Object.keys(catalog[key]).length === 0)
    .map((key) => fault([key], `expected at least one of ${key}, got none`, 'key'));
}

function policyProblems(catalog: SystemCatalog): Problem[] {
  const channels = Object.keys(catalog.channels);
  return Object.entries(catalog.policies).flatMap(([procedure, policy]) => {
    const path = ['policies', procedure];
    const unknownChannels = policy.notify.flatMap((channel, index) =>
      channels.includes(channel) ? [] : [fault([...path, 'notify', index], noSuch('channel', channel, channels))],
    );
    const guarded = procedure === 'restoreDatabase' ? 'data' : 'changes';
    const lists = {
      ...('gates' in policy ? { gates: policy.gates } : {}),
      ...('promotion' in policy ? { promotion: policy.promotion } : {}),
    };
    const gates = Object.entries(lists).flatMap(([list, members]) => [
      ...members.flatMap((gate, index) => gateProblems(catalog, gate, [...path, list, index], guarded)),
      ...duplicates(
        members.map((gate) => gate.name),
        (index) => [...path, list, index, 'name'],
        'gate',
      ),
    ]);
    return [...unknownChannels, ...gates];
  });
}

/** What a query may name; `$namespace` and the like are filled in when it is asked. */
const PLACEHOLDERS = ['namespace', 'service', 'deployment', 'hash'];

function serviceProblems({ services, environments }: SystemCatalog): Problem[] {
  const names = Object.keys(services);
  const unwatched = Object.entries(environments).filter(([, environment]) => !environment.prometheus);
  return Object.entries(services).flatMap(([name, service], index) => {
    const path = ['services', name];
    const problems: Problem[] = [];
    // Leases are per service: two services on one Service object would change it at the same time.
    const twin = names
      .slice(0, index)
      .find((other) => services[other]!.kubernetesService === service.kubernetesService);
    if (twin) {
      problems.push(fault([...path, 'kubernetesService'], `expected a Service of its own, got the one of "${twin}"`));
    }
    const [first, second] = service.color.names;
    if (first === second) problems.push(fault([...path, 'color', 'names'], `expected two names, got "${first}" twice`));
    const { soak } = service.release;
    if (soak.interval > soak.duration) {
      problems.push(fault([...path, 'release', 'soak', 'interval'], 'expected an interval shorter than the soak'));
    }
    for (const kind of ['metrics', 'sla'] as const) {
      const metrics = service[kind];
      problems.push(
        ...duplicates(
          metrics.map((each) => each.name),
          (at) => [...path, kind, at, 'name'],
          'metric',
        ),
      );
      problems.push(...metrics.flatMap((metric, at) => queryProblems(metric, [...path, kind, at])));
      if (metrics.length > 0) {
        for (const [environment] of unwatched) {
          const message = `missing key "prometheus": the ${kind} of service ${name} are measured there`;
          problems.push(fault(['environments', environment, 'prometheus'], message, 'key'));
        }
      }
    }
    return problems;
  });
}

function queryProblems(metric: SystemCatalog['services'][string]['metrics'][number], path: PropertyKey[]): Problem[] {
  const queries: [PropertyKey[], string][] = [[[...path, 'query'], metric.query]];
  if (metric.samples) queries.push([[...path, 'samples', 'query'], metric.samples.query]);
  return queries.flatMap(([at, query]) => placeholderProblems(query, at, PLACEHOLDERS));
}

function databaseProblems({ databases, environments, services }: SystemCatalog): Problem[] {
  return Object.entries(databases).flatMap(([name, { servers, dependants }]) => [
    ...Object.keys(servers).flatMap((environment) =>
      Object.hasOwn(environments, environment)
        ? []
        : [
            fault(
              ['databases', name, 'servers', environment],
              noSuch('environment', environment, Object.keys(environments)),
              'key',
            ),
          ],
    ),
    ...dependants.flatMap(({ service }, index) =>
      service === undefined || Object.hasOwn(services, service)
        ? []
        : [
            fault(
              ['databases', name, 'dependants', index, 'service'],
              noSuch('service', service, Object.keys(services)),
            ),
          ],
    ),
  ]);
}
