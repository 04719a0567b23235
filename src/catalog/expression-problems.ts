import type { ExpressionScope } from '../contracts/expression-type.ts';
import { checkExpression, referencesTo } from '../expressions/expression.ts';
import { ExpressionFault, faultIn } from '../expressions/fault.ts';
import { checkTemplate, expressionsOf, isTemplate, textsOf } from '../expressions/template.ts';
import type { Problem } from './issues.ts';
import { fault } from './problems.ts';
import { suggest } from './suggest.ts';

/** What the expressions of a step may name. */
export interface View {
  scope: ExpressionScope;
  /** Steps that come before it, by name. */
  earlier: string[];
  /** Every step of the runbook that has a name. */
  named: string[];
}

/** Faults of the templates anywhere in a value. */
export const valueProblems = (value: unknown, view: View, path: PropertyKey[]): Problem[] =>
  textsOf(value).flatMap(({ path: at, text }) => {
    const message = faultIn(() => {
      for (const expression of expressionsOf(text)) assertEarlier(expression, view);
      checkTemplate(text, view.scope);
    });
    return message === undefined ? [] : [fault([...path, ...at], message)];
  });

/** Whether a value is known only when it is needed. A template that is not closed is one too: it has its own fault. */
export function isOpen(value: unknown): boolean {
  let open = false;
  return faultIn(() => void (open = isTemplate(value))) !== undefined || open;
}

/** Faults of a condition, which is true or false. */
export function conditionProblems(source: string, view: View, path: PropertyKey[]): Problem[] {
  let type = '';
  const message = faultIn(() => {
    assertEarlier(source, view);
    type = checkExpression(source, view.scope);
  });
  if (message !== undefined) return [fault(path, message)];
  return type === 'bool' || type === 'dyn'
    ? []
    : [fault(path, `expected true or false, got an expression of type ${type}`)];
}

/** The type check would only say that there is no such key. @throws ExpressionFault */
function assertEarlier(source: string, { earlier, named }: View): void {
  for (const name of referencesTo('steps', source)) {
    if (earlier.includes(name)) continue;
    if (named.includes(name)) throw new ExpressionFault(`step "${name}" is not done yet when this is evaluated`);
    const hint = suggest(name, earlier) || `; there is: ${earlier.join(', ') || 'none'}`;
    throw new ExpressionFault(`no earlier step "${name}"${hint}`);
  }
}
