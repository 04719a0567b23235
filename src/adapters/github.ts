import { failure } from './failure.ts';
import { redact } from './secrets.ts';

/** A workflow of GitHub Actions. */
export interface GithubWorkflow {
  /** Of the API, without a slash at its end: `https://api.github.com`. */
  url: string;
  /** `owner/repository`. */
  repository: string;
  /** Its file name, which GitHub takes in place of its number. */
  file: string;
  token: string;
}

/** Less than the start-to-close timeout of the activities. */
const TIMEOUT_MS = 10_000;
/** When GitHub says only that it is too much: it asks for at least a minute. */
const RATE_LIMIT_MS = 60_000;

/**
 * State of a workflow: `active`, `disabled_manually`, `disabled_inactivity`, `disabled_fork` or `deleted`.
 * https://docs.github.com/en/rest/actions/workflows#get-a-workflow
 * @throws NotFound, Forbidden, Unavailable
 */
export async function readWorkflowState(workflow: GithubWorkflow): Promise<string> {
  const text = await ask(workflow, 'GET', '');
  const { state } = parse(text) as { state?: unknown };
  if (typeof state === 'string') return state;
  throw failure('Unavailable', `GitHub did not say in which state ${nameOf(workflow)} is: ${text.slice(0, 200)}`);
}

/**
 * Disables or enables a workflow, as a person does who presses the button.
 * Effect: convergent; GitHub answers 204 to a repetition too.
 * https://docs.github.com/en/rest/actions/workflows#disable-a-workflow
 * @throws NotFound, Forbidden, Unavailable
 */
export async function setWorkflow(workflow: GithubWorkflow, to: 'disable' | 'enable'): Promise<void> {
  await ask(workflow, 'PUT', `/${to}`);
}

async function ask(workflow: GithubWorkflow, method: 'GET' | 'PUT', verb: string): Promise<string> {
  const { url, repository, file, token } = workflow;
  let response: Response;
  let text: string;
  try {
    response = await fetch(`${url}/repos/${repository}/actions/workflows/${file}${verb}`, {
      method,
      headers: {
        accept: 'application/vnd.github+json',
        authorization: `Bearer ${token}`,
        'user-agent': 'windlass', // Without one GitHub answers 403.
        'x-github-api-version': '2022-11-28',
      },
      redirect: 'manual', // Followed, it would carry the token to an address that nobody wrote into the catalog.
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    text = await response.text();
  } catch (error) {
    const { name, message, cause } = error as Error & { cause?: { code?: string } };
    const why = name === 'TimeoutError' ? `no answer within ${TIMEOUT_MS / 1000} s` : (cause?.code ?? message);
    throw failure('Unavailable', `GitHub cannot be asked about ${nameOf(workflow)}: ${redact(why, [token])}`);
  }
  if (response.ok) return text;
  throw refusal(workflow, response, redact(messageOf(text), [token]));
}

/** Rate limits come as 403 or 429: https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api */
function refusal(workflow: GithubWorkflow, { status, headers }: Response, message: string): Error {
  const said = `HTTP ${status}${message ? `: ${message}` : ''}`;
  const waitMs = waitOf(headers);
  if (status === 429 || (status === 403 && waitMs !== undefined))
    return failure('Unavailable', `GitHub limits how often it is asked (${said})`, [], waitMs ?? RATE_LIMIT_MS);
  if (status >= 500) return failure('Unavailable', `GitHub cannot now (${said})`);
  if (status === 401 || status === 403)
    return failure(
      'Forbidden',
      `GitHub refuses ${nameOf(workflow)} to the token (${said}): it needs to write the actions of the repository.`,
    );
  if (status === 404)
    return failure(
      'NotFound',
      `GitHub has no ${nameOf(workflow)} that the token may see (${said}): look at the catalog.`,
    );
  return failure('Refused', `GitHub did not do it for ${nameOf(workflow)} (${said})`);
}

/** How long to wait, when the answer is about a rate limit. */
function waitOf(headers: Headers): number | undefined {
  const after = Number(headers.get('retry-after') ?? NaN);
  if (!Number.isNaN(after)) return after * 1000;
  if (headers.get('x-ratelimit-remaining') !== '0') return undefined;
  const reset = Number(headers.get('x-ratelimit-reset') ?? NaN) * 1000;
  return Number.isNaN(reset) ? RATE_LIMIT_MS : Math.max(0, reset - Date.now());
}

const nameOf = ({ repository, file }: GithubWorkflow): string => `workflow ${file} of ${repository}`;

function messageOf(text: string): string {
  const { message } = parse(text) as { message?: unknown };
  return typeof message === 'string' ? message.slice(0, 300) : '';
}

function parse(text: string): object {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}
