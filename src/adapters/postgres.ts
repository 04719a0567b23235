import type { Socket } from 'node:net';
import pg from 'pg';
import type { DatabaseServer } from '../contracts/database.ts';
import { failure } from './failure.ts';
import { postgresFailure } from './postgres-errors.ts';

/** A row, by column. */
export type Row = Record<string, unknown>;

/**
 * One statement, whatever its text: the extended protocol takes no second one.
 * @throws Forbidden, NotFound, InvalidInput, Refused, TimedOut, Unavailable
 */
export type Query = <T extends Row = Row>(text: string, values?: unknown[]) => Promise<T[]>;

/** One connection to one database. Statements are sent one after another. */
export interface PostgresSession {
  query: Query;
  /** Sets how long one statement may take from now on. */
  limit: (timeoutMs: number) => Promise<void>;
  /** Runs `work` in one READ ONLY transaction, which is rolled back. */
  readOnly: <T>(work: (query: Query) => Promise<T>) => Promise<T>;
  /** Runs `work` in one transaction: all of it stays, or nothing. Whether a commit came through is not known when it fails. */
  transaction: <T>(work: (query: Query) => Promise<T>) => Promise<T>;
  /** False once its connection ended, whoever ended it. */
  isOpen: () => boolean;
  close: () => Promise<void>;
}

export interface PostgresOptions {
  server: DatabaseServer;
  database: string;
  /** Resolved from the reference of the catalog. */
  password: string;
  /** Ends a statement under way, on the server too. */
  signal: AbortSignal;
}

const CONNECT_MS = 5_000;
const STATEMENT_MS = 8_000;
/** The server ends a statement whose client is gone: a worker that was killed leaves no index build behind. */
const CLIENT_CHECK_MS = 5_000;
/**
 * A connection on which nothing came for so long is asked whether its other end is still there, and ends when it does not
 * answer: a node that lost its power tells nobody, and a dump may rightly be silent for hours.
 */
export const KEEPALIVE_AFTER_MS = 60_000;
const APPLICATION = 'windlass';

/**
 * Connects, and makes sure that it is the server that the catalog means. Times and counts of PostgreSQL (int8, numeric)
 * become numbers.
 * @throws Forbidden, NotFound, WrongCluster, Unavailable
 */
export async function openPostgres(options: PostgresOptions): Promise<PostgresSession> {
  const { server, signal } = options;
  const where = `PostgreSQL at ${server.host}:${server.port}`;
  const client = await connect(options, where);
  let open = true;
  client.on('end', () => (open = false));
  const cancel = () => void cancelStatement(options, client);
  signal.addEventListener('abort', cancel);

  const query: Query = async <T extends Row>(text: string, values: unknown[] = []) => {
    try {
      return (await client.query<T>({ text, values, queryMode: 'extended' } as pg.QueryConfig)).rows;
    } catch (error) {
      throw postgresFailure(error, where);
    }
  };
  const session: PostgresSession = {
    query,

    async limit(timeoutMs) {
      await query(`SELECT set_config('statement_timeout', $1, false)`, [String(timeoutMs)]);
    },

    async readOnly(work) {
      await query('BEGIN TRANSACTION READ ONLY');
      try {
        return await work(query);
      } finally {
        await query('ROLLBACK');
      }
    },

    async transaction(work) {
      await query('BEGIN');
      try {
        const result = await work(query);
        await query('COMMIT');
        return result;
      } catch (error) {
        await query('ROLLBACK').catch(() => undefined);
        throw error;
      }
    },

    isOpen: () => open,

    async close() {
      signal.removeEventListener('abort', cancel);
      await client.end().catch(() => undefined);
    },
  };
  try {
    await verifyIdentity(query, server, where);
    return session;
  } catch (error) {
    await session.close();
    throw error;
  }
}

async function connect({ server, database, password }: PostgresOptions, where: string): Promise<pg.Client> {
  const { host, port, user, tls } = server;
  const client = new pg.Client({
    host,
    port,
    user,
    password,
    database,
    application_name: APPLICATION,
    connectionTimeoutMillis: CONNECT_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEPALIVE_AFTER_MS,
    statement_timeout: STATEMENT_MS,
    options: `-c client_connection_check_interval=${CLIENT_CHECK_MS}`,
    ssl: tls === 'disable' ? false : { rejectUnauthorized: tls === 'verify-full' },
    types: { getTypeParser },
  });
  // One that breaks while idle would end the process otherwise; the next statement says what happened.
  client.on('error', () => undefined);
  try {
    await client.connect();
    return client;
  } catch (error) {
    await client.end().catch(() => undefined);
    throw postgresFailure(error, where);
  }
}

async function verifyIdentity(query: Query, { systemIdentifier }: DatabaseServer, where: string): Promise<void> {
  if (systemIdentifier === undefined) return;
  const [row] = await query<{ id: string }>('SELECT system_identifier::text AS id FROM pg_control_system()');
  if (row?.id === systemIdentifier) return;
  throw failure(
    'WrongCluster',
    `${where} has system identifier ${row?.id}, expected ${systemIdentifier}: correct the address or the catalog.`,
  );
}

/**
 * Asks for the end of what a session does; closing its connection would leave the statement running. When nobody is there
 * to be asked, the session would wait for ever: its connection is cut.
 */
async function cancelStatement(options: PostgresOptions, client: pg.Client): Promise<void> {
  // Neither is in the types of the library.
  const { processID, connection } = client as unknown as { processID: number; connection: { stream: Socket } };
  try {
    const other = await connect(options, '');
    await other.query('SELECT pg_cancel_backend($1)', [processID]).finally(() => other.end());
  } catch {
    // The server ends it by itself once it finds its client gone.
    connection.stream.destroy();
  }
}

const INT8 = 20;
const NUMERIC = 1700;

function getTypeParser(oid: number, format?: 'text' | 'binary') {
  return oid === INT8 || oid === NUMERIC ? Number : (pg.types.getTypeParser(oid, format) as never);
}
