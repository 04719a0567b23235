import type { ExpressionScope } from '../contracts/expression-type.ts';
import type { RunbookSlice } from '../contracts/run-runbook.ts';
import type { ActionCall, CatalogRunbook, RunbookStep } from '../contracts/runbook.ts';
import { evaluateCondition, referencesTo } from '../expressions/expression.ts';
import { fill, templateReferences } from '../expressions/template.ts';
import { fillParameters, type Parameters } from '../domain/runbook/parameters.ts';
import { constantsOf, outputsOf, scopeOf, type Occasion } from '../domain/runbook/scope.ts';
import { labelOf, placedSteps } from '../domain/runbook/steps.ts';

/** What a run will come to, as far as it is known before it starts. */
export type Outlined =
  | { kind: 'change'; label: string; action: string; call: ActionCall; undone: boolean; leased: boolean }
  /** It depends on what earlier steps find. */
  | { kind: 'later'; label: string; what: string; undone: boolean; leased: boolean }
  | { kind: 'gate'; label: string; gate: Extract<RunbookStep, { gate: unknown }>['gate'] }
  | { kind: 'time'; label: string; atLeastMs: number };

/**
 * The steps of a run that people must know of before it starts, in order: those that change something, with their
 * parameters filled in where these are known; gates; waits. Steps whose `when` is already false are left out.
 * @throws ExpressionFault when an expression over parameters, alert, incident or catalog has no value
 */
export function outline(slice: RunbookSlice, occasion: Occasion): Outlined[] {
  const constants = constantsOf(slice, occasion);
  return outlined(slice.runbook, slice.parameters, '');

  function outlined(name: string, parameters: Parameters | undefined, prefix: string): Outlined[] {
    const runbook = slice.runbooks[name]!;
    const scope = scopeOf(
      runbook,
      outputsOf(runbook.steps, (action) => slice.actions[action]?.output),
    );
    const values = { ...constants, parameters, steps: {} };
    return placedSteps(runbook.steps).flatMap((placed): Outlined[] => {
      const { step } = placed;
      const label = `${prefix}${labelOf(placed)}`;
      const known = isKnown(step, parameters);
      if (known && step.when !== undefined && !evaluateCondition(step.when, scope, values)) return [];
      if ('runbook' in step) return outlined(step.runbook, known ? given(step, scope, values) : undefined, `${label}/`);
      return own(step, label, known ? { scope, values } : undefined);
    });
  }

  function own(step: RunbookStep, label: string, known: Known | undefined): Outlined[] {
    if ('gate' in step) {
      const asks = known ? String(fill(step.gate.asks, known.scope, known.values)) : step.gate.asks;
      return [{ kind: 'gate', label, gate: { ...step.gate, asks } }];
    }
    if ('wait' in step) return [{ kind: 'time', label, atLeastMs: step.wait }];
    if ('until' in step) return [{ kind: 'time', label, atLeastMs: step.until.holdsFor }];
    const facts = 'action' in step ? slice.actions[step.action] : undefined;
    if (!('action' in step) || !facts?.changes) return [];
    const { action } = step;
    const about = { label, undone: step.undo !== undefined, leased: facts.needsLease };
    if (!known) return [{ kind: 'later', what: action, ...about }];
    const filled = fill(step.with, known.scope, known.values) as ActionCall['with'];
    return [{ kind: 'change', action, call: { action, with: filled }, ...about }];
  }

  function given(
    step: Extract<RunbookStep, { runbook: unknown }>,
    scope: ExpressionScope,
    values: Record<string, unknown>,
  ): Parameters {
    const called: CatalogRunbook = slice.runbooks[step.runbook]!;
    return fillParameters(called.parameters, fill(step.with, scope, values) as Record<string, unknown>).parameters;
  }
}

interface Known {
  scope: ExpressionScope;
  values: Record<string, unknown>;
}

/** Nothing it says depends on what an earlier step finds. */
function isKnown(step: RunbookStep, parameters: Parameters | undefined): boolean {
  const texts = 'gate' in step ? step.gate.asks : 'with' in step ? step.with : undefined;
  const conditions = step.when === undefined ? [] : referencesTo('steps', step.when);
  return parameters !== undefined && conditions.length === 0 && templateReferences('steps', texts ?? '').length === 0;
}
