/** A map of YAML or JSON; lists, null and scalars are not. */
export const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What an overlay makes of a file: maps merge, lists and scalars replace, null removes (JSON Merge Patch, RFC 7396). */
export function merge(base: unknown, overlay: unknown): unknown {
  if (!isMap(overlay)) return overlay;
  // Entries, not assignments: a key named __proto__ stays a key.
  const merged = new Map(Object.entries(isMap(base) ? base : {}));
  for (const [key, value] of Object.entries(overlay)) {
    if (value === null) merged.delete(key);
    else merged.set(key, merge(merged.get(key), value));
  }
  return Object.fromEntries(merged);
}
