import { z } from 'zod';

export const faultSchema = z
  .strictObject({
    /** The exact path it applies to. */
    path: z.string().startsWith('/'),
    /** Only requests of this method. */
    method: z.enum(['GET', 'POST', 'PATCH', 'PUT', 'DELETE']).optional(),
    /** Refuses with this status; the request had no effect. */
    status: z.int().min(400).max(599).optional(),
    /** Sent as `Retry-After` with a 429. */
    retryAfterSeconds: z.int().min(0).default(1),
    /** Sent with another refusal. */
    headers: z.record(z.string(), z.string()).optional(),
    /** Takes effect at once, answers later. */
    delayMs: z.int().min(0).max(600_000).optional(),
    /** Takes effect, and the connection is destroyed instead of an answer. */
    dropResponse: z.boolean().default(false),
    /** How many requests it hits; all, when absent. */
    times: z.int().min(1).optional(),
  })
  .refine((fault) => fault.status ?? fault.delayMs ?? fault.dropResponse, 'expected status, delayMs or dropResponse')
  .refine((fault) => !(fault.status && fault.dropResponse), 'expected status or dropResponse, not both');

export type Fault = z.infer<typeof faultSchema>;

/** At most one fault per path; a new one replaces it. */
export class Faults {
  private readonly byPath = new Map<string, Fault>();

  set(fault: Fault): void {
    this.byPath.set(fault.path, fault);
  }

  list(): Fault[] {
    return [...this.byPath.values()];
  }

  clear(): void {
    this.byPath.clear();
  }

  /** The fault that hits this request, which uses up one of its times. */
  take(path: string, method = ''): Fault | undefined {
    const fault = this.byPath.get(path);
    if (fault?.method && fault.method !== method) return undefined;
    if (fault?.times === undefined) return fault;
    if (fault.times === 1) this.byPath.delete(path);
    else this.byPath.set(path, { ...fault, times: fault.times - 1 });
    return fault;
  }
}
