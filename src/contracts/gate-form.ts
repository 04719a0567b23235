import { z } from 'zod';

/** The name of a field, as people type it: `ticket`. */
export const fieldName = z.string().regex(/^[a-z][A-Za-z0-9_-]{0,62}$/, 'expected a short name such as ticket');

const LONGEST_TEXT = 1000;
const common = { description: z.string().min(1).max(300).optional() };
const bounds = { minimum: z.number().optional(), maximum: z.number().optional() };

/**
 * One field, in the words of JSON Schema. There is no `pattern`: a regular expression that backtracks would stop the
 * workflow for ever; and no nesting, because people type this.
 */
const formField = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('string'),
    ...common,
    enum: z.array(z.string().min(1).max(100)).min(1).max(50).optional(),
    minLength: z.int().min(1).max(LONGEST_TEXT).default(1),
    maxLength: z.int().min(1).max(LONGEST_TEXT).default(LONGEST_TEXT),
  }),
  z.strictObject({ type: z.literal('integer'), ...common, ...bounds }),
  z.strictObject({ type: z.literal('number'), ...common, ...bounds }),
  z.strictObject({
    type: z.literal('boolean'),
    ...common,
    const: z.literal(true).optional().describe('It must be true: a box that must be ticked'),
  }),
]);

const MOST_FIELDS = 20;

/** What must be filled in to approve a gate: an object of JSON Schema with plain members. */
export const gateForm = z
  .strictObject({
    properties: z
      .record(fieldName, formField)
      .refine((fields) => Object.keys(fields).length > 0, 'expected at least one field')
      .refine((fields) => Object.keys(fields).length <= MOST_FIELDS, `expected at most ${MOST_FIELDS} fields`),
    required: z.array(fieldName).default([]),
  })
  .describe('JSON Schema: plain fields, without patterns');
export type GateForm = z.output<typeof gateForm>;

/** What a person filled in; texts as typed, also for numbers and yes or no. */
export const formValues = z
  .record(z.string().max(64), z.union([z.string().max(LONGEST_TEXT), z.number(), z.boolean()]))
  .refine((values) => Object.keys(values).length <= MOST_FIELDS, `expected at most ${MOST_FIELDS} fields`);
export type FormValues = z.output<typeof formValues>;

/** What was filled in with the types that the form says, or each fault of it in words. */
export type FormReading = { values: FormValues } | { faults: string[] };

/**
 * Checks what a person filled in. Texts count as the number or the yes or no (`true`, `false`) that the form wants,
 * so that a command line and a chat need not know types.
 */
export function readForm({ properties, required }: GateForm, given: FormValues): FormReading {
  const typed = Object.fromEntries(
    Object.entries(given).map(([name, value]) => [
      name,
      Object.hasOwn(properties, name) ? asTyped(properties[name]!.type, value) : value,
    ]),
  );
  const schema = z.fromJSONSchema({ type: 'object', properties, required, additionalProperties: false } as never);
  const parsed = schema.safeParse(typed);
  if (parsed.success) return { values: typed };
  return {
    faults: parsed.error.issues.map((issue) => {
      const name = String(issue.path[0] ?? '');
      if (issue.code === 'unrecognized_keys')
        return `no field ${issue.keys.join(', ')}; there is: ${Object.keys(properties).join(', ')}`;
      if (!Object.hasOwn(given, name)) return `${name} is missing${about(properties[name])}`;
      return `${name}: ${issue.message.replace(/^[A-Z][^:]*: /, '')}${about(properties[name])}`;
    }),
  };
}

const about = (field: GateForm['properties'][string] | undefined): string =>
  field?.description ? ` (${field.description})` : '';

function asTyped(type: GateForm['properties'][string]['type'], value: string | number | boolean) {
  if (typeof value !== 'string' || type === 'string') return value;
  const text = value.trim();
  if (type === 'boolean') return text === 'true' ? true : text === 'false' ? false : value;
  return text !== '' && Number.isFinite(Number(text)) ? Number(text) : value;
}
