import type { ExpressionScope, ExpressionType } from '../../contracts/expression-type.ts';
import type { RunbookSlice, RunRunbookInput } from '../../contracts/run-runbook.ts';
import type { CatalogRunbook, RunbookStep } from '../../contracts/runbook.ts';
import { placedSteps } from './steps.ts';

/** What an action returns, by its name; undefined for one that does not exist. */
export type OutputTypes = (action: string) => ExpressionType | undefined;

const CATALOG: ExpressionType = {
  fields: { system: 'string', environment: 'string', namespace: 'string', service: 'string', production: 'bool' },
};
const ALERT: ExpressionType = { fields: { labels: { map: 'string' }, annotations: { map: 'string' } } };

const INCIDENT: ExpressionType = { fields: { severity: 'string' } };

/** Why a runbook runs, as its expressions see it. */
export type Occasion = Pick<RunRunbookInput, 'alert' | 'severity'>;

/** The variables of a runbook's expressions, with the outputs of these steps. */
export function scopeOf(
  { parameters }: Pick<CatalogRunbook, 'parameters'>,
  steps: Record<string, ExpressionType>,
): ExpressionScope {
  return {
    parameters: { fields: Object.fromEntries(Object.entries(parameters).map(([name, { type }]) => [name, type])) },
    alert: ALERT,
    incident: INCIDENT,
    catalog: CATALOG,
    steps: { fields: steps },
  };
}

/** What is the same for every step of a run. `service` and `severity` are empty when it is for none. */
export function constantsOf(
  { system, environment, namespace, production, service }: RunbookSlice,
  { alert, severity = '' }: Occasion,
): Record<'alert' | 'incident' | 'catalog', unknown> {
  return {
    alert: alert ?? { labels: {}, annotations: {} },
    incident: { severity },
    catalog: { system, environment, namespace, production, service: service?.service ?? '' },
  };
}

/** The steps that later ones may name, each with the type of its output; those without an output have none. */
export function outputsOf(steps: readonly RunbookStep[], outputs: OutputTypes): Record<string, ExpressionType> {
  return Object.fromEntries(
    placedSteps(steps).flatMap(({ step }): [string, ExpressionType][] => {
      if (!step.name) return [];
      const action = 'action' in step ? step.action : 'until' in step ? step.until.action : undefined;
      return [[step.name, { fields: action ? { output: outputs(action) ?? 'dyn' } : {} }]];
    }),
  );
}
