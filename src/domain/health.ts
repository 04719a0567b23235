/** What /health says of a service, judged. */
export interface HealthReport {
  healthy: boolean;
  version?: string;
  /** One sentence per fault, each naming the check or field; empty exactly when healthy. */
  faults: string[];
}

export interface HealthExpectation {
  /** Checks that must be in the answer, beside any others that are there. */
  checks: string[];
  /** An older (or future) timestamp makes the answer stale; milliseconds. */
  maxAge: number;
  /** `v2.2.0` and `2.2.0` are the same version. */
  expectedVersion?: string;
}

/**
 * Judges the body of a health answer: `{ status, timestamp, version, uptime, checks: { name: "healthy" } }`.
 * A check may also be an object with a `status`. Everything wrong is named, not only the first.
 * @param body parsed JSON, or anything else that came
 * @param now milliseconds since the epoch
 */
export function judgeHealth(body: unknown, now: number, expected: HealthExpectation): HealthReport {
  if (!isObject(body)) return { healthy: false, faults: ['the health answer is not a JSON object'] };
  const version = typeof body.version === 'string' && body.version !== '' ? body.version : undefined;
  const faults = [
    ...judgeStatus(body.status),
    ...judgeTimestamp(body.timestamp, now, expected.maxAge),
    ...judgeVersion(version, expected.expectedVersion),
    ...judgeUptime(body.uptime),
    ...judgeChecks(body.checks, expected.checks),
  ];
  return { healthy: faults.length === 0, faults, ...(version ? { version } : {}) };
}

/** An answer over HTTP, or why there is none. */
export interface HealthAnswer {
  status: number;
  text: string;
  unreachable?: string;
}

/**
 * Judges what came of asking `where` for its health: an answer other than HTTP 200 is a fault, whatever it says.
 * @param now milliseconds since the epoch
 */
export function judgeHealthAnswer(
  where: string,
  { status, text, unreachable }: HealthAnswer,
  now: number,
  expected: HealthExpectation,
): HealthReport {
  if (unreachable) return { healthy: false, faults: [`${where} does not answer: ${unreachable}`] };
  const report = judgeHealth(parse(text), now, expected);
  if (status === 200) return report;
  return { ...report, healthy: false, faults: [`${where} answers HTTP ${status}`, ...report.faults] };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Whether two spellings name one version: a leading `v` says nothing. */
export const sameVersion = (a: string, b: string): boolean => a.replace(/^v/i, '') === b.replace(/^v/i, '');

const judgeStatus = (status: unknown): string[] =>
  isHealthy(status) ? [] : [`status is ${show(status)}, expected healthy`];

function judgeTimestamp(timestamp: unknown, now: number, maxAge: number): string[] {
  const at = typeof timestamp === 'string' ? Date.parse(timestamp) : NaN;
  if (Number.isNaN(at)) return [`timestamp is ${show(timestamp)}, expected an ISO 8601 time`];
  const age = now - at;
  if (Math.abs(age) <= maxAge) return [];
  return [`timestamp ${show(timestamp)} is ${Math.round(Math.abs(age) / 1000)} s ${age > 0 ? 'old' : 'ahead'}: stale`];
}

function judgeVersion(version: string | undefined, expected: string | undefined): string[] {
  if (!version) return ['version is missing'];
  return expected === undefined || sameVersion(version, expected)
    ? []
    : [`version is ${version}, expected ${expected}`];
}

const judgeUptime = (uptime: unknown): string[] =>
  typeof uptime === 'number' && uptime >= 0 ? [] : [`uptime is ${show(uptime)}, expected seconds`];

function judgeChecks(checks: unknown, named: string[]): string[] {
  if (!isObject(checks)) return ['checks are missing'];
  const missing = named.filter((name) => !Object.hasOwn(checks, name));
  return [
    ...missing.map((name) => `check ${name} is missing`),
    ...Object.entries(checks).flatMap(([name, check]) => {
      const state = isObject(check) ? check.status : check;
      return isHealthy(state) ? [] : [`check ${name} is ${show(state)}`];
    }),
  ];
}

const HEALTHY = ['healthy', 'ok', 'up', 'pass'];
const isHealthy = (state: unknown): boolean =>
  state === true || (typeof state === 'string' && HEALTHY.includes(state.toLowerCase()));
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const show = (value: unknown): string => (value === undefined ? 'missing' : JSON.stringify(value).slice(0, 80));
