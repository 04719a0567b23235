import { closest, distance } from 'fastest-levenshtein';

/** `; did you mean "container"?` when one of the names is near enough to be a slip of the keyboard, else nothing. */
export function suggest(typed: string, names: readonly string[]): string {
  if (names.length === 0) return '';
  const nearest = closest(typed, [...names]);
  const near = distance(typed, nearest) <= Math.max(1, Math.floor(nearest.length / 3));
  return near ? `; did you mean "${nearest}"?` : '';
}
