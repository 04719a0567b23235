/** An error whose message is for the person at the terminal: it is printed without a stack. */
export class SandboxError extends Error {
  override name = 'SandboxError';
}

/** Ends a program that failed: a wrong use or a missing thing is told in words, anything else is ours and shows where. */
export function fail(program: string, error: unknown): void {
  console.error(error instanceof SandboxError ? `${program}: ${error.message}` : error);
  process.exitCode = 1;
}
