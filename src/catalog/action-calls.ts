import { z } from 'zod';
import { ACTIONS } from '../actions/index.ts';
import type { Action } from '../actions/action.ts';
import type { ActionCall } from '../contracts/runbook.ts';
import { textsOf } from '../expressions/template.ts';
import { isOpen, valueProblems, type View } from './expression-problems.ts';
import { problemsOf, type Problem } from './issues.ts';
import type { JsonSchema } from './json-schema.ts';
import { fault, noSuch } from './problems.ts';

/** Faults of one call of an action: its name, its parameters as far as they are known, its expressions. */
export function callProblems(call: ActionCall, view: View, path: PropertyKey[]): Problem[] {
  const action = ACTIONS.get(call.action);
  if (!action) return [fault([...path, 'action'], noSuch('action', call.action, [...ACTIONS.keys()].sort()))];
  return [
    ...parameterProblems(action, call.with, [...path, 'with']),
    ...valueProblems(call.with, view, [...path, 'with']),
  ];
}

/** A text with `${…}` may become any scalar, so what zod says about its place does not count. */
function parameterProblems(action: Action, given: ActionCall['with'], path: PropertyKey[]): Problem[] {
  const parsed = action.parameters.safeParse(given);
  if (parsed.success) return [];
  const open = textsOf(given)
    .filter(({ text }) => isOpen(text))
    .map(({ path: at }) => at);
  const dependsOnTemplate = ({ path: at, code }: z.core.$ZodIssue): boolean =>
    open.some((each) => startsWith(at, each) || (code === 'invalid_union' && startsWith(each, at)));
  const issues = parsed.error.issues.filter((issue) => !dependsOnTemplate(issue));
  const schema = z.toJSONSchema(action.parameters, { io: 'input', unrepresentable: 'any' }) as JsonSchema;
  return problemsOf(issues, given, schema).map((problem) => ({ ...problem, path: [...path, ...problem.path] }));
}

const startsWith = (path: PropertyKey[], start: PropertyKey[]): boolean =>
  start.every((step, index) => path[index] === step);
