/** An output enters the history and the expressions of later steps. */
export const MAX_OUTPUT_BYTES = 64 * 1024;
/** What the result of a run keeps of one. */
export const MAX_RESULT_BYTES = 4 * 1024;

/** More elements are of no use to an expression, whose cost is counted on a tenth of them. */
const MAX_ELEMENTS = 1000;

/**
 * A JSON value that takes at most so many bytes, of the same shape as far as there is room: lists end earlier and texts
 * are cut, which they then say. A value that fits, with lists of bearable length, comes back as it is.
 */
export function cutOutput(value: unknown, bytes: number): unknown {
  for (let elements = MAX_ELEMENTS, characters = bytes; ; elements = half(elements), characters = half(characters)) {
    const cut = cutTo(value, elements, characters);
    if (bytesOf(cut) <= bytes) return cut;
    if (elements === 0 && characters === 0) return undefined;
  }
}

export const bytesOf = (value: unknown): number => new TextEncoder().encode(JSON.stringify(value) ?? '').length;

const half = (limit: number): number => Math.floor(limit / 2);

function cutTo(value: unknown, elements: number, characters: number): unknown {
  if (typeof value === 'string') return value.length <= characters ? value : `${value.slice(0, characters)}…`;
  if (Array.isArray(value)) return value.slice(0, elements).map((item) => cutTo(item, elements, characters));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .slice(0, Math.max(elements, 1))
      .map(([key, item]) => [key, cutTo(item, elements, characters)]),
  );
}
