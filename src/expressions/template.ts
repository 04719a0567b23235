import type { ExpressionScope } from '../contracts/expression-type.ts';
import { checkExpression, evaluate, referencesTo } from './expression.ts';
import { ExpressionFault, faultIn } from './fault.ts';

/** A text cut at its expressions: `['scale ', { expression: 'parameters.name' }]`. */
type Part = string | { expression: string };

/** Types that may stand within a text. */
const WRITABLE = ['string', 'int', 'double', 'bool', 'dyn'];

/**
 * Cuts a text at `${…}`. Braces and quotes inside an expression are followed; `$${` is a `${` as it is.
 * @throws ExpressionFault when one is not closed
 */
export function partsOf(text: string): Part[] {
  const parts: Part[] = [];
  let literal = '';
  for (let at = 0; at < text.length;) {
    if (text.startsWith('$${', at)) {
      literal += '${';
      at += 3;
    } else if (text.startsWith('${', at)) {
      const end = endOf(text, at + 2);
      if (literal) parts.push(literal);
      literal = '';
      parts.push({ expression: text.slice(at + 2, end).trim() });
      at = end + 1;
    } else {
      literal += text[at];
      at += 1;
    }
  }
  return literal || parts.length === 0 ? [...parts, literal] : parts;
}

export const isTemplate = (value: unknown): value is string =>
  typeof value === 'string' && expressionsOf(value).length > 0;

/** The expressions of a text. @throws ExpressionFault when one is not closed */
export const expressionsOf = (text: string): string[] =>
  partsOf(text).flatMap((part) => (typeof part === 'string' ? [] : [part.expression]));

/** Checks every expression of a text. @throws ExpressionFault */
export function checkTemplate(text: string, scope: ExpressionScope): void {
  const parts = partsOf(text);
  for (const part of parts) {
    if (typeof part === 'string') continue;
    const type = checkExpression(part.expression, scope);
    if (parts.length > 1 && !WRITABLE.includes(type)) {
      throw new ExpressionFault(`expected a text, a number or a bool within a text, got ${type}: ${part.expression}`);
    }
  }
}

/** Checks every template within a JSON value. @returns the faults, with their paths within the value */
export const templateFaults = (value: unknown, scope: ExpressionScope): { path: PropertyKey[]; message: string }[] =>
  textsOf(value).flatMap(({ path, text }) => {
    const message = faultIn(() => checkTemplate(text, scope));
    return message === undefined ? [] : [{ path, message }];
  });

/** A JSON value with its templates filled in; a text that is one expression keeps the expression's type. @throws ExpressionFault */
export function fill(value: unknown, scope: ExpressionScope, values: Record<string, unknown>): unknown {
  if (typeof value === 'string') return fillText(value, scope, values);
  if (Array.isArray(value)) return value.map((item) => fill(item, scope, values));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fill(item, scope, values)]));
}

/** Which fields of a variable the templates within a value name. */
export const templateReferences = (variable: string, value: unknown): string[] => [
  ...new Set(
    textsOf(value)
      .flatMap(({ text }) => expressionsOf(text))
      .flatMap((expression) => referencesTo(variable, expression)),
  ),
];

/** Where in a value there are texts. */
export function textsOf(value: unknown, path: PropertyKey[] = []): { path: PropertyKey[]; text: string }[] {
  if (typeof value === 'string') return [{ path, text: value }];
  if (typeof value !== 'object' || value === null) return [];
  const entries: [PropertyKey, unknown][] = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  return entries.flatMap(([key, item]) => textsOf(item, [...path, key]));
}

function fillText(text: string, scope: ExpressionScope, values: Record<string, unknown>): unknown {
  const parts = partsOf(text);
  const [first] = parts;
  if (parts.length === 1 && typeof first === 'object') return evaluate(first.expression, scope, values);
  return parts
    .map((part) => {
      if (typeof part === 'string') return part;
      const value = evaluate(part.expression, scope, values);
      if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return String(value);
      throw new ExpressionFault(`expected a text, a number or a bool within a text: ${part.expression}`);
    })
    .join('');
}

/** Where the `}` is that closes an expression beginning at `from`. */
function endOf(text: string, from: number): number {
  let depth = 0;
  let quote = '';
  for (let at = from; at < text.length; at++) {
    const character = text[at]!;
    if (quote) {
      if (character === '\\') at += 1;
      else if (character === quote) quote = '';
    } else if (character === '"' || character === "'") quote = character;
    else if (character === '{') depth += 1;
    else if (character === '}' && depth-- === 0) return at;
  }
  throw new ExpressionFault(`expected a } after \${${text.slice(from, from + 40)}; write $\${ for the characters`);
}
