import type { SystemCatalog } from '../contracts/catalog.ts';
import type { CatalogErrorBudget } from '../contracts/error-budget.ts';
import type { BudgetSlice } from '../contracts/watch-error-budget.ts';
import type { Place } from '../contracts/scalars.ts';
import type { Catalog } from './catalog.ts';
import type { Problem } from './issues.ts';
import { placeholderProblems } from './placeholders.ts';
import { fault, noSuch } from './problems.ts';
import { compileEnvironment, own, unknown, withinBounds } from './slice.ts';

const PLACEHOLDERS = ['namespace', 'window'];

/** Faults of the error budgets of a system: names that nothing has, queries that say nothing of their window. */
export function budgetProblems(catalog: SystemCatalog): Problem[] {
  return Object.entries(catalog.errorBudgets).flatMap(([environment, budget]) => {
    const path = ['errorBudgets', environment];
    const known = own(catalog.environments, environment);
    if (!known) return [fault(path, noSuch('environment', environment, Object.keys(catalog.environments)), 'key')];
    return [
      ...(known.prometheus
        ? []
        : [
            fault(
              ['environments', environment, 'prometheus'],
              'missing key "prometheus": its error budget is measured there',
              'key',
            ),
          ]),
      ...nameFaults(catalog, budget, path),
      ...Object.entries(budget.slos).flatMap(([name, slo]) =>
        (['errorRatio', 'good', 'total'] as const).flatMap((key) => {
          const query = slo[key];
          return query === undefined ? [] : queryFaults(query, [...path, 'slos', name, key]);
        }),
      ),
    ];
  });
}

function nameFaults(catalog: SystemCatalog, budget: CatalogErrorBudget, path: PropertyKey[]): Problem[] {
  const lists: [string, string[], object, PropertyKey[]][] = [
    ['channel', budget.notify, catalog.channels, ['notify']],
    ['channel', budget.stakeholders, catalog.channels, ['stakeholders']],
    ['service', budget.critical.services, catalog.services, ['critical', 'services']],
  ];
  const runbook = budget.recovery?.runbook;
  return [
    ...lists.flatMap(([what, names, known, at]) =>
      names.flatMap((each, index) =>
        Object.hasOwn(known, each) ? [] : [fault([...path, ...at, index], noSuch(what, each, Object.keys(known)))],
      ),
    ),
    ...(runbook === undefined || Object.hasOwn(catalog.runbooks, runbook)
      ? []
      : [fault([...path, 'recovery', 'runbook'], noSuch('runbook', runbook, Object.keys(catalog.runbooks)))]),
  ];
}

/** Without `$window` the budget and the rate at which it is used up would be the same number. */
const queryFaults = (query: string, path: PropertyKey[]): Problem[] => [
  ...placeholderProblems(query, path, PLACEHOLDERS),
  ...(/\$window\b/.test(query) ? [] : [fault(path, 'expected $window as the range of the query, such as [$window]')]),
];

/**
 * What the watch of the error budget of an environment needs of the catalog.
 * @throws CatalogError as `compileEnvironment`; UnknownErrorBudget; CatalogInvalid when the slice is over 128 KiB
 */
export function compileBudget(catalog: Catalog, at: Place): BudgetSlice {
  const { loaded, environment } = compileEnvironment(catalog, at);
  const { errorBudgets } = loaded.catalog;
  const budget = own(errorBudgets, at.environment);
  if (!budget)
    throw unknown(
      'UnknownErrorBudget',
      `error budget of ${at.environment}`,
      `system ${at.system}`,
      Object.keys(errorBudgets),
    );
  return withinBounds(`the error budget of ${at.environment}`, { ...environment, budget });
}
