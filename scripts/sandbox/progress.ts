/** Progress goes to stderr, so that stdout stays free for results (`--json`). */
export function report(line: string): void {
  process.stderr.write(`sandbox: ${line}\n`);
}

/** Runs `work` and reports how long it took, e.g. "Kubernetes ready (6.1 s)". */
export async function timed<T>(what: string, work: () => Promise<T>): Promise<T> {
  const start = performance.now();
  const result = await work();
  report(`${what} (${((performance.now() - start) / 1000).toFixed(1)} s)`);
  return result;
}
