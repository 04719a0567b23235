/** The outcome of one part, as printed and as written to reports/test.json. */
export interface Outcome {
  name: string;
  passed: number;
  failed: number;
  skipped: number;
  seconds: number;
  budgetSeconds: number;
  /** What the reader must know besides the counts: why it counts as failed, or a leak. */
  note?: string;
}

/** The fields read from the report that Jest writes with `--json`. */
export interface JestReport {
  numPassedTests: number;
  numFailedTests: number;
  numPendingTests: number;
  numTodoTests: number;
  numRuntimeErrorTestSuites: number;
  testResults: { assertionResults: { title: string; status: string }[] }[];
}

/** How a part's process ended: its exit code, or why it has none. */
export type Ending = { code: number } | { stopped: string };

/**
 * Counts a Jest run. A file that could not be loaded is one failure, and so is a run that ended badly without a failed
 * test to show for it (crash, time limit, no report, no test): a part is never green by accident.
 */
export function count(
  report: JestReport | undefined,
  ending: Ending,
): Omit<Outcome, 'name' | 'seconds' | 'budgetSeconds'> {
  const passed = report?.numPassedTests ?? 0;
  const failed = (report?.numFailedTests ?? 0) + (report?.numRuntimeErrorTestSuites ?? 0);
  const skipped = (report?.numPendingTests ?? 0) + (report?.numTodoTests ?? 0);
  const counts = { passed, failed, skipped };

  if ('stopped' in ending) return { ...counts, failed: failed + 1, note: ending.stopped };
  if (!report) return { ...counts, failed: 1, note: `Jest exited with ${ending.code} and left no report` };
  if (passed + failed + skipped === 0) return { ...counts, failed: 1, note: 'no test ran' };
  if (ending.code !== 0 && failed === 0) {
    return { ...counts, failed: 1, note: `Jest exited with ${ending.code} though no test failed` };
  }
  return counts;
}

/** Sums the counts of all parts. */
export function total(outcomes: Outcome[]): { passed: number; failed: number; skipped: number; seconds: number } {
  const sum = (key: 'passed' | 'failed' | 'skipped' | 'seconds') => outcomes.reduce((all, one) => all + one[key], 0);
  return { passed: sum('passed'), failed: sum('failed'), skipped: sum('skipped'), seconds: sum('seconds') };
}

/** The last line of a run: `N passed, N failed`, and the skipped when there are any. */
export function lastLine({ passed, failed, skipped }: { passed: number; failed: number; skipped: number }): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

/** The table at the end of a run: a line per part, then what took longer than planned and what needs a look. */
export function table(outcomes: Outcome[]): string {
  const rows = outcomes.map((one) => [
    one.name,
    String(one.passed),
    String(one.failed),
    String(one.skipped),
    duration(one.seconds),
    duration(one.budgetSeconds),
  ]);
  const lines = align([['part', 'passed', 'failed', 'skipped', 'time', 'budget'], ...rows]);
  const remarks = outcomes.flatMap((one) => [
    ...(one.seconds > one.budgetSeconds
      ? [`warning: ${one.name} took ${duration(one.seconds)}, its budget is ${duration(one.budgetSeconds)}`]
      : []),
    ...(one.note ? [`${one.failed > 0 ? 'failed' : 'warning'}: ${one.name}: ${one.note}`] : []),
  ]);
  return [...lines, ...remarks].join('\n');
}

/** Pads cells to columns: the first to the left, numbers to the right. */
export function align(rows: string[][]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)))
      .join('  '),
  );
}

/** `0.4 s`, `59 s`, `2 min 05 s`. */
export function duration(seconds: number): string {
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s`;
}
