import type { Cell, Matrix } from './matrix.ts';
import { describePlace } from './places.ts';

/** What is wrong with a cell, a line each; empty when it ended as the undisturbed run did. */
export function faultsOf(cell: Cell): string[] {
  const at = `${cell.scenario}, killed ${cell.places.map(describePlace).join(' and ')}`;
  return [
    ...(cell.error ? [cell.error] : []),
    ...(cell.struck > 0 || cell.error ? [] : ['the worker was not killed: the call did not happen']),
    ...cell.differences.map(({ kind, text }) => `${kind}: ${text}`),
    ...cell.unseen.map((change) => `change that the interception did not see: ${change}`),
  ].map((fault) => `${at}: ${fault}`);
}

/** The matrix as a table: one row per scenario. */
export function renderMatrix({ recordings, cells, tookMs }: Matrix): string {
  const rows = recordings.map(({ scenario: { name }, points, shared }) => {
    const of = cells.filter((cell) => cell.scenario === name);
    const with_ = (kind: string) =>
      of.filter(({ differences }) => differences.some((each) => each.kind === kind)).length;
    return {
      scenario: name,
      points: points.length,
      'shared with another': shared,
      runs: of.length,
      kills: of.reduce((sum, { struck }) => sum + struck, 0),
      'same end': of.filter((cell) => faultsOf(cell).length === 0).length,
      'other state': with_('state') + with_('outcome'),
      doubled: with_('doubled') + with_('foreign'),
      'traffic lost': with_('traffic'),
      requests: of.reduce((sum, { requests }) => sum + requests, 0),
      'mean s': Math.round(of.reduce((sum, cell) => sum + cell.tookMs, 0) / Math.max(1, of.length) / 100) / 10,
    };
  });
  const kills = cells.reduce((sum, { struck }) => sum + struck, 0);
  return `${table(rows)}\n${kills} kills in ${cells.length} disturbed runs in ${Math.round(tookMs / 1000)} s\n`;
}

function table(rows: Record<string, string | number>[]): string {
  const head = Object.keys(rows[0] ?? {});
  const width = head.map((name) => Math.max(name.length, ...rows.map((row) => String(row[name]).length)));
  const line = (cells: (string | number)[]) =>
    cells
      .map((cell, index) => (index === 0 ? String(cell).padEnd(width[index]!) : String(cell).padStart(width[index]!)))
      .join('  ');
  return [line(head), ...rows.map((row) => line(head.map((name) => row[name]!)))].join('\n');
}
