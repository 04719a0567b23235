import { z } from 'zod';
import { ACTIONS } from '../actions/index.ts';
import type { ExpressionType } from '../contracts/expression-type.ts';
import type { JsonSchema } from './json-schema.ts';

/** What an action returns, as expressions know it; undefined for one that does not exist. */
export function outputTypeOf(name: string): ExpressionType | undefined {
  const action = ACTIONS.get(name);
  if (!action) return undefined;
  const schema = z.toJSONSchema(action.output, { io: 'output', unrepresentable: 'any', reused: 'inline' });
  return typeOfSchema(schema as JsonSchema);
}

const SCALARS: Record<string, ExpressionType> = {
  string: 'string',
  integer: 'int',
  number: 'double',
  boolean: 'bool',
};

/** A union, and whatever else has no single type, is `dyn`: known only when it is there. */
export function typeOfSchema(schema: JsonSchema): ExpressionType {
  const { type } = schema;
  if (typeof type !== 'string') return 'dyn';
  if (type === 'array') return { list: schema.items ? typeOfSchema(schema.items) : 'dyn' };
  if (type !== 'object') return SCALARS[type] ?? 'dyn';
  if (schema.properties) {
    const fields = Object.entries(schema.properties).map(([name, field]) => [name, typeOfSchema(field)] as const);
    return { fields: Object.fromEntries(fields) };
  }
  const values = schema.additionalProperties;
  return { map: typeof values === 'object' ? typeOfSchema(values) : 'dyn' };
}
