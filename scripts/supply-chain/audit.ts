import { z } from 'zod';

/** What the registry says of the packages that an installation has; `unknown` when it said nothing. */
export type AuditVerdict =
  { kind: 'clean' } | { kind: 'found'; lines: string[]; serious: boolean } | { kind: 'unknown'; why: string };

const advisory = z.object({ title: z.string(), url: z.string().optional(), severity: z.string() });
const report = z.object({
  vulnerabilities: z.record(
    z.string(),
    z.object({ severity: z.string(), range: z.string(), via: z.array(z.string().or(advisory.loose())) }),
  ),
});

/**
 * Reads what `npm audit --json` printed. Anything else than a report is no verdict: not a clean one.
 * @param output undefined when it did not answer in time
 */
export function auditVerdict(output: string | undefined): AuditVerdict {
  if (output === undefined) return { kind: 'unknown', why: 'the registry did not answer in time' };
  const parsed = report.safeParse(jsonOf(output));
  if (!parsed.success) return { kind: 'unknown', why: reasonOf(output) };
  const found = Object.entries(parsed.data.vulnerabilities);
  if (found.length === 0) return { kind: 'clean' };
  const lines = found.map(([name, { severity, range, via }]) => {
    const titles = via.map((each) => (typeof each === 'string' ? `through ${each}` : each.title));
    return `${name} ${range}: ${severity}: ${titles.join('; ')}`;
  });
  return { kind: 'found', lines, serious: found.some(([, { severity }]) => ['high', 'critical'].includes(severity)) };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** The status is enough: the message names the address of a registry that may be private. */
function reasonOf(output: string): string {
  const { statusCode, error } = (jsonOf(output) ?? {}) as { statusCode?: number; error?: { code?: string } };
  return statusCode ? `the registry answered ${statusCode}` : `npm audit failed (${error?.code ?? 'no report'})`;
}
