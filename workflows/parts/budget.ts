import type { BudgetMessage, Told, WorkflowMemory } from '../../src/contracts/budget-messages.ts';
import type { EvidenceRef } from '../../src/contracts/evidence.ts';
import type { BudgetSlice, WatchErrorBudgetResult } from '../../src/contracts/watch-error-budget.ts';
import { nameOfWorkflow } from '../../src/domain/budget/report.ts';
import type { BudgetReply, BudgetState } from '../../src/domain/budget/state.ts';
import { staleNews, toldOf, untold } from '../../src/domain/budget/telling.ts';
import { iso, staleText, zoneNotice, zoneRecord } from '../../src/domain/budget/words.ts';
import { notice } from './activities.ts';
import { changeWorkflow, lookAtWorkflow } from './deploy-workflow.ts';
import { messageOf } from './failure.ts';
import type { Procedure } from './procedure.ts';

export interface BudgetWork {
  procedure: Procedure;
  slice: BudgetSlice;
  budget: BudgetState;
}

type Settle = (what: Pick<Extract<BudgetMessage, { kind: 'settled' }>, 'told' | 'workflow'>) => Promise<BudgetReply>;

/** A newer measurement is there: what follows is not for this run to do. */
class Superseded extends Error {}

/**
 * What follows from a zone: the workflow at GitHub, the record, the notices. Each is remembered by change control once it
 * is done, and what is not done, because somebody did not answer, is for the next run; nothing is waited for longer than
 * about a minute, because a later measurement may say something else.
 */
export async function followZone(
  work: BudgetWork,
  settle: Settle,
): Promise<Pick<WatchErrorBudgetResult, 'outcome' | 'deployWorkflow' | 'evidence'>> {
  const { budget } = work;
  const remember: (what: Parameters<Settle>[0]) => Promise<void> = async (what) => {
    const { late } = await settle(what);
    if (late) throw new Superseded();
  };
  try {
    let told: Told | undefined = budget.told;
    const workflow = await followAtGithub(work, (memory) => remember({ workflow: memory }));
    const { channels, evidence } = await announce(work, workflow.words);
    if (channels.length > 0) told = toldOf(budget, channels);
    told = await tellOnce(work, told, workflow.fault);
    if (told !== budget.told) await remember({ ...(told ? { told } : {}) });
    const words = workflow.words ?? workflow.fault;
    return {
      outcome: 'measured',
      ...(words ? { deployWorkflow: words } : {}),
      ...(evidence ? { evidence } : {}),
    };
  } catch (error) {
    if (!(error instanceof Superseded)) throw error;
    return { outcome: 'superseded' };
  }
}

async function followAtGithub(
  { procedure, slice, budget }: BudgetWork,
  remember: (memory: WorkflowMemory | null) => Promise<void>,
): Promise<{ words?: string; fault?: string }> {
  try {
    const found = await lookAtWorkflow(slice.budget, budget);
    const words = found && (await changeWorkflow(slice.budget, found, remember));
    if (!words) return {};
    procedure.record(words);
    procedure.show('workflow', words);
    return { words };
  } catch (error) {
    if (error instanceof Superseded) throw error;
    const fault = `${nameOfWorkflow(slice.budget)} could not be changed: ${messageOf(error)}`;
    procedure.record(fault);
    return { fault };
  }
}

/** Keeps the record of a new zone, and tells whoever has not heard of it. @returns the channels that have now */
async function announce(
  { procedure, slice, budget }: BudgetWork,
  workflow: string | undefined,
): Promise<{ channels: string[]; evidence?: EvidenceRef }> {
  const { system, environment } = procedure.place;
  const { recovery } = slice.budget;
  const story = { place: procedure.place, budget, recovery };
  const waiting = untold(budget, slice.budget);
  if (waiting.length === 0 && budget.since !== budget.at) return { channels: [] };
  await procedure.step('changing', `Tell people that the zone is ${budget.zone}`);
  const key = `error-budget/${system}/${environment}/${iso(budget.since)}-${budget.zone}`;
  const evidence = await notice('Keep the record')
    .keepEvidence({ key: `${key}.md`, contentType: 'text/markdown', body: zoneRecord(story) })
    .catch((error: unknown) => void procedure.record(`the record was not kept: ${messageOf(error)}`));
  const kept = evidence ? { evidence } : {};
  if (waiting.length === 0) return { channels: [], ...kept };
  const text = [
    zoneNotice({ ...story, ...(evidence ? { evidence: evidence.uri } : {}) }),
    ...(workflow ? [workflow] : []),
  ].join('\n');
  return { channels: await tell(procedure, waiting, text, key), ...kept };
}

/** What is said once and not in every run: that nothing is measured any more, or again; that GitHub does not answer. */
async function tellOnce(
  { procedure, slice, budget }: BudgetWork,
  told: Told | undefined,
  fault: string | undefined,
): Promise<Told | undefined> {
  const { notify } = slice.budget;
  const { system, environment } = procedure.place;
  const about = `Error budget of ${system} ${environment}`;
  let heard = told;
  const say = async (text: string, key: string, change: Partial<Told>): Promise<void> => {
    const channels = await tell(procedure, notify, text, `error-budget/${system}/${environment}/${key}`);
    // Without a channel nobody can be told, which need not be tried again.
    if (channels.length > 0 || notify.length === 0) heard = { ...(heard ?? toldOf(budget, [])), ...change };
  };
  const news = staleNews(budget);
  if (news === 'stale')
    await say(`${about} is not measured any more. ${staleText(budget)}`, `stale-${iso(budget.at)}`, { stale: true });
  if (news === 'measured-again')
    await say(`${about} is measured again: ${budget.zone}.`, `measured-${iso(budget.at)}`, { stale: false });
  if (fault !== undefined && !heard?.workflowFault)
    await say(`${about} is ${budget.zone}, and ${fault} It is tried again.`, `github-${iso(budget.at)}`, {
      workflowFault: true,
    });
  if (fault === undefined && heard?.workflowFault) heard = { ...heard, workflowFault: false };
  return heard;
}

/** @returns the channels that have it */
async function tell(procedure: Procedure, channels: string[], text: string, key: string): Promise<string[]> {
  if (channels.length === 0) return [];
  try {
    const { delivered, failed } = await notice('Tell people').notify({
      system: procedure.place.system,
      ...{ channels, text, key },
    });
    failed.forEach(({ channel, error }) => procedure.record(`notice not delivered to ${channel}: ${error}`));
    return delivered;
  } catch (error) {
    procedure.record(`notice not delivered: ${messageOf(error)}`);
    return [];
  }
}
