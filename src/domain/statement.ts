import type { Decision } from '../contracts/gates.ts';
import type { Statement } from '../contracts/statement.ts';

/** Clocks of the server and of the worker may differ by so much. */
const SKEW_SECONDS = 30;

/** A statement is sent at once: one that lives longer was not made by our server. */
const LONGEST_SECONDS = 300;

/** The message that a statement came with, and where and when it came (milliseconds since the epoch). */
export interface StatementUse {
  decision: Omit<Decision, 'statement'>;
  workflowId: string;
  runId: string;
  receivedAt: number;
}

/**
 * Why a statement with a good signature does not hold for the message it came with; undefined when it does. The times
 * are judged at reception: a check that comes late changes nothing.
 */
export function faultOfStatement(said: Statement, use: StatementUse): string | undefined {
  const { decision, workflowId, runId, receivedAt } = use;
  if (said.workflowId !== workflowId) return 'it is for another procedure';
  if (said.runId !== runId) return 'it is for another run of this procedure';
  if (said.gate !== decision.gate) return `it is for gate ${said.gate}`;
  if (said.code !== decision.code) return `it is for code ${said.code}`;
  if (said.by !== decision.by) return `it is by ${said.by}`;
  if (said.decision !== decision.decision) return `it says ${said.decision}`;
  if ((said.breakGlass ?? false) !== (decision.breakGlass ?? false)) return 'it says otherwise about break-glass';
  if (said.reason !== decision.reason) return 'it has another reason';
  if (textOf(said.fields) !== textOf(decision.fields)) return 'it has other fields';
  const now = receivedAt / 1000;
  if (said.exp <= said.iat || said.exp - said.iat > LONGEST_SECONDS) return 'its lifetime is not ours';
  if (said.iat > now + SKEW_SECONDS) return 'it is not valid yet';
  if (said.exp + SKEW_SECONDS <= now) return 'it has expired';
  return undefined;
}

const textOf = (fields: Decision['fields'] = {}): string =>
  JSON.stringify(Object.entries(fields).sort(([left], [right]) => (left < right ? -1 : 1)));
