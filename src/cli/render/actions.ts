import { stringify } from 'yaml';
import { z } from 'zod';
import type { Action } from '../../actions/action.ts';
import { plain, type Paint } from '../io.ts';
import { field, indent, table } from './text.ts';

/** What people must know to write a step with an action. */
export interface ActionDescription {
  name: string;
  group: string;
  description: string;
  changes: Action['changes'];
  /** It says what it would change, and how that is taken back. */
  planned: boolean;
  parameters: Described[];
  output: Described[];
  /** A step, as YAML. */
  example: string;
}

interface Described {
  name: string;
  type: string;
  required: boolean;
  default?: unknown;
  description?: string;
}

interface Schema {
  type?: string;
  enum?: unknown[];
  const?: unknown;
  items?: Schema;
  anyOf?: Schema[];
  additionalProperties?: Schema | boolean;
  properties?: Record<string, Schema>;
  required?: string[];
  default?: unknown;
  description?: string;
}

export function describeAction(action: Action): ActionDescription {
  const { name, group, description, changes } = action;
  const fieldsOf = (schema: z.ZodType, io: 'input' | 'output'): Described[] => {
    const { properties = {}, required = [] } = z.toJSONSchema(schema, { io, unrepresentable: 'any' }) as Schema;
    return Object.entries(properties).map(([key, of]) => ({
      name: key,
      type: typeOf(of),
      required: required.includes(key),
      ...(of.default === undefined ? {} : { default: of.default }),
      ...(of.description === undefined ? {} : { description: of.description }),
    }));
  };
  return {
    name,
    group,
    description,
    changes,
    planned: 'plan' in action,
    parameters: fieldsOf(action.parameters, 'input'),
    output: fieldsOf(action.output, 'output'),
    example: stringify([{ action: name, with: action.example }]),
  };
}

/** Every action with its group and whether it changes anything, one a line. */
export function renderActions(actions: Action[], paint: Paint = plain): string {
  const groups = [...new Set(actions.map(({ group }) => group))].sort();
  return groups
    .flatMap((group) => {
      const members = actions.filter((action) => action.group === group);
      const rows = members.map(({ name, changes, description }) => [
        name,
        changes === 'nothing' ? 'looks' : 'changes',
        description,
      ]);
      return [paint('bold', group), ...table(['NAME', 'DOES', ''], rows).map((line) => `  ${line}`), ''];
    })
    .join('\n')
    .trimEnd();
}

const EFFECTS: Record<Action['changes'], string> = {
  nothing: 'nothing: it only looks',
  convergent: 'convergent: doing it twice ends as doing it once',
  keyed: 'keyed: the service it talks to knows a repeat by its key',
  'look-before-repeat': 'look before repeat: it looks for what an earlier attempt did',
  'may-repeat': 'may repeat: when the process dies in the middle it may happen twice',
};

export function renderAction(action: ActionDescription, paint: Paint = plain): string {
  const { name, description, changes, planned, parameters, output, example } = action;
  return [
    `${paint('bold', name)}  ${description}`,
    field('changes', EFFECTS[changes]),
    ...(planned ? [field('undo', 'own: it knows its way back')] : []),
    '',
    paint('bold', 'Parameters'),
    ...rowsOf(parameters),
    '',
    paint('bold', 'Output'),
    ...rowsOf(output),
    '',
    paint('bold', 'Example'),
    indent(example.trimEnd()),
  ].join('\n');
}

function rowsOf(fields: Described[]): string[] {
  if (fields.length === 0) return ['  none by name'];
  const rows = fields.map(({ name, type, required, default: otherwise, description = '' }) => [
    name,
    type,
    otherwise !== undefined ? `default ${JSON.stringify(otherwise)}` : required ? 'required' : 'optional',
    description,
  ]);
  return table(['NAME', 'TYPE', '', ''], rows).map((line) => `  ${line}`);
}

function typeOf({ type, enum: values, const: value, anyOf, items, additionalProperties }: Schema): string {
  if (values) return values.map(String).join(' | ');
  if (value !== undefined) return JSON.stringify(value);
  if (anyOf) return [...new Set(anyOf.map(typeOf))].join(' | ');
  if (type === 'array') return `list of ${items ? typeOf(items) : 'anything'}`;
  if (type === 'object')
    return typeof additionalProperties === 'object' ? `map of ${typeOf(additionalProperties)}` : 'map';
  return type ?? 'anything';
}
