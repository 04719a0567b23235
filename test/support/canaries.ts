import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import type { Endpoints } from '../../scripts/sandbox/endpoints.ts';
import { inState } from '../../scripts/sandbox/paths.ts';

// Every secret that a worker of the tests gets is a random value of this run or of this sandbox, and is noted: the last
// part of the tests looks for all of them wherever anything was left (test/secrets).

/** Names of variables whose values are secrets. */
const SECRET = /TOKEN|PASSWORD|SECRET|ROUTING_KEY|PAGERDUTY_KEY|BACKUP_KEY|PAYLOAD_KEY|API_KEY|AUDIT_(OWNER_)?URL/;
/** What names a file or is another reference is none. */
const REFERENCE = /^(env|file|kubernetes|vault|aws-secretsmanager):|^\//;

const file = (): string => inState('canaries.jsonl');

/** The secrets among the variables of a worker, by name. Of a URL it is the password. */
export const secretsAmong = (env: NodeJS.ProcessEnv): [name: string, value: string][] =>
  Object.entries(env).flatMap(([name, value]) => {
    if (!value || !SECRET.test(name) || /_(FILE|ID|PATH|KEYS)$/.test(name) || REFERENCE.test(value)) return [];
    const url = URL.canParse(value) ? new URL(value) : undefined;
    return [[name, url?.password ? decodeURIComponent(url.password) : value]];
  });

/** Notes the secrets among the variables of a worker. */
export function noteCanaries(env: NodeJS.ProcessEnv): void {
  for (const secret of secretsAmong(env)) appendFileSync(file(), `${JSON.stringify(secret)}\n`, { mode: 0o600 });
}

/** All that were noted since the sandbox came up, and those of the sandbox itself. */
export function canaries({
  postgres,
  redis,
  s3,
  backupKeyFile,
  alertmanager,
}: Endpoints): Record<string, string | Buffer> {
  const read = (path: string): string => readFileSync(path, 'utf8').trim();
  const noted = existsSync(file()) ? readFileSync(file(), 'utf8').trim().split('\n') : [];
  const backupKey = read(backupKeyFile);
  const all = new Map<string, string | Buffer>([
    ['password of PostgreSQL', read(postgres.passwordFile)],
    ['password of Redis', read(redis.passwordFile)],
    ['key of the object store', read(s3.secretKeyFile)],
    ['token of the intake', read(alertmanager.intake.tokenFile)],
    ['backup key', backupKey],
  ]);
  all.set('bytes of the backup key', Buffer.from(backupKey, 'base64'));
  const known = new Set<unknown>(all.values());
  for (const line of noted.filter(Boolean)) {
    const [name, value] = JSON.parse(line) as [string, string];
    // The sandbox's own come with every worker.
    if (!known.has(value)) all.set(`${name} (${all.size})`, value);
    known.add(value);
  }
  return Object.fromEntries(all);
}
