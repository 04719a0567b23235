/**
 * The same value with every control character of its texts shown as `�`. Reasons, log lines and failure messages are
 * written by others: an escape sequence in one must not reach the operator's terminal, and no mark may turn around what a page shows.
 */
export function printable<T>(value: T): T {
  if (typeof value === 'string') return cleaned(value) as T;
  if (Array.isArray(value)) return value.map((item: unknown) => printable(item)) as T;
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [cleaned(key), printable(item as unknown)]),
  ) as T;
}

function cleaned(text: string): string {
  // C0 and C1 without tab and newline, and the marks that reverse the direction of what follows.
  // eslint-disable-next-line no-control-regex
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '�');
}
