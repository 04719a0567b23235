import { MARKS } from './state.ts';

/**
 * A copy of Kubernetes objects fit to be shown: literals of environment variables become what `digest` makes of them,
 * so that one sees whether two are the same and not what they are; what only the API server cares for is left out.
 */
export function redactLiterals(value: unknown, digest: (literal: string) => string): unknown {
  if (Array.isArray(value)) return value.map((each) => redactLiterals(each, digest));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => !HIDDEN.includes(key))
      .map(([key, each]) => [
        key,
        key === 'env' && Array.isArray(each)
          ? each.map((variable) => redactVariable(variable, digest))
          : redactLiterals(each, digest),
      ]),
  );
}

// The last applied configuration repeats the whole manifest, literals included; what variables were is literals too.
const HIDDEN: string[] = ['managedFields', 'kubectl.kubernetes.io/last-applied-configuration', MARKS.formerEnv];

function redactVariable(variable: unknown, digest: (literal: string) => string): unknown {
  const { value, ...rest } = variable as { value?: unknown };
  return typeof value === 'string' ? { ...rest, value: digest(value) } : variable;
}
