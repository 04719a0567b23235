import type { ContractAnswer } from './contract.ts';
import { PagerDuty } from './pagerduty-contract.ts';
import { Statuspage } from './statuspage-contract.ts';

export interface VendorRequest {
  method: string;
  url: URL;
  contentType: string;
  authorization: string;
  body: string;
}

const EVENTS = /^\/pagerduty\/([^/]+)\/v2\/(change\/)?enqueue$/;
const INCIDENTS = /^\/statuspage\/v1\/pages\/([^/]+)\/incidents(?:\/([^/]+))?$/;

/** PagerDuty and Statuspage, each at a path below which its own paths follow. What they hold ends with the process. */
export class Vendors {
  private readonly pagerduty = new PagerDuty();
  private readonly statuspage = new Statuspage();

  /**
   * Judges a request, and lets it take effect.
   * @returns undefined when the path is none of a vendor
   */
  answer({ method, url, contentType, authorization, body }: VendorRequest): ContractAnswer | undefined {
    const [, account, change] = EVENTS.exec(url.pathname) ?? [];
    if (account) return this.pagerduty.answer({ method, account, change: !!change, contentType, body });
    const [, page, incident] = INCIDENTS.exec(url.pathname) ?? [];
    if (!page) return undefined;
    const limit = Number(url.searchParams.get('limit') ?? 100);
    const where = { page, ...(incident ? { incident } : {}) };
    return this.statuspage.answer({ method, ...where, limit, authorization, body });
  }

  /** What an account of PagerDuty or a status page shows now. */
  shown(url: URL): unknown {
    const { account, page } = Object.fromEntries(url.searchParams);
    if (account !== undefined) return this.pagerduty.list(account);
    return page === undefined ? undefined : this.statuspage.list(page);
  }
}

/** The body without what gives access: PagerDuty's routing key is part of it. */
export const withoutSecrets = (body: unknown): unknown =>
  typeof body === 'object' && body !== null && 'routing_key' in body ? { ...body, routing_key: '(hidden)' } : body;
