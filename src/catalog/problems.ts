import type { Problem } from './issues.ts';
import { suggest } from './suggest.ts';

export const fault = (path: PropertyKey[], message: string, at: Problem['at'] = 'value'): Problem => ({
  path,
  at,
  message,
});

/** A name that nothing has, with one that is near, or all there are. */
export const noSuch = (what: string, name: string, names: string[]): string =>
  `no ${what} "${name}"${suggest(name, names) || `; there is: ${names.join(', ') || 'none'}`}`;

/** A fault for each name that came before. */
export function duplicates(names: string[], path: (index: number) => PropertyKey[], what: string): Problem[] {
  return names.flatMap((name, index) =>
    names.indexOf(name) < index ? [fault(path(index), `expected distinct names, got the ${what} "${name}" twice`)] : [],
  );
}
