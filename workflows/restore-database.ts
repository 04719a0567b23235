import { workflowInfo } from '@temporalio/workflow';
import type { DatabaseSlice } from '../src/contracts/catalog.ts';
import { restoreDatabase as contract, type RestoreDatabaseResult } from '../src/contracts/restore-database.ts';
import { damagedName, restoredName } from '../src/domain/backup/names.ts';
import type { RestorePlan } from '../src/domain/backup/restore-plan.ts';
import { formatDuration } from '../src/domain/duration.ts';
import { runMark } from '../src/domain/run-mark.ts';
import { cleanup, poll, quick, routed, stream } from './parts/activities.ts';
import { carryOut, prepare } from './parts/carry-out.ts';
import { failure } from './parts/failure.ts';
import { useGates } from './parts/gates.ts';
import { parseInput } from './parts/input.ts';
import { refuse } from './parts/refuse.ts';

/** A plan that keeps changing while people approve it is not approved any more often than this. */
const PLAN_ROUNDS = 5;

/** What the steps of a restore work with. */
interface Restore {
  slice: DatabaseSlice;
  plan: RestorePlan;
  /** Of the database's own scope, and of every scope. */
  token: number;
  tokens: Record<string, number>;
  /** Names of the new database and of the old one afterwards. */
  restored: string;
  damaged: string;
}

/**
 * Restores a backup beside a damaged database, proves it, and swaps the two while what uses them is stopped. Until the
 * swap, whatever fails leaves the damaged database in its place; the damaged one is never deleted here.
 */
export async function restoreDatabase(raw: unknown): Promise<RestoreDatabaseResult> {
  const input = parseInput(contract, raw);
  const requestedAt = Date.now();
  const scope = `database/${input.database}`;
  const parts = prepare(contract.procedure, input, {
    scope,
    summary: `restore ${input.database} of ${input.environment}: ${input.reason}`,
    priority: 'maintenance',
  });
  const { procedure, undo, lease } = parts;
  const gates = useGates(procedure);

  return carryOut(parts, async () => {
    await procedure.step('planning', `Plan the restore of ${input.database}`);
    const slice = routed(await quick('Read the catalog').loadDatabase(input));
    procedure.setChannels(slice.policies.restoreDatabase.notify);
    const first = await draft(slice);
    if (input.planOnly) return { outcome: 'planned', plan: first };
    refuse(first);
    lease.cover(first.dependants.flatMap(({ service }) => service ?? []));
    await lease.reserve({ onBusy: input.onBusy });
    const work = await approved(slice, first);
    const approvedAt = Date.now();

    await restoreAndProve(work);
    const closedAt = await stop(work);
    await swap(work);
    await start(work);
    undo.clear();
    return finish(work, { approvedAt, closedAt });
  });

  async function draft(slice: DatabaseSlice): Promise<RestorePlan> {
    const dependants = await quick('Look at what uses the database').describeDependants({ slice });
    const plan = await stream('Draft the plan').draftRestore({
      ...{ slice, dependants, requestedBy: input.requestedBy },
      ...(input.backup ? { backup: input.backup } : {}),
    });
    const scale = plan.dependants.map(
      ({ kind, name, replicas }) =>
        `kubectl --context ${slice.cluster.context} -n ${slice.namespace} scale ${kind.toLowerCase()}/${name} --replicas=${replicas ?? 0}`,
    );
    procedure.publish({
      plan,
      ...(scale.length > 0
        ? { escape: scale.join(' && '), escapeDoes: 'this starts what uses the database again' }
        : {}),
    });
    return plan;
  }

  /** Approval first, then the leases, then the plan again: what was approved must be what is done. */
  async function approved(slice: DatabaseSlice, first: RestorePlan): Promise<Restore> {
    let plan = first;
    for (let round = 1; round <= PLAN_ROUNDS; round++) {
      await procedure.step(
        'waiting',
        `Waiting for approval to replace ${slice.spec.name} at ${slice.server.host}:${slice.server.port} by backup ${plan.backup}`,
        'the backup is restored beside it and proved; then what uses it is stopped and the two are swapped',
      );
      for (const { label, text } of plan.facts)
        procedure.show(`plan ${label} ${text.slice(0, 40)}`, `${label}: ${text}`);
      await gates.pass(plan.gates, {
        digest: plan.digest,
        people: slice.people,
        identity: slice.identity,
        requestedBy: input.requestedBy,
      });
      const { token, tokens } = await lease.hold({ onBusy: 'queue', preempt: false });
      const now = await draft(slice);
      refuse(now);
      if (now.digest === plan.digest) {
        const mark = runMark(workflowInfo().runId);
        const names = { restored: restoredName(slice.spec.name, mark), damaged: damagedName(slice.spec.name, mark) };
        return { slice, plan: now, token, tokens, ...names };
      }
      plan = now;
      procedure.record('the target changed while people decided: asking again');
    }
    throw failure('Interfered', `What would be restored keeps changing while people decide; find out who changes it.`);
  }

  async function restoreAndProve({ slice, plan, token, tokens, restored }: Restore): Promise<void> {
    const identity = plan.systemIdentifier;
    const database = restored;
    await procedure.step('changing', `Claim ${slice.spec.name}`);
    await quick('Claim the database').claimDatabase({ slice, identity, token });
    await quick('Claim the services').claimDependants({ slice, dependants: plan.dependants, tokens });
    undo.push({
      name: `Drop ${database}`,
      run: () => cleanup(`Drop ${database}`).dropBeside({ slice, identity, database }),
    });
    await procedure.step('changing', `Restore ${plan.backup} into ${database}, beside ${slice.spec.name}`, 'check it');
    await stream(`Restore ${plan.backup}`).restoreBeside({ slice, identity, id: plan.backup, database });
    await procedure.step('changing', `Check ${database}`, 'stop what uses the database, and swap');
    const { faults } = await stream('Check the restored database').checkRestored({
      ...{ slice, identity, id: plan.backup, database },
    });
    if (faults.length > 0) throw failure('ChecksFailed', `What was restored is not the backup: ${faults.join('; ')}.`);
  }

  /** @returns when nobody was in the database any more */
  async function stop(work: Restore): Promise<string> {
    const { slice, plan, token } = work;
    const identity = plan.systemIdentifier;
    undo.push({ name: 'Start what uses the database again', run: () => startAgain(work) });
    await procedure.step('changing', 'Stop what uses the database');
    await quick('Stop the dependants').stopDependants(dependantsOf(work));
    await poll('Wait until they are gone').awaitDependants({ ...dependantsOf(work), ready: false });
    undo.push({
      name: `Open ${slice.spec.name} again`,
      run: () => cleanup(`Open ${slice.spec.name}`).openDatabase({ slice, identity, token }),
    });
    await procedure.step('changing', `Close ${slice.spec.name} and end its sessions`);
    const { closedAt } = await stream(`Close ${slice.spec.name}`).closeDatabase({ slice, identity, token });
    return closedAt;
  }

  async function swap({ slice, plan, token, restored, damaged }: Restore): Promise<void> {
    const identity = plan.systemIdentifier;
    await undo.insist({
      name: `Swap ${slice.spec.name} and ${restored}`,
      run: async () => {
        await cleanup('Swap the databases').swapDatabases({ slice, identity, token, restored, damaged });
      },
    });
  }

  /** From here on there is only forward: a person is asked when it cannot go on. */
  async function start(work: Restore): Promise<void> {
    await undo.insist({ name: 'Start what uses the database again', run: () => startAgain(work) });
  }

  async function startAgain(work: Restore): Promise<void> {
    await cleanup('Start the dependants').startDependants(dependantsOf(work));
    await cleanup('Wait until they are ready').awaitDependants({ ...dependantsOf(work), ready: true });
  }

  function finish(
    { slice, plan, damaged }: Restore,
    at: { approvedAt: number; closedAt: string },
  ): RestoreDatabaseResult {
    const now = Date.now();
    const rpoMs = Date.parse(at.closedAt) - Date.parse(plan.snapshotAt);
    const [rtoMs, restoreMs] = [now - requestedAt, now - at.approvedAt];
    procedure.tell(
      `${slice.spec.name} of ${input.system} ${input.environment} is restored from ${plan.backup}: ${formatDuration(rpoMs)} of changes lost (RPO), back ${formatDuration(rtoMs)} after the request (RTO). The damaged one is kept as ${damaged}; when nobody needs it: DROP DATABASE ${damaged};`,
    );
    return { outcome: 'restored', backup: plan.backup, damaged, rpoMs, rtoMs, restoreMs };
  }
}

const dependantsOf = ({ slice, plan, tokens }: Restore) => ({ slice, dependants: plan.dependants, tokens });
