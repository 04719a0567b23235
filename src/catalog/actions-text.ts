import { stringify } from 'yaml';
import { z } from 'zod';
import type { Action } from '../actions/action.ts';
import { ACTIONS } from '../actions/index.ts';
import type { JsonSchema } from './json-schema.ts';

const GROUPS: Record<Action['group'], string> = {
  kubernetes: 'Kubernetes',
  postgres: 'PostgreSQL',
  redis: 'Redis',
  http: 'HTTP',
  metrics: 'Metrics',
  notices: 'Notices',
  objects: 'Objects',
};

const EFFECTS: Record<Action['changes'], string> = {
  nothing: 'Only looks.',
  convergent: 'Changes something; convergent: doing it twice is doing it once.',
  keyed: 'Changes something; keyed: the other side knows a repetition by its key.',
  'look-before-repeat': 'Changes something; look-before-repeat: what an earlier attempt did is found by its mark.',
  'may-repeat': 'Changes something; may-repeat: an attempt that died may have taken place.',
};

/** The content of `docs/actions.md`. */
export function actionsText(): string {
  const all = [...ACTIONS.values()];
  const chapters = Object.entries(GROUPS).flatMap(([group, title]) => [
    `## ${title}`,
    ...all.filter((action) => action.group === group).map(sectionOf),
  ]);
  return `${[INTRODUCTION, ...chapters].join('\n\n')}\n`;
}

const INTRODUCTION = `# Actions

What the steps of a runbook can do. \`npm run schema\` writes this page from \`src/actions\`. Everything acts in the
environment for which the runbook was started: its cluster and namespace, its databases, its Prometheus. A check returns
\`ok\` and \`faults\`; with \`orFail: true\` faults fail the step.`;

function sectionOf({ name, description, changes, parameters, output, example }: Action): string {
  return [
    `### ${name}`,
    `${description}. ${EFFECTS[changes]}`,
    fence(stringify([{ action: name, ...(Object.keys(example as object).length > 0 ? { with: example } : {}) }])),
    listOf(schemaOf(parameters, 'input')),
    `Output: ${fieldsOf(schemaOf(output, 'output'))}.`,
  ]
    .filter(Boolean)
    .join('\n\n');
}

const schemaOf = (schema: z.ZodType, io: 'input' | 'output'): JsonSchema =>
  z.toJSONSchema(schema, { io, unrepresentable: 'any', reused: 'inline' }) as JsonSchema;

function listOf({ properties = {}, required = [] }: JsonSchema): string {
  return Object.entries(properties)
    .map(([name, { description = '', default: otherwise }]) => {
      const needed = (required as string[]).includes(name) ? ' (needed)' : '';
      const usual = otherwise === undefined ? '' : ` Default: \`${JSON.stringify(otherwise)}\`.`;
      return `- \`${name}\`${needed}: ${description as string}.${usual}`;
    })
    .join('\n');
}

const fieldsOf = ({ properties = {} }: JsonSchema): string =>
  Object.keys(properties)
    .map((name) => `\`${name}\``)
    .join(', ');

const fence = (yaml: string): string => `\`\`\`yaml\n${yaml.trimEnd()}\n\`\`\``;
