import type { ContractAnswer } from './contract.ts';

/**
 * What GitHub's REST API accepts and answers for the workflows of Actions, from its published reference (docs.github.com,
 * "REST API endpoints for workflows", version 2022-11-28): `Authorization: Bearer TOKEN`, 401 without; 403 without a
 * User-Agent, and for a token that may not write; `GET …/workflows/ID` gives 200 with `state`, `PUT …/ID/disable` and
 * `…/enable` give 204 without a body, to a repetition too; 404 for what is not there or not for the token.
 *
 * Stricter than GitHub where it would hide a mistake: the version of the API must be named. Not covered: numbers in place
 * of file names, its rate limits (a fault asks for them), other states than those that the two verbs make.
 */
export interface GithubRequest {
  method: string;
  /** `owner/repository`. */
  repository: string;
  file: string;
  verb?: string;
  authorization: string;
  userAgent: string;
  version: string;
}

/** The one workflow that each repository has. */
const FILE = 'deploy.yml';
/** A token that may read and not write. */
const READ_ONLY = 'read-only';

const says = (status: number, message: string): ContractAnswer => ({
  status,
  body: { message, documentation_url: 'https://docs.github.com/rest', status: String(status) },
});

/** Workflows by repository; active until they are disabled. */
export class Github {
  private readonly disabled = new Set<string>();

  /** `active` or `disabled_manually`. */
  stateOf(repository: string): string {
    return this.disabled.has(repository) ? 'disabled_manually' : 'active';
  }

  /** Judges a request, and lets it take effect. */
  answer({ method, repository, file, verb, authorization, userAgent, version }: GithubRequest): ContractAnswer {
    if (!userAgent)
      return says(
        403,
        'Request forbidden by administrative rules. Please make sure your request has a User-Agent header',
      );
    const [, token] = /^(?:Bearer|token) (\S+)$/.exec(authorization) ?? [];
    if (!token) return says(401, 'Bad credentials');
    if (version !== '2022-11-28') return says(400, 'expected X-GitHub-Api-Version: 2022-11-28');
    if (file !== FILE) return says(404, 'Not Found');
    if (verb === undefined)
      return method === 'GET'
        ? {
            status: 200,
            body: { id: 1, name: 'Deploy', path: `.github/workflows/${file}`, state: this.stateOf(repository) },
          }
        : says(404, 'Not Found');
    if (method !== 'PUT') return says(404, 'Not Found');
    if (token === READ_ONLY) return says(403, 'Resource not accessible by personal access token');
    if (verb === 'disable') this.disabled.add(repository);
    else this.disabled.delete(repository);
    return { status: 204, body: undefined };
  }
}
