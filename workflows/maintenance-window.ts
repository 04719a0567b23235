import type { EvidenceRef } from '../src/contracts/evidence.ts';
import {
  maintenanceWindow as contract,
  type MaintenanceWindowResult,
  type WindowReport,
  type WindowSlice,
} from '../src/contracts/maintenance-window.ts';
import { targetOf } from '../src/domain/release/target.ts';
import { iso, windowPlan } from '../src/domain/window/plan.ts';
import { quick, routed, stream } from './parts/activities.ts';
import { dump } from './parts/backup.ts';
import { closedRefusals, requireOpen } from './parts/admission.ts';
import { carryOut, prepare } from './parts/carry-out.ts';
import { failure } from './parts/failure.ts';
import { parseInput } from './parts/input.ts';
import { sleepAs } from './parts/sleep.ts';
import { verify } from './parts/verification.ts';
import { useMode } from './parts/window-mode.ts';
import { useWindowTasks } from './parts/window-tasks.ts';

/**
 * Opens a maintenance window: sleeps until its time, backs up, passes the checklist, puts maintenance mode on, does the
 * tasks, takes it off however they ended, and checks again. What a task changed is the task's to take back.
 */
export async function maintenanceWindow(raw: unknown): Promise<MaintenanceWindowResult> {
  const input = parseInput(contract, raw);
  const { system, environment, window, when } = input;
  const parts = prepare(contract.procedure, input, {
    summary: `window ${window} of ${environment}`,
    priority: 'maintenance',
  });
  const { procedure, lease } = parts;

  return carryOut(parts, async (): Promise<MaintenanceWindowResult> => {
    await procedure.step('planning', `Look when ${window} opens`);
    const slice = routed(
      await quick('Read the catalog').loadWindow({ system, environment, window, when, at: Date.now() }),
    );
    procedure.setChannels(slice.spec.notify);
    const mode = useMode(parts, slice);
    const plan = windowPlan(slice, await mode.plan());
    const opensAt = Math.max(Date.now(), slice.opening.opensAt);
    if (input.planOnly) {
      const refusals = [...plan.refusals, ...(await closedRefusals(procedure, 'maintenance', opensAt))];
      return { outcome: 'planned', plan: { ...plan, refusals } };
    }
    procedure.publish({ plan, etaAt: iso(slice.opening.closesAt) });
    if (slice.closed) throw failure('WindowClosed', `Window ${window} is closed: ${slice.closed}.`);
    if (slice.coveredBy) {
      procedure.tell(
        `Window ${window} of ${system} ${environment} stays closed on ${slice.opening.date}: window ${slice.coveredBy} does its tasks.`,
      );
      return { outcome: 'covered', coveredBy: slice.coveredBy };
    }
    // Before notice is given of what cannot be.
    await requireOpen(procedure, 'maintenance', opensAt);
    await untilOpen(slice);
    await requireOpen(procedure, 'maintenance');
    const tokens = await take(slice);
    const report = emptyReport(slice);
    const tasks = useWindowTasks({ procedure, slice, input, tokens, report });
    try {
      await backUp(slice, report);
      await verifyBackups(slice, report);
      await tasks.run('before');
      await mode.during(tokens[slice.spec.service]!, report, () => tasks.run('tasks'));
      await tasks.run('after');
    } catch (error) {
      await tasks.conclude(error);
      throw error;
    }
    const evidence: EvidenceRef | undefined = await tasks.conclude();
    return { outcome: 'completed', report, ...(evidence ? { evidence } : {}) };
  });

  async function untilOpen({ spec, opening }: WindowSlice): Promise<void> {
    const { opensAt, closesAt } = opening;
    const noticeAt = opensAt - spec.notice;
    const what = `Maintenance of ${spec.service} in ${system} ${environment} (${window}: ${spec.description})`;
    if (Date.now() < noticeAt) {
      await procedure.step('sleeping', `Waiting until ${iso(noticeAt)} to give notice`, `it opens at ${iso(opensAt)}`);
      await sleepAs('until the notice', noticeAt - Date.now());
    }
    procedure.tell(`${what} from ${iso(opensAt)} to ${iso(closesAt)}.`);
    if (Date.now() < opensAt) {
      await procedure.step('sleeping', `Waiting until ${iso(opensAt)} to open`, 'backups, then maintenance mode');
      await sleepAs('until the opening', opensAt - Date.now());
    }
  }

  /** @throws ApplicationFailure `WindowClosed` when the lease came too late to begin: nothing was changed */
  async function take(slice: WindowSlice): Promise<Record<string, number>> {
    await procedure.step('waiting', `Taking the lease on ${slice.scopes.join(', ')}`);
    lease.cover(slice.scopes);
    const { tokens } = await lease.hold({ onBusy: 'queue', preempt: false, until: slice.opening.closesAt });
    await requireOpen(procedure, 'maintenance');
    if (Date.now() > slice.opening.lastStartAt)
      throw failure(
        'WindowClosed',
        `The lease came at ${iso(Date.now())}; after ${iso(slice.opening.lastStartAt)} no task may begin.`,
      );
    const target = targetOf({ ...slice, ...slice.service });
    await quick('Claim the Service').claimTarget({ target, token: tokens[slice.spec.service]! });
    return tokens;
  }

  async function backUp({ databases }: WindowSlice, report: WindowReport): Promise<void> {
    for (const database of databases) {
      const { id } = await dump(procedure, database);
      report.backups.push(id);
    }
  }

  /** @throws ApplicationFailure `ChecksFailed` when a backup is not good: nothing was changed, and no older one expires */
  async function verifyBackups({ verifies = [] }: WindowSlice, report: WindowReport): Promise<void> {
    for (const database of verifies) {
      const { systemIdentifier: identity } = await quick('Look at the database server').describeDatabase({
        slice: database,
      });
      const { id } = await quick('Find the backup').findBackup({ slice: database });
      await verify(parts, database, { id, identity });
      report.verified.push(id);
      await procedure.step('changing', 'Expire old backups');
      await stream('Expire old backups').expireBackups({ slice: database });
    }
  }
}

const emptyReport = ({ window, opening }: WindowSlice): WindowReport => ({
  window,
  opening: { date: opening.date, opensAt: iso(opening.opensAt), closesAt: iso(opening.closesAt) },
  backups: [],
  verified: [],
  tasks: [],
  interruptionMs: 0,
  overrunMs: 0,
});
