import type { ASTNode } from '@marcbachmann/cel-js';
import type { ExpressionScope, ExpressionType } from '../contracts/expression-type.ts';
import { parseExpression } from './environment.ts';
import { ExpressionFault } from './fault.ts';
import { assertAllowed } from './rules.ts';
import { nodesOf } from './tree.ts';
import { fromCel, toCel } from './values.ts';

/**
 * Checks an expression as the catalog is loaded: it parses, calls only what it may, is cheap, and its types fit.
 * @returns its type as CEL writes it: `bool`, `list<string>`, `dyn`
 * @throws ExpressionFault
 */
export function checkExpression(source: string, scope: ExpressionScope): string {
  const parsed = parseExpression(source, scope);
  assertAllowed(parsed.ast);
  return parsed.check();
}

/**
 * The value of an expression, as JSON. Nothing but its text, the types and the values decides it: the same on every
 * replay.
 * @throws ExpressionFault when a value is not there, or of another type than the expression needs
 */
export function evaluate(source: string, scope: ExpressionScope, values: Record<string, unknown>): unknown {
  const parsed = parseExpression(source, scope);
  assertAllowed(parsed.ast);
  parsed.check();
  const named = variablesOf(parsed.ast);
  const needed = Object.entries(scope).flatMap(([name, type]) =>
    named.has(name) ? [[name, toCel(values[name], narrow(parsed.ast, name, type), name)]] : [],
  );
  return fromCel(parsed.evaluate(Object.fromEntries(needed) as Record<string, unknown>));
}

/** As `evaluate`, for conditions. @throws ExpressionFault also when it is not a bool */
export function evaluateCondition(source: string, scope: ExpressionScope, values: Record<string, unknown>): boolean {
  const value = evaluate(source, scope, values);
  if (typeof value === 'boolean') return value;
  throw new ExpressionFault(`expected true or false, got ${JSON.stringify(value)?.slice(0, 60)}`);
}

/** Which fields of a variable an expression names: `steps.look.output.n > 1` refers to `look` of `steps`. */
export const referencesTo = (variable: string, source: string): string[] =>
  fieldsOf(variable, parseExpression(source, {}).ast);

function fieldsOf(variable: string, ast: ASTNode): string[] {
  const fields = nodesOf(ast).flatMap((node) => {
    if (node.op === '.' && isVariable(node.args[0], variable)) return [node.args[1]];
    const index = node.op === '[]' && isVariable(node.args[0], variable) ? node.args[1] : undefined;
    return index?.op === 'value' && typeof index.args === 'string' ? [index.args] : [];
  });
  return [...new Set(fields)];
}

/** Only the fields that are named need to be converted: outputs may be large. */
function narrow(ast: ASTNode, variable: string, type: ExpressionType): ExpressionType {
  if (typeof type === 'string' || !('fields' in type)) return type;
  const uses = nodesOf(ast).filter((node) => isVariable(node, variable)).length;
  const selects = nodesOf(ast).filter((node) => node.op === '.' && isVariable(node.args[0], variable)).length;
  if (uses !== selects) return type;
  const fields = fieldsOf(variable, ast);
  return { fields: Object.fromEntries(Object.entries(type.fields).filter(([name]) => fields.includes(name))) };
}

const isVariable = (node: ASTNode, name: string): boolean => node.op === 'id' && node.args === name;

const variablesOf = (ast: ASTNode): Set<string> =>
  new Set(nodesOf(ast).flatMap((node) => (node.op === 'id' ? [node.args] : [])));
