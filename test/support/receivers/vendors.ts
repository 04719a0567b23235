import type { ContractAnswer } from './contract.ts';
import { Github } from './github-contract.ts';
import { PagerDuty } from './pagerduty-contract.ts';
import { Statuspage } from './statuspage-contract.ts';

export interface VendorRequest {
  method: string;
  url: URL;
  contentType: string;
  authorization: string;
  userAgent?: string;
  /** Of the API, by its header. */
  version?: string;
  body: string;
}

const EVENTS = /^\/pagerduty\/([^/]+)\/v2\/(change\/)?enqueue$/;
const INCIDENTS = /^\/statuspage\/v1\/pages\/([^/]+)\/incidents(?:\/([^/]+))?$/;

const WORKFLOWS = /^\/github\/repos\/([^/]+\/[^/]+)\/actions\/workflows\/([^/]+)(?:\/(disable|enable))?$/;

/** PagerDuty, Statuspage and GitHub, each at a path below which its own paths follow. What they hold ends with the process. */
export class Vendors {
  private readonly pagerduty = new PagerDuty();
  private readonly statuspage = new Statuspage();
  private readonly github = new Github();

  /**
   * Judges a request, and lets it take effect.
   * @returns undefined when the path is none of a vendor
   */
  answer({
    method,
    url,
    contentType,
    authorization,
    userAgent = '',
    version = '',
    body,
  }: VendorRequest): ContractAnswer | undefined {
    const [, account, change] = EVENTS.exec(url.pathname) ?? [];
    if (account) return this.pagerduty.answer({ method, account, change: !!change, contentType, body });
    const [, repository, file, verb] = WORKFLOWS.exec(url.pathname) ?? [];
    if (repository && file) {
      const where = { repository, file, ...(verb ? { verb } : {}) };
      return this.github.answer({ method, ...where, authorization, userAgent, version });
    }
    const [, page, incident] = INCIDENTS.exec(url.pathname) ?? [];
    if (!page) return undefined;
    const limit = Number(url.searchParams.get('limit') ?? 100);
    const where = { page, ...(incident ? { incident } : {}) };
    return this.statuspage.answer({ method, ...where, limit, authorization, body });
  }

  /** What an account of PagerDuty, a status page or the workflow of a repository shows now. */
  shown(url: URL): unknown {
    const { account, page, repository } = Object.fromEntries(url.searchParams);
    if (repository !== undefined) return this.github.stateOf(repository);
    if (account !== undefined) return this.pagerduty.list(account);
    return page === undefined ? undefined : this.statuspage.list(page);
  }
}

/** The body without what gives access: PagerDuty's routing key is part of it. */
export const withoutSecrets = (body: unknown): unknown =>
  typeof body === 'object' && body !== null && 'routing_key' in body ? { ...body, routing_key: '(hidden)' } : body;
