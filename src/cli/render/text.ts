import { stripVTControlCharacters } from 'node:util';
import { formatDuration } from '../../domain/duration.ts';

/**
 * The same value with every control character of its texts shown as `�`. Reasons, log lines and failure messages are
 * written by others: an escape sequence in one must not reach the operator's terminal.
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

/** Rows as columns of equal width, two spaces apart; `header` first when there are rows. */
export function table(header: string[], rows: string[][]): string[] {
  const all = [header, ...rows];
  const widths = header.map((_, column) => Math.max(...all.map((row) => visible(row[column] ?? '').length)));
  return all.map((row) =>
    row
      .map((cell, column) =>
        column === row.length - 1 ? cell : cell + ' '.repeat(widths[column]! - visible(cell).length),
      )
      .join('  ')
      .trimEnd(),
  );
}

/** `label:  text`, further lines of the text under its first. */
export function field(label: string, text: string, width = 12): string {
  return `${`${label}:`.padEnd(width)}${text.split('\n').join(`\n${' '.repeat(width)}`)}`;
}

export function indent(text: string, by = '  '): string {
  return text
    .split('\n')
    .map((line) => (line === '' ? line : by + line))
    .join('\n');
}

/** A line no longer than the terminal is wide; colors do not count. */
export function fit(line: string, columns: number): string {
  if (visible(line).length <= columns) return line;
  const parts = line.split(ANSI_SPLIT);
  let room = columns - 1;
  let kept = '';
  for (const part of parts) {
    if (ANSI_ONLY.test(part)) kept += part;
    else {
      kept += part.slice(0, room);
      room = Math.max(0, room - part.length);
    }
  }
  return `${kept}…`;
}

/** `12 s ago` of an ISO 8601 time. */
export const ago = (iso: string, now: number): string => `${formatDuration(now - Date.parse(iso))} ago`;

/** `in 40 s`, or `12 s ago` when it is past. */
export const until = (iso: string, now: number): string =>
  Date.parse(iso) > now ? `in ${formatDuration(Date.parse(iso) - now)}` : ago(iso, now);

/** `14:05:09` in UTC, as the server's records have it. */
export const clock = (iso: string): string => `${iso.slice(11, 19)}Z`;

// eslint-disable-next-line no-control-regex
const ANSI_SPLIT = /(\u001b\[[0-9;]*m)/;
// eslint-disable-next-line no-control-regex
const ANSI_ONLY = /^\u001b\[[0-9;]*m$/;
const visible = stripVTControlCharacters;
