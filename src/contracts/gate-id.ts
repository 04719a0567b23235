import { z } from 'zod';

/** A gate of a procedure. Without a run: of the newest. */
export interface GateReference {
  workflowId: string;
  runId?: string | undefined;
  gate: string;
}

/** Temporal's own limit of an id is 1,000 characters. */
const parts = z.union([
  z.tuple([z.string().min(1).max(1000), z.string().min(1).max(64)]),
  z.tuple([z.string().min(1).max(1000), z.string().min(1).max(64), z.uuid()]),
]);

/** The id of a gate for addresses and buttons. Workflow ids may be anything that a person types: it is opaque, in base64url. */
export function gateId({ workflowId, gate, runId }: GateReference): string {
  const bytes = new TextEncoder().encode(JSON.stringify([workflowId, gate, ...(runId ? [runId] : [])]));
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replace(/=+$/, '');
}

/** What an id names; undefined when it is none. */
export function readGateId(id: string): GateReference | undefined {
  if (!/^[A-Za-z0-9_-]{1,8000}$/.test(id)) return undefined;
  try {
    const bytes = Uint8Array.from(atob(id.replaceAll('-', '+').replaceAll('_', '/')), (byte) => byte.charCodeAt(0));
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    const read = parts.safeParse(JSON.parse(text));
    if (!read.success) return undefined;
    const [workflowId, gate, runId] = read.data;
    return { workflowId, gate, ...(runId ? { runId } : {}) };
  } catch {
    return undefined;
  }
}
