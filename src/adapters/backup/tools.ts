import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { failure } from '../failure.ts';
import { MAKE_ROOM, saysDiskFull, saysNoConnection } from '../postgres-errors.ts';
import { KEEPALIVE_AFTER_MS, type PostgresOptions } from '../postgres.ts';
import { redact } from '../secrets.ts';

export type PostgresTool = 'pg_dump' | 'pg_restore' | 'pg_amcheck';

/** One database of a server, and who connects to it. */
export type PostgresTarget = Pick<PostgresOptions, 'server' | 'database' | 'password'>;

/** A tool of PostgreSQL under way. */
export interface RunningTool {
  stdin: Writable;
  stdout: Readable;
  /**
   * Resolves when it has ended well.
   * @throws ApplicationFailure Unavailable when it could not connect, NotFound when it is not installed, DiskFull,
   *   DatabaseFailed with the end of what it complained about
   */
  ended: Promise<void>;
  /** Ends it, and whatever it started. */
  kill(): void;
}

const KEPT_COMPLAINTS = 4_000;
/**
 * As connections of our own have it. Not tcp_user_timeout: it also ends a connection to a server that takes nothing for a
 * while, which a restore into a busy one may see.
 */
const KEEPALIVE = `keepalives_idle=${KEEPALIVE_AFTER_MS / 1000} keepalives_interval=10 keepalives_count=3`;

/**
 * Starts a tool against a database, in a process group of its own. The password goes by environment, where only the
 * same user can read it, never by argument. When the worker dies, its pipes break, and the tool ends by that.
 */
export function startTool(
  name: PostgresTool,
  target: PostgresTarget,
  args: string[],
  signal: AbortSignal,
): RunningTool {
  const {
    server: { host, port, user, tls },
    database,
    password,
  } = target;
  // Names of databases in the catalog need no quotes.
  const reached = `dbname=${database} ${KEEPALIVE}`;
  // pg_amcheck's option takes a pattern of names.
  const where = name === 'pg_amcheck' ? [reached] : ['--dbname', reached];
  const child = spawn(programOf(name), [...args, ...where], {
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
    env: {
      PATH: process.env['PATH'],
      LC_ALL: 'C', // Its complaints are read here.
      PGHOST: host,
      PGPORT: String(port),
      PGUSER: user,
      PGPASSWORD: password,
      PGSSLMODE: tls,
      PGCONNECT_TIMEOUT: '5',
      PGAPPNAME: 'windlass',
    },
  });
  let complaints = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaints = (complaints + text).slice(-KEPT_COMPLAINTS);
  });
  child.stdin.on('error', () => undefined); // It ended before it had read everything: its exit says why.
  const kill = () => endGroup(child);
  signal.addEventListener('abort', kill);
  const ended = outcomeOf(child)
    .then((ending) => {
      if (ending !== undefined) throw failed(name, target, ending, redact(complaints, [password]));
    })
    .finally(() => signal.removeEventListener('abort', kill));
  // Whoever waits for it hears of it; nobody has to.
  ended.catch(() => undefined);
  return { stdin: child.stdin, stdout: child.stdout, ended, kill };
}

/** Undefined when it ended well; else how it ended. */
async function outcomeOf(child: ChildProcess): Promise<string | undefined> {
  try {
    const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
    return code === 0 ? undefined : code === null ? `was ended by ${signal}` : `exited with ${code}`;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'ENOENT' : String(error);
  }
}

function failed(name: PostgresTool, { server, database }: PostgresTarget, ending: string, complaints: string) {
  if (ending === 'ENOENT')
    return failure('NotFound', `${name} is not installed on the worker: install PostgreSQL's client programs`);
  const said = complaints.trim().split('\n').slice(-6).join('; ');
  const where = `${name} on ${database} at ${server.host}:${server.port} ${ending}`;
  if (saysDiskFull(complaints)) return failure('DiskFull', `${where}: ${said}. ${MAKE_ROOM}`);
  return failure(saysNoConnection(said) ? 'Unavailable' : 'DatabaseFailed', `${where}: ${said || 'it said nothing'}`);
}

function endGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
}

/** On the PATH, else where Debian keeps the newest version's. */
export function programOf(name: PostgresTool): string {
  const debian = '/usr/lib/postgresql';
  try {
    const [newest] = readdirSync(debian).sort((one, other) => Number(other) - Number(one));
    // Debian's wrapper on the PATH may pick an older version than the server's, and knows no pg_amcheck.
    if (newest) return join(debian, newest, 'bin', name);
  } catch {
    // Not Debian.
  }
  return name;
}
