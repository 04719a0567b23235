/**
 * Puts values into a PromQL query where it says `$namespace`, `$service` and so on. They stand inside its string
 * literals, so quotes and backslashes are escaped; other `$` (the end of a regular expression) stay.
 */
export function fillQuery(query: string, values: Record<string, string>): string {
  return query.replace(/\$([a-z]+)/g, (whole, name: string) =>
    Object.hasOwn(values, name)
      ? values[name]!.replace(/[\\"'`\n]/g, (special) => ESCAPES[special] ?? `\\${special}`)
      : whole,
  );
}

const ESCAPES: Record<string, string> = { '\n': '\\n' };
