import { backUpDatabase as contract, type BackUpDatabaseResult } from '../src/contracts/back-up-database.ts';
import type { DatabaseSlice } from '../src/contracts/catalog.ts';
import type { Plan } from '../src/contracts/plan.ts';
import { formatDuration } from '../src/domain/duration.ts';
import { quick, routed, stream } from './parts/activities.ts';
import { dump, newBackupId } from './parts/backup.ts';
import { carryOut, prepare } from './parts/carry-out.ts';
import { parseInput } from './parts/input.ts';

/**
 * Dumps a database into its object store. It changes nothing in the database; the lease keeps restores away meanwhile.
 * A backup that is not whole does not exist, so there is nothing to take back.
 */
export async function backUpDatabase(raw: unknown): Promise<BackUpDatabaseResult> {
  const input = parseInput(contract, raw);
  const parts = prepare(contract.procedure, input, {
    scope: `database/${input.database}`,
    summary: `back up ${input.database} of ${input.environment}`,
    priority: 'maintenance',
  });
  const { procedure, lease } = parts;
  const id = newBackupId();

  return carryOut(parts, async () => {
    await procedure.step('planning', `Look at ${input.database}`);
    const slice = routed(await quick('Read the catalog').loadDatabase(input));
    procedure.setChannels(slice.policies.backUpDatabase.notify);
    if (input.planOnly) {
      const facts = await quick('Look at the database').describeDatabase({ slice });
      return { outcome: 'planned', plan: planOf(slice, facts, id) };
    }
    await lease.hold({ onBusy: 'queue', preempt: false });
    const { tables, rows, snapshotAt, object, phases, keyId } = await dump(procedure, slice, id);
    await procedure.step('changing', 'Expire old backups');
    const { expired } = await stream('Expire old backups').expireBackups({ slice });
    procedure.tell(`${input.database} of ${input.system} ${input.environment} is backed up: ${id}, ${rows} rows.`);
    return { outcome: 'backed-up', backup: { id, snapshotAt, object, phases, keyId, tables, rows }, expired };
  });
}

function planOf(slice: DatabaseSlice, facts: { bytes: number; systemIdentifier: string }, id: string): Plan {
  const { server, spec, digest } = slice;
  const { keepFor, store } = spec.backup!;
  return {
    facts: [
      {
        label: 'database',
        text: `${spec.name} at ${server.host}:${server.port} (server ${facts.systemIdentifier}), ${Math.ceil(facts.bytes / 2 ** 20)} MiB`,
      },
      { label: 'kept', text: `for ${formatDuration(keepFor)} in bucket ${store.bucket}` },
    ],
    changes: [{ verb: 'create', kind: 'backup', name: id, why: 'compressed, encrypted, with a manifest' }],
    refusals: [],
    warnings: [],
    gates: [],
    blastRadius: 'None: it reads one snapshot of the database.',
    reversibility: 'Nothing is changed.',
    expectedDurationMs: Math.ceil(facts.bytes / (40 * 2 ** 20)) * 1000,
    digest,
  };
}
