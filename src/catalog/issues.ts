import type { z } from 'zod';
import { knownKeys, type JsonSchema } from './json-schema.ts';
import { stepMeant } from './step-issues.ts';
import { suggest } from './suggest.ts';

type Issue = z.core.$ZodIssue;

/** A fault of a system, at a path of its values. */
export interface Problem {
  path: PropertyKey[];
  /** Where to point: at the value, or at the key when the value says nothing or the key is the fault. */
  at: 'value' | 'key';
  message: string;
}

/** What zod found, in words: what was expected and what came. */
export function problemsOf(issues: readonly Issue[], value: unknown, schema: JsonSchema): Problem[] {
  return issues.map(asValue).flatMap((issue): Problem[] => {
    const { path } = issue;
    if (issue.code === 'unrecognized_keys') {
      const known = knownKeys(schema, path);
      return issue.keys.map((key) => ({
        path: [...path, key],
        at: 'key',
        message: `unknown key "${key}"${suggest(key, known) || `; expected one of ${known.join(', ')}`}`,
      }));
    }
    if (issue.code === 'invalid_union' && issue.errors[0]) {
      const meant = isStep(path) ? stepMeant(issue.errors, valueAt(value, path)) : branchMeant(issue.errors);
      if (typeof meant === 'string') return [{ path, at: 'value', message: meant }];
      const nested = meant.map((each) => ({ ...each, path: [...path, ...each.path] }));
      return problemsOf(nested, value, schema);
    }
    if (issue.code === 'invalid_key') {
      const why = issue.issues.map(expectation).join(', ');
      return [{ path, at: 'key', message: `${why}, got the key ${quote(path.at(-1))}` }];
    }
    const came = valueAt(value, path);
    if (came === undefined) {
      return [{ path, at: 'key', message: `missing key "${String(path.at(-1))}": ${expectation(issue)}` }];
    }
    const hint =
      issue.code === 'invalid_value' && typeof came === 'string' ? suggest(came, issue.values.map(String)) : '';
    const got = isSecretPlace(path) ? '' : `, got ${quote(came)}`;
    return [{ path, at: 'value', message: `${expectation(issue)}${got}${hint}` }];
  });
}

/** A union by a word (`kind: slack`) whose word is unknown is a word that is none of the allowed. */
function asValue(issue: Issue): Issue {
  if (issue.code !== 'invalid_union' || !('options' in issue) || !issue.options) return issue;
  const values = issue.options as string[];
  const message = `expected one of ${values.map((value) => JSON.stringify(value)).join('|')}`;
  return { code: 'invalid_value', values, path: issue.path, message };
}

/** The first branch that the value is of the right kind for: a map is not meant as the word "own". */
function branchMeant(branches: Issue[][]): Issue[] {
  const isOfOtherKind = ({ path, code }: Issue) =>
    path.length === 0 && ['invalid_type', 'invalid_value'].includes(code);
  return branches.find((issues) => !issues.some(isOfOtherKind)) ?? branches[0]!;
}

const isStep = (path: readonly PropertyKey[]) => ['steps', 'parallel'].includes(String(path.at(-2)));

/** `expected …`, without zod's preface and without what came, which quote() says better. */
function expectation(issue: Issue): string {
  if (issue.code === 'invalid_type') return `expected ${NAMES[issue.expected] ?? issue.expected}`;
  return issue.message.replace(/^[A-Z][^:]*: (?=expected)/, '').replace(/, received .*$/, '');
}

const NAMES: Record<string, string> = {
  record: 'a map',
  object: 'a map',
  array: 'a list',
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
};

/** A pasted address of a channel is a secret; the fault must not print it. */
const isSecretPlace = (path: readonly PropertyKey[]) =>
  path[0] === 'channels' && ['url', 'server', 'routingKey', 'token'].includes(String(path.at(-1)));

export function quote(value: unknown): string {
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (value === null) return 'nothing';
  if (typeof value === 'object') return 'a map';
  const text = JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (at, step) => (typeof at === 'object' && at !== null && Object.hasOwn(at, step) ? at[step as never] : undefined),
    value,
  );
}
