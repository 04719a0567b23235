import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import pg from 'pg';
import type { Endpoints } from './endpoints.ts';
import { inState } from './paths.ts';

/** Role and database of the audit. */
const NAME = 'windlass_audit';
const EXISTS = ['42710', '42P04', '23505']; // duplicate_object, duplicate_database, and both made at the same moment

/**
 * Makes the audit's role and database on the sandbox's server, once.
 * @returns what a worker needs in its environment to have the audit on; objects are retained for a day
 */
export async function auditEnvironment({ postgres }: Endpoints): Promise<Record<string, string>> {
  const { host, port, user, database } = postgres;
  const password = readFileSync(postgres.passwordFile, 'utf8').trim();
  const file = inState('audit.password');
  if (!existsSync(file)) writeFileSync(file, randomBytes(24).toString('base64url'), { mode: 0o600 });
  const secret = readFileSync(file, 'utf8').trim();
  const client = new pg.Client({ host, port, user, password, database });
  await client.connect();
  try {
    const once = (sql: string): Promise<unknown> =>
      client.query(sql).catch((error: { code?: string }) => {
        if (!EXISTS.includes(error.code ?? '')) throw error;
      });
    await once(`CREATE ROLE ${NAME} LOGIN`);
    await client.query(`ALTER ROLE ${NAME} PASSWORD ${client.escapeLiteral(secret)}`);
    await once(`CREATE DATABASE ${NAME}`);
  } finally {
    await client.end();
  }
  const urlOf = (role: string, secret: string): string =>
    `postgres://${role}:${encodeURIComponent(secret)}@${host}:${port}/${NAME}?sslmode=disable`;
  return {
    WINDLASS_SANDBOX_AUDIT_URL: urlOf(NAME, secret),
    WINDLASS_SANDBOX_AUDIT_OWNER_URL: urlOf(user, password),
    WINDLASS_AUDIT_DATABASE: 'env:WINDLASS_SANDBOX_AUDIT_URL',
    WINDLASS_AUDIT_OWNER_DATABASE: 'env:WINDLASS_SANDBOX_AUDIT_OWNER_URL',
    WINDLASS_AUDIT_LOCK: 'governance',
    WINDLASS_AUDIT_RETENTION: '1d',
  };
}
