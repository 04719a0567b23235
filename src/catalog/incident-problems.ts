import type { SystemCatalog } from '../contracts/catalog.ts';
import type { CatalogIncidents } from '../contracts/incident-catalog.ts';
import { changesOf } from '../domain/runbook/steps.ts';
import type { Problem } from './issues.ts';
import { duplicates, fault, noSuch } from './problems.ts';

/** What a query of a fact may name. */
const PLACEHOLDERS = ['namespace', 'service'];

/** Faults of how incidents are handled: names that nothing has, severities that can never be told apart. */
export function incidentProblems(catalog: SystemCatalog): Problem[] {
  const { incidents } = catalog;
  if (!incidents) return [];
  const path = ['incidents'];
  return [
    ...duplicates(
      incidents.severities.map(({ name }) => name),
      (index) => [...path, 'severities', index, 'name'],
      'severity',
    ),
    ...duplicates(
      incidents.onCall.map(({ name }) => name),
      (index) => [...path, 'onCall', index, 'name'],
      'place in the chain',
    ),
    ...severityProblems(incidents, path),
    ...factProblems(catalog, incidents, path),
    ...chainProblems(catalog, incidents, path),
    ...ruleProblems(catalog, incidents, path),
  ];
}

function severityProblems({ severities, facts, businessHours }: CatalogIncidents, path: PropertyKey[]): Problem[] {
  const names = facts.map(({ name }) => name);
  const problems = severities.flatMap(({ when }, index) =>
    when.flatMap((condition, at) =>
      'fact' in condition && !names.includes(condition.fact)
        ? [fault([...path, 'severities', index, 'when', at, 'fact'], noSuch('fact', condition.fact, names))]
        : [],
    ),
  );
  const pointless = severities.findIndex(({ when }, index) => when.length === 0 && index < severities.length - 1);
  if (pointless >= 0) {
    const message = `expected "when": without it only the last severity is ever reached, and ${severities[pointless]!.name} is not it`;
    problems.push(fault([...path, 'severities', pointless], message, 'key'));
  }
  if (businessHours.from >= businessHours.until) {
    problems.push(fault([...path, 'businessHours', 'until'], 'expected a time after "from"'));
  }
  return problems;
}

function factProblems({ environments }: SystemCatalog, { facts }: CatalogIncidents, path: PropertyKey[]): Problem[] {
  const unwatched = Object.entries(environments).filter(([, { prometheus }]) => !prometheus);
  return [
    ...duplicates(
      facts.map(({ name }) => name),
      (index) => [...path, 'facts', index, 'name'],
      'fact',
    ),
    ...facts.flatMap(({ query }, index) =>
      [...query.matchAll(/\$\{?([A-Za-z_]\w*)/g)]
        .map((match) => match[1]!)
        .filter((name) => !PLACEHOLDERS.includes(name))
        .map((name) =>
          fault([...path, 'facts', index, 'query'], `expected only $namespace and $service, got $${name}`),
        ),
    ),
    ...(facts.length > 0 ? unwatched : []).map(([name]) =>
      fault(
        ['environments', name, 'prometheus'],
        'missing key "prometheus": facts of incidents are measured there',
        'key',
      ),
    ),
  ];
}

function chainProblems(catalog: SystemCatalog, incidents: CatalogIncidents, path: PropertyKey[]): Problem[] {
  const channels = Object.keys(catalog.channels);
  const held = [...new Set(catalog.people.flatMap(({ roles }) => roles))];
  const unknownChannels = (names: string[], at: PropertyKey[]): Problem[] =>
    names.flatMap((name, index) =>
      channels.includes(name) ? [] : [fault([...at, index], noSuch('channel', name, channels))],
    );
  return [
    ...unknownChannels(incidents.notify, [...path, 'notify']),
    ...unknownChannels(incidents.status, [...path, 'status']),
    ...incidents.onCall.flatMap((level, index) => [
      ...unknownChannels(level.channels, [...path, 'onCall', index, 'channels']),
      ...level.roles.flatMap((role, at) =>
        held.includes(role)
          ? []
          : [fault([...path, 'onCall', index, 'roles', at], noSuch('person with the role', role, held))],
      ),
    ]),
  ];
}

function ruleProblems(
  { services, runbooks }: SystemCatalog,
  { alerts }: CatalogIncidents,
  path: PropertyKey[],
): Problem[] {
  return alerts.flatMap((rule, index) => {
    const at = [...path, 'alerts', index];
    const problems: Problem[] = [];
    if (rule.service !== undefined && !Object.hasOwn(services, rule.service)) {
      problems.push(fault([...at, 'service'], noSuch('service', rule.service, Object.keys(services))));
    }
    for (const key of ['diagnose', 'runbook', 'resolved'] as const) {
      const name = rule[key];
      if (name === undefined) continue;
      if (!Object.hasOwn(runbooks, name)) {
        problems.push(fault([...at, key], noSuch('runbook', name, Object.keys(runbooks))));
      } else if (key !== 'runbook' && changesOf(name, runbooks).length > 0) {
        problems.push(fault([...at, key], `expected a runbook that only looks: ${name} changes something`));
      }
    }
    return problems;
  });
}
