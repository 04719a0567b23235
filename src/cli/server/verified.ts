import { gateId } from '../../contracts/gate-id.ts';
import type { Decision, DecisionResult } from '../../contracts/gates.ts';
import { CliError } from '../errors.ts';
import { readLogin } from '../login-file.ts';

const TIMEOUT_MS = 20_000;

/**
 * Sends a decision as the one who is logged in. The approval server sees the token and says who it is; the procedure, and
 * with it the history, gets a signed statement and no token.
 * @throws CliError when nobody is logged in, no server is configured, or it refuses
 */
export async function decideVerified(
  env: NodeJS.ProcessEnv,
  run: { workflowId: string; runId: string },
  { gate, by: _, statement: __, ...said }: Decision,
): Promise<DecisionResult> {
  const server = env['WINDLASS_APPROVAL_URL'];
  const login = readLogin(env, Date.now());
  if (!login) throw new CliError('not-allowed', `Gate ${gate} wants a verified identity.`, 'Log in: windlass login');
  if (!server)
    throw new CliError(
      'configuration-invalid',
      `Gate ${gate} wants a verified identity, which the approval server verifies.`,
      'Set WINDLASS_APPROVAL_URL to its address.',
    );
  const url = new URL(`/gates/${gateId({ ...run, gate })}/decisions`, server);
  const response = await fetch(url, {
    method: 'POST',
    headers: { authorization: `Bearer ${login.token}`, 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify(said),
    redirect: 'error',
    signal: AbortSignal.timeout(TIMEOUT_MS),
  }).catch((error: Error) => {
    throw new CliError('unreachable', `The approval server at ${url.origin} does not answer: ${error.message}.`);
  });
  const answer = (await response.json().catch(() => ({}))) as Partial<DecisionResult> & { error?: string };
  if (answer.code !== undefined && answer.message !== undefined) return answer as DecisionResult;
  throw new CliError(
    response.status === 401 ? 'not-allowed' : 'refused',
    `The approval server does not take it (${response.status}): ${answer.error ?? 'no reason given'}.`,
    response.status === 401 ? 'Log in again: windlass login' : undefined,
  );
}
