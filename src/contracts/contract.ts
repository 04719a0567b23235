import type { z } from 'zod';

/** What the CLI, the docs, the UI and the worker know of a procedure. */
export interface Contract<Input extends z.ZodType = z.ZodType> {
  /** The workflow type: a verb phrase. */
  procedure: string;
  description: string;
  input: Input;
  /** A complete input that works on the sandbox: docs, tests and `--help` use it. */
  example: z.input<Input>;
  /** Workflow id for an input: a label for people, never relied on. */
  workflowId: (input: z.output<Input>) => string;
}

/** One line per fault: `environment: expected a name…`. Unknown fields are named. */
export function describeIssues(error: z.ZodError): string {
  return error.issues
    .map((issue) => `${issue.path.length === 0 ? 'input' : issue.path.join('.')}: ${issue.message}`)
    .join('; ');
}
