import { stripVTControlCharacters } from 'node:util';
import { formatDuration } from '../../domain/duration.ts';

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
