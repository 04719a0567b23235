import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { readFileSync } from 'node:fs';
import { inState } from './paths.ts';
import { ports } from './ports.ts';
import { ready, start } from './processes.ts';
import { run } from './run.ts';

export const postgres = { user: 'windlass', database: 'windlass', passwordFile: () => inState('postgres.password') };

/** Slow statements are known only to a server that has this from its start. */
const PRELOADED = 'shared_preload_libraries=pg_stat_statements';

/** Starts PostgreSQL on a cluster of its own; returns when the database `windlass` answers. */
export async function startPostgres(programs: string): Promise<void> {
  const data = inState('postgres');
  if (!existsSync(data)) await initialize(programs, data);
  rmSync(join(data, 'postmaster.pid'), { force: true }); // Left by a kill; the sandbox's own lock guards the folder.
  const settings = [
    `port=${ports.postgres}`,
    'listen_addresses=127.0.0.1',
    'unix_socket_directories=',
    'fsync=off',
    PRELOADED,
  ];
  const args = ['-D', data, ...settings.flatMap((setting) => ['-c', setting])];
  const [command = '', ...prefix] = asOrdinaryUser(join(programs, 'postgres'));
  start({ name: 'postgres', command, args: [...prefix, ...args] });
  await ready('postgres', ensureDatabase);
}

async function initialize(programs: string, data: string): Promise<void> {
  writeFileSync(postgres.passwordFile(), randomBytes(24).toString('base64url'), { mode: 0o600 });
  const unfinished = `${data}.new`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { mode: 0o700 });
  const [command = '', ...prefix] = asOrdinaryUser(join(programs, 'initdb'));
  const access = ['--username', postgres.user, '--auth', 'scram-sha-256', '--pwfile', postgres.passwordFile()];
  await run(command, [...prefix, '-D', unfinished, ...access, '--encoding', 'UTF8', '--locale', 'C', '--no-sync']);
  renameSync(unfinished, data);
}

/**
 * PostgreSQL refuses to run as root, and no other user can enter root's home. In a user namespace that shows root as
 * user 1000 it runs without rights of its own on files that stay root's.
 */
function asOrdinaryUser(program: string): string[] {
  if (process.getuid?.() !== 0) return [program];
  return ['unshare', '--user', '--map-user=1000', '--map-group=1000', program];
}

async function ensureDatabase(): Promise<boolean> {
  const password = readFileSync(postgres.passwordFile(), 'utf8');
  const address = { host: '127.0.0.1', port: ports.postgres, user: postgres.user, password };
  const client = new pg.Client({ ...address, database: 'postgres', connectionTimeoutMillis: 2000 });
  try {
    await client.connect();
    const found = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [postgres.database]);
    if (found.rowCount === 0) await client.query(`CREATE DATABASE ${client.escapeIdentifier(postgres.database)}`);
    return true;
  } finally {
    await client.end();
  }
}
