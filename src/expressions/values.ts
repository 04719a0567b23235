import type { ExpressionType } from '../contracts/expression-type.ts';
import { ExpressionFault } from './fault.ts';

/**
 * A JSON value as CEL has it. JSON has one kind of number and CEL two: where the type says `int` or `double` it is that;
 * elsewhere a whole number is an `int` and any other one a `double`. Fields that the type does not know are left out.
 * @throws ExpressionFault when the value is not of the type; `at` names it
 */
export function toCel(value: unknown, type: ExpressionType, at: string): unknown {
  if (typeof type !== 'string') return toCollection(value, type, at);
  switch (type) {
    case 'int':
      if (Number.isSafeInteger(value)) return BigInt(value as number);
      throw mismatch(at, 'a whole number', value);
    case 'double':
      if (typeof value === 'number') return value;
      throw mismatch(at, 'a number', value);
    case 'string':
      if (typeof value === 'string') return value;
      throw mismatch(at, 'a text', value);
    case 'bool':
      if (typeof value === 'boolean') return value;
      throw mismatch(at, 'true or false', value);
    case 'dyn':
      return anything(value);
  }
}

function toCollection(value: unknown, type: Exclude<ExpressionType, string>, at: string): unknown {
  if ('list' in type) {
    if (!Array.isArray(value)) throw mismatch(at, 'a list', value);
    return value.map((item, index) => toCel(item, type.list, `${at}[${index}]`));
  }
  if (!isRecord(value)) throw mismatch(at, 'a map', value);
  const typed = 'map' in type ? Object.keys(value).map((key) => [key, type.map] as const) : Object.entries(type.fields);
  return Object.fromEntries(
    typed
      .filter(([key]) => Object.hasOwn(value, key) && value[key] !== undefined)
      .map(([key, held]) => [key, toCel(value[key], held, `${at}.${key}`)]),
  );
}

function anything(value: unknown): unknown {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value;
  if (Array.isArray(value)) return value.map(anything);
  if (!isRecord(value)) return value ?? null;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, held]) => held !== undefined)
      .map(([key, held]) => [key, anything(held)]),
  );
}

/** What CEL made, as JSON. @throws ExpressionFault for what JSON does not have */
export function fromCel(value: unknown): unknown {
  switch (typeof value) {
    case 'bigint':
      if (Number.isSafeInteger(Number(value))) return Number(value);
      throw new ExpressionFault(`${value} is beyond the whole numbers that JSON carries exactly`);
    case 'number':
      if (Number.isFinite(value)) return value;
      throw new ExpressionFault(`${value} is not a number of JSON`);
    case 'string':
    case 'boolean':
      return value;
    default:
      if (value === null) return null;
      if (Array.isArray(value)) return value.map(fromCel);
      if (isRecord(value)) return Object.fromEntries(Object.entries(value).map(([key, held]) => [key, fromCel(held)]));
      throw new ExpressionFault('expected a text, a number, true or false, a list or a map');
  }
}

function mismatch(at: string, expected: string, value: unknown): ExpressionFault {
  const came = value === undefined ? 'nothing' : JSON.stringify(value).slice(0, 60);
  return new ExpressionFault(`expected ${expected} as ${at}, got ${came}`);
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
