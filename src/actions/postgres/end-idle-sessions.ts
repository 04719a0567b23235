import { z } from 'zod';
import { duration } from '../../contracts/scalars.ts';
import { formatDuration } from '../../domain/duration.ts';
import { defineAction, type ActionContext } from '../action.ts';
import { databaseReference, identifier } from './database.ts';

const STATES = { idle: ['idle'], 'idle-in-transaction': ['idle in transaction', 'idle in transaction (aborted)'] };

/** What may be ended, whoever asks: never our own, never one that works, never one of a superuser or of replication. */
const ENDABLE = `
  FROM pg_stat_activity a JOIN pg_roles r ON r.oid = a.usesysid
  WHERE a.datname = current_database() AND a.backend_type = 'client backend'
    AND a.pid <> pg_backend_pid() AND a.application_name <> 'windlass'
    AND NOT r.rolsuper AND NOT r.rolreplication
    AND a.state = ANY($1) AND a.state_change < now() - $2 * interval '1 millisecond'
    AND ($3::text IS NULL OR a.usename = $3)`;

interface Session extends Record<string, unknown> {
  pid: number;
  started: string;
  user: string;
  application: string;
  seconds: number;
}

/**
 * Convergent: who is idle is read anew by each attempt, and each session is ended by the very statement that looks
 * whether it is still the same one (pid and start) and still idle; a pid alone may belong to another by then.
 */
export const endIdleSessions = defineAction({
  name: 'endIdleSessions',
  description: 'Ends sessions of a database that have been idle for long; never superusers, replication or our own',
  group: 'postgres',
  parameters: z.strictObject({
    ...databaseReference,
    idleFor: duration.describe('At least so long'),
    state: z
      .enum(['idle', 'idle-in-transaction'])
      .default('idle')
      .describe('idle-in-transaction: its transaction is rolled back'),
    user: identifier.optional().describe('Only sessions of this user'),
    atMost: z.int().min(1).max(1000).default(100).describe('So many, the longest idle first'),
  }),
  example: { database: 'shop', idleFor: '30m' },
  output: z.object({ found: z.int(), ended: z.int() }),
  changes: 'convergent',
  timeoutMs: 60_000,

  async plan(context, parameters) {
    const found = await findIdle(context, parameters);
    return {
      lines: found.map(
        ({ pid, user, application, seconds }) =>
          `session ${pid} of ${user} (${application || 'unnamed'}), ${parameters.state} for ${formatDuration(seconds * 1000)}, is ended`,
      ),
    };
  },

  async run(context, parameters) {
    const found = await findIdle(context, parameters);
    const session = await context.postgres(parameters.database);
    if (found.length > 0) await context.assertFence();
    let ended = 0;
    for (const { pid, started } of found) {
      const rows = await session.query(
        `SELECT pg_terminate_backend(a.pid) ${ENDABLE} AND a.pid = $4 AND a.backend_start::text = $5`,
        [...valuesOf(parameters), pid, started],
      );
      ended += rows.length;
      context.heartbeat();
    }
    return { found: found.length, ended };
  },
});

interface Parameters {
  database: string;
  idleFor: number;
  state: keyof typeof STATES;
  user?: string | undefined;
  atMost: number;
}

async function findIdle(context: ActionContext, parameters: Parameters): Promise<Session[]> {
  const session = await context.postgres(parameters.database);
  return session.query<Session>(
    `SELECT a.pid, a.backend_start::text AS started, a.usename AS user, a.application_name AS application,
            round(extract(epoch FROM now() - a.state_change)) AS seconds ${ENDABLE} ORDER BY a.state_change LIMIT $4`,
    [...valuesOf(parameters), parameters.atMost],
  );
}

const valuesOf = ({ state, idleFor, user }: Parameters): unknown[] => [STATES[state], idleFor, user ?? null];
