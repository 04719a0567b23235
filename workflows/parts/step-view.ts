import type { ExpressionScope } from '../../src/contracts/expression-type.ts';
import { evaluateCondition, referencesTo } from '../../src/expressions/expression.ts';
import { ExpressionFault } from '../../src/expressions/fault.ts';
import { fill } from '../../src/expressions/template.ts';
import { failure } from './failure.ts';

/** What the expressions of one runbook under way see. */
export interface View {
  readonly scope: ExpressionScope;
  /** A value with its templates filled in. @throws ApplicationFailure ExpressionFailed */
  fill(value: unknown): unknown;
  /** @throws ApplicationFailure ExpressionFailed */
  condition(source: string): boolean;
  /** The values that one expression needs, to be evaluated elsewhere. */
  valuesFor(source: string): Record<string, unknown>;
  /** The output of a step, for those after it. */
  remember(step: string, output: unknown): void;
}

export function useView(scope: ExpressionScope, constants: Record<string, unknown>): View {
  // A step that was not done is there, without an output: `has(steps.look.output)` is false.
  const steps: Record<string, object> = Object.fromEntries(fieldsOf(scope, 'steps').map((name) => [name, {}]));
  const values = { ...constants, steps };

  return {
    scope,
    fill: (value) => attempt(() => fill(value, scope, values)),
    condition: (source) => attempt(() => evaluateCondition(source, scope, values)),
    valuesFor: (source) => ({
      ...constants,
      steps: Object.fromEntries(referencesTo('steps', source).map((name) => [name, steps[name] ?? {}])),
    }),
    remember: (step, output) => void (steps[step] = { output }),
  };
}

function fieldsOf(scope: ExpressionScope, variable: string): string[] {
  const type = scope[variable];
  return typeof type === 'object' && 'fields' in type ? Object.keys(type.fields) : [];
}

function attempt<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw error instanceof ExpressionFault ? failure('ExpressionFailed', error.message) : error;
  }
}
