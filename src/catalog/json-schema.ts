import { z } from 'zod';
import { systemSchema } from '../contracts/catalog.ts';

/** The part of JSON Schema that zod writes and we read. */
export interface JsonSchema {
  properties?: Record<string, JsonSchema>;
  additionalProperties?: JsonSchema | boolean;
  items?: JsonSchema;
  prefixItems?: JsonSchema[];
  anyOf?: JsonSchema[];
  allOf?: JsonSchema[];
  [keyword: string]: unknown;
}

/** JSON Schema of a system's file, for editors (the first line of each file names it) and for hints in errors. */
export function systemJsonSchema(): JsonSchema {
  const schema = z.toJSONSchema(systemSchema, { io: 'input', reused: 'inline', unrepresentable: 'any' });
  return { title: 'Windlass system', ...schema } as JsonSchema;
}

/** The keys that the schema knows of the map at `path`; empty where any key is allowed. */
export function knownKeys(schema: JsonSchema, path: readonly PropertyKey[]): string[] {
  const parts = [schema, ...(schema.anyOf ?? []), ...(schema.allOf ?? [])];
  if (path.length === 0) return parts.flatMap((part) => Object.keys(part.properties ?? {}));
  const [step, ...rest] = path as [PropertyKey, ...PropertyKey[]];
  return parts.flatMap((part) => {
    const next = typeof step === 'number' ? (part.prefixItems?.[step] ?? part.items) : inMap(part, String(step));
    return next ? knownKeys(next, rest) : [];
  });
}

function inMap(schema: JsonSchema, key: string): JsonSchema | undefined {
  if (schema.properties && Object.hasOwn(schema.properties, key)) return schema.properties[key];
  return typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined;
}

/** The content of `systems/schema.json`. */
export const schemaText = (): string => `${JSON.stringify(systemJsonSchema(), null, 2)}\n`;
