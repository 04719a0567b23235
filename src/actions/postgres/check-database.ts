import { z } from 'zod';
import { isFailure } from '../../adapters/failure.ts';
import { defineAction } from '../action.ts';
import { judged, orFail, verdict } from '../verdict.ts';
import { databaseReference } from './database.ts';

interface State extends Record<string, unknown> {
  version: string;
  standby: boolean;
  identifier: string;
  uptime: number;
}

/** More than pg_isready: it also logs in and asks. One that does not answer is a fault, not an error of the step. */
export const checkDatabase = defineAction({
  name: 'checkDatabase',
  description: 'Logs in to a PostgreSQL database and asks for version, role and identity of its server',
  group: 'postgres',
  parameters: z.strictObject({
    ...databaseReference,
    role: z.enum(['primary', 'standby', 'any']).default('any').describe('What it shall be; a standby is in recovery'),
    orFail,
  }),
  example: { database: 'shop', role: 'primary' },
  output: z.object({
    ...verdict,
    version: z.string(),
    inRecovery: z.boolean(),
    systemIdentifier: z.string(),
    uptimeSeconds: z.number(),
  }),
  changes: 'nothing',

  async run(context, { database, role, orFail }) {
    const state = await readState().catch((error: unknown) => {
      if (isFailure(error, 'Unavailable')) return error.message;
      throw error;
    });
    if (typeof state === 'string') {
      const nothing = { version: '', inRecovery: false, systemIdentifier: '', uptimeSeconds: 0 };
      return { ...judged([state], orFail), ...nothing };
    }
    const is = state.standby ? 'standby' : 'primary';
    const wrong = role !== 'any' && role !== is;
    return {
      ...judged(wrong ? [`database ${database} is on a ${is}, expected a ${role}`] : [], orFail),
      version: state.version,
      inRecovery: state.standby,
      systemIdentifier: state.identifier,
      uptimeSeconds: state.uptime,
    };

    async function readState(): Promise<State> {
      const session = await context.postgres(database);
      const [row] = await session.query<State>(`
        SELECT current_setting('server_version') AS version, pg_is_in_recovery() AS standby,
               system_identifier::text AS identifier,
               round(extract(epoch FROM now() - pg_postmaster_start_time())) AS uptime
        FROM pg_control_system()`);
      return row!;
    }
  },
});
