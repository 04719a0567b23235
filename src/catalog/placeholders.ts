import type { Problem } from './issues.ts';
import { fault } from './problems.ts';
import { suggest } from './suggest.ts';

/** Faults of a query that names what is not filled in; a `$` at the end of a regular expression is none. */
export const placeholderProblems = (query: string, at: PropertyKey[], known: string[]): Problem[] =>
  [...query.matchAll(/\$\{?([A-Za-z_]\w*)/g)]
    .map((match) => match[1]!)
    .filter((name) => !known.includes(name))
    .map((name) =>
      fault(at, `expected only ${known.map((each) => `$${each}`).join(', ')}, got $${name}${suggest(name, known)}`),
    );
