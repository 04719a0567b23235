import { CancellationScope, continueAsNew, isCancellation, workflowInfo } from '@temporalio/workflow';
import {
  handleIncident as contract,
  type HandleIncidentInput,
  type HandleIncidentResult,
  type IncidentRecord,
} from '../src/contracts/handle-incident.ts';
import type { EvidenceRef } from '../src/contracts/evidence.ts';
import { formatDuration } from '../src/domain/duration.ts';
import { planIncident } from '../src/domain/incident/plan.ts';
import { draftPostMortem } from '../src/domain/incident/post-mortem.ts';
import { ruleFor, timesOf } from '../src/domain/incident/record.ts';
import { cleanup, quick, routed } from './parts/activities.ts';
import { messageOf, typeOf } from './parts/failure.ts';
import { useIncident, type Carried, type Incident } from './parts/incident.ts';
import { callChain } from './parts/incident-chain.ts';
import { remedyAndRecover } from './parts/incident-work.ts';
import { parseInput } from './parts/input.ts';
import { startProcedure, type Procedure } from './parts/procedure.ts';

/** Keys of handled alerts that are carried on; the oldest go. */
const HANDLED_KEYS = 5000;

/**
 * Handles an incident from its first alert to the draft of its post-mortem. Alerts come as signals, before and after it
 * has begun; the chain is told beside the work; it is over when the criterion of the catalog held, or a person says so.
 * @param before what an earlier history of the same workflow left
 */
export async function handleIncident(raw: unknown, before?: Carried): Promise<HandleIncidentResult> {
  const input = parseInput(contract, raw);
  const procedure = startProcedure(contract.procedure, input);
  const incident = useIncident(procedure, input, before);
  let result: HandleIncidentResult;
  try {
    result = await procedure.stoppable(() => handle(procedure, incident, input, before));
  } catch (error) {
    // A history that begins anew, or a fault of ours.
    if (typeOf(error) === 'Unexpected') throw error;
    await CancellationScope.nonCancellable(async () => {
      procedure.tell(`Nobody handles ${incident.record.title} any more: ${messageOf(error)}`);
      await procedure.step('failed', `${typeOf(error)}: ${messageOf(error)}`);
      await procedure.settle();
    });
    throw error;
  }
  await CancellationScope.nonCancellable(async () => {
    await procedure.step('done', result.outcome === 'resolved' ? 'Resolved' : 'Done');
    await procedure.settle();
  });
  if (incident.late.length === 0) return result;
  return continueAsNew<typeof handleIncident>(
    { ...place(input), requestedBy: 'alertmanager' },
    { alerts: incident.late, handled: result.handled ?? [] },
  );
}

async function handle(
  procedure: Procedure,
  incident: Incident,
  input: HandleIncidentInput,
  before: Carried | undefined,
): Promise<HandleIncidentResult> {
  await procedure.step('planning', 'See what it is about', 'tell who is on call');
  const slice = routed(await quick('Read the catalog').loadIncident(place(input)));
  const { policy } = slice;
  if (input.planOnly) {
    const computed = await incident.look(slice);
    const plan = planIncident(slice, computed, ruleFor(policy, input.alert, input.service), Date.now());
    return { outcome: 'planned', severity: computed.severity, why: computed.why, plan };
  }
  const handled = before?.handled ?? [];
  if (!before?.open) {
    const former = await quick('Look for earlier incidents').formerAlerts({ workflowId: workflowInfo().workflowId });
    incident.forget([...former, ...handled]);
    if (incident.ledger.total === 0 && input.title === undefined) {
      incident.close();
      return { outcome: 'known' };
    }
  }
  incident.begin(slice, before?.open ? before.open.record.computed : await incident.look(slice));
  procedure.setChannels(policy.notify);
  if (!before?.open) tellEveryone('is being looked at');

  let over = false;
  const beside = CancellationScope.cancellable(() =>
    Promise.all([callChain(procedure, incident, slice, () => over), incident.keepLooking(slice, () => over)]),
  );
  // A fault beside the work must not wait for its end to be seen.
  const work = remedyAndRecover(procedure, incident, slice, () =>
    continueAsNew<typeof handleIncident>(input, { open: incident.open, handled }),
  );
  await Promise.race([beside.then(() => new Promise<never>(() => undefined)), work]);
  over = true;
  await beside;
  incident.close();
  return finish();

  async function finish(): Promise<HandleIncidentResult> {
    const resolvedAt = new Date(Date.now()).toISOString();
    incident.change({ milestones: { ...incident.record.milestones, resolvedAt } });
    incident.note('over');
    const { record } = incident;
    await procedure.step('changing', 'Draft the post-mortem');
    const postMortem = await keep(record);
    const { mttaMs, mttrMs } = timesOf(record);
    tellEveryone(`is over after ${formatDuration(mttrMs ?? 0)}`);
    return {
      outcome: 'resolved',
      severity: record.severity,
      why: record.computed.why,
      alerts: record.alerts.total,
      milestones: record.milestones,
      ...(mttaMs === undefined ? {} : { mttaMs }),
      ...(mttrMs === undefined ? {} : { mttrMs }),
      ...(postMortem ? { postMortem } : {}),
      handled: [...handled, ...Object.keys(incident.ledger.known)].slice(-HANDLED_KEYS),
    };
  }

  /** An object store that is down keeps no incident open. */
  async function keep(record: IncidentRecord): Promise<EvidenceRef | undefined> {
    const { firstExecutionRunId, runId } = workflowInfo();
    try {
      return await cleanup('Keep the draft of the post-mortem').keepEvidence({
        key: `${record.id}/${firstExecutionRunId}/${runId}/post-mortem.md`,
        contentType: 'text/markdown',
        body: draftPostMortem(record),
      });
    } catch (error) {
      if (isCancellation(error)) throw error;
      procedure.record(`the post-mortem was not kept: ${messageOf(error)}`);
      return undefined;
    }
  }

  function tellEveryone(what: string): void {
    const { severity, title } = incident.record;
    procedure.setChannels([...policy.notify, ...policy.status]);
    procedure.tell(`${severity} ${title} (${slice.system} ${slice.environment}) ${what}.`);
    procedure.setChannels(policy.notify);
  }
}

const place = ({ system, environment, service }: HandleIncidentInput) => ({
  system,
  environment,
  ...(service === undefined ? {} : { service }),
});
