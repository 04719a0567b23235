import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { ContractAnswer } from './contract.ts';

/**
 * What Statuspage's API accepts and answers for incidents, from its published reference (developer.statuspage.io):
 * `Authorization: OAuth TOKEN`, 401 without; `POST …/incidents` gives 201, `PATCH …/incidents/ID` and `GET` give 200; 404
 * for an unknown incident, 422 with `error` for what is not valid. `metadata` is an object of objects. `limit` of the
 * list is at most 100. Too many requests are answered with 420.
 *
 * Stricter than Statuspage where it would hide a mistake: unknown fields are refused. Not covered: scheduled incidents,
 * components, templates, form encoding, its rate limit (a fault asks for it).
 */
const fields = {
  name: z.string().min(1).max(255),
  status: z.enum(['investigating', 'identified', 'monitoring', 'resolved']).optional(),
  impact_override: z.enum(['none', 'minor', 'major', 'critical']).optional(),
  body: z.string().max(25_000).optional(),
  deliver_notifications: z.boolean().optional(),
  metadata: z.record(z.string(), z.record(z.string(), z.unknown())).optional(),
};
const creation = z.strictObject({ incident: z.strictObject(fields) });
const change = z.strictObject({ incident: z.strictObject({ ...fields, name: fields.name.optional() }) });

export interface StatusIncident {
  id: string;
  name: string;
  status: string;
  metadata: Record<string, Record<string, unknown>>;
  /** Newest first, as the vendor lists them. */
  incident_updates: { id: string; status: string; body: string }[];
}

export interface StatuspageRequest {
  method: string;
  page: string;
  /** ID of the incident, when the path names one. */
  incident?: string;
  limit?: number;
  authorization: string;
  body: string;
}

/** Incidents of status pages, by the page's ID. It has no key by which it would know a repetition, and so never does. */
export class Statuspage {
  private readonly pages = new Map<string, StatusIncident[]>();

  list(page: string): StatusIncident[] {
    return this.pages.get(page) ?? [];
  }

  /** Judges a request, and lets it take effect. */
  answer(request: StatuspageRequest): ContractAnswer {
    const { method, page, incident: id, authorization, limit = 100 } = request;
    if (!/^OAuth \S+$/.test(authorization)) return { status: 401, body: { error: 'Could not authenticate' } };
    const all = this.list(page);
    const found = all.find((one) => one.id === id);
    if (id !== undefined && !found) return { status: 404, body: { error: 'Not found' } };
    if (method === 'GET') return { status: 200, body: found ?? all.slice(0, Math.min(limit, 100)) };
    const expected = found ? 'PATCH' : 'POST';
    if (method !== expected) return { status: 405, body: { error: `expected ${expected}` } };
    const parsed = (found ? change : creation).safeParse(parse(request.body));
    if (!parsed.success) return { status: 422, body: { error: parsed.error.issues.map(({ message }) => message) } };
    const { name = '', status = found?.status ?? 'investigating', body = '', metadata } = parsed.data.incident;
    const update = { id: newId(), status, body };
    if (found) {
      found.status = status;
      if (name) found.name = name;
      if (metadata) found.metadata = metadata;
      found.incident_updates.unshift(update);
      return { status: 200, body: found };
    }
    const made = { id: newId(), name, status, metadata: metadata ?? {}, incident_updates: [update] };
    this.pages.set(page, [made, ...all]);
    return { status: 201, body: made };
  }
}

const newId = () => randomBytes(6).toString('hex');

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
