import type { BudgetMessage, SloReport } from '../../contracts/budget-messages.ts';
import type { CatalogErrorBudget, CatalogSlo } from '../../contracts/error-budget.ts';
import type { Plan, PlannedChange } from '../../contracts/plan.ts';
import type { BudgetSlice, SloMeasurement, WatchErrorBudgetResult } from '../../contracts/watch-error-budget.ts';
import { burnRate, remainingPercent } from './measure.ts';
import type { BudgetState } from './state.ts';
import { untold } from './telling.ts';
import { describeBudget, describeSlo, iso, MEANING } from './words.ts';

/** What change control is told of a measurement. @param at when it was taken, in Unix milliseconds */
export function reportOf(
  { staleAfter, critical, slos }: CatalogErrorBudget,
  measurements: SloMeasurement[],
  at: number,
  requestId: string,
): BudgetMessage {
  return {
    kind: 'measured',
    ...{ requestId, at, critical },
    staleAfterMs: staleAfter,
    slos: Object.entries(slos).map(([name, slo]) =>
      sloReport(
        name,
        slo,
        measurements.find((each) => each.slo === name),
      ),
    ),
  };
}

function sloReport(
  name: string,
  { objective, yellow, red, hold }: CatalogSlo,
  measured: SloMeasurement | undefined,
): SloReport {
  const { errorRatio, recentErrorRatio, error = 'it was not measured' } = measured ?? {};
  return {
    name,
    limits: { yellow, red, holdMs: hold },
    ...(errorRatio === undefined ? { fault: error } : { remaining: remainingPercent(errorRatio, objective) }),
    ...(recentErrorRatio === undefined ? {} : { burnRate: burnRate(recentErrorRatio, objective) }),
  };
}

/** What the result of a run says of the zone; `budget` is absent when change control knows nothing. */
export function resultOf(
  budget: BudgetState | undefined,
): Pick<WatchErrorBudgetResult, 'zone' | 'since' | 'from' | 'slos'> {
  if (!budget) return { zone: 'unknown', since: iso(0), slos: [] };
  const { zone, since, former, at, slos } = budget;
  return {
    zone,
    since: iso(since),
    ...(since === at ? { from: former } : {}),
    slos: slos.map(({ name, zone: of, remaining, burnRate: rate, fault }) => ({
      name,
      zone: of,
      ...(remaining === undefined ? {} : { remaining }),
      ...(rate === undefined ? {} : { burnRate: rate }),
      ...(fault === undefined ? {} : { fault }),
    })),
  };
}

/** What a run of the watch would do. @param workflow what would be done to the workflow at GitHub, in words */
export function budgetPlan(
  slice: BudgetSlice,
  before: BudgetState | undefined,
  after: BudgetState,
  workflow: string | undefined,
): Plan {
  const { system, environment, budget } = slice;
  const changed = before?.zone !== after.zone;
  const changes: PlannedChange[] = [
    ...(changed
      ? [
          {
            verb: 'patch' as const,
            kind: 'error-budget zone',
            name: `${system} ${environment}`,
            why: `${before?.zone ?? 'unknown'} → ${after.zone}: ${MEANING[after.zone]}`,
          },
        ]
      : []),
    ...(workflow
      ? [{ verb: 'patch' as const, kind: 'GitHub workflow', name: nameOfWorkflow(budget)!, why: workflow }]
      : []),
    ...untold(after, budget).map((channel): PlannedChange => ({
      verb: 'run',
      kind: 'notice',
      name: channel,
      why: `the zone is ${after.zone}`,
    })),
  ];
  return {
    facts: [
      { label: 'zone', text: describeBudget(after, after.at) },
      ...after.slos.map((slo) => ({ label: slo.name, text: `${slo.zone}: ${describeSlo(slo)}` })),
    ],
    changes,
    refusals: [],
    warnings: [],
    gates: [],
    blastRadius: `releases in ${environment} of ${system}`,
    reversibility: 'the zone follows what is measured; green lifts everything',
    expectedDurationMs: 5000,
    digest: `${slice.digest}/error-budget/${environment}/${after.zone}`,
  };
}

/** `acme/shop/deploy.yml` */
export const nameOfWorkflow = ({ deployWorkflow }: CatalogErrorBudget): string | undefined =>
  deployWorkflow && `${deployWorkflow.repository}/${deployWorkflow.file}`;
