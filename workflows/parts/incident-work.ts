import { condition, patched, workflowInfo } from '@temporalio/workflow';
import type { IncidentSlice } from '../../src/contracts/handle-incident.ts';
import type { AlertRule } from '../../src/contracts/incident-catalog.ts';
import { firesStill } from '../../src/domain/incident/ledger.ts';
import { afterTurn, rulesOf } from '../../src/domain/incident/turns.ts';
import type { Incident } from './incident.ts';
import { runIncidentRunbook } from './incident-runbook.ts';
import type { Procedure } from './procedure.ts';

/**
 * What is done about an incident: the diagnosis and the remedy of its alert, then those of other alerts that join it, one
 * after the other as they came, and of one that had gone by itself and is back, until the criteria of all of them held or
 * a person says that it is over.
 * @param continueAsNew begins a new history of the same incident
 */
export async function remedyAndRecover(
  procedure: Procedure,
  incident: Incident,
  slice: IncidentSlice,
  continueAsNew: () => Promise<never>,
): Promise<void> {
  const { rule } = incident.record;
  if (rule) await answer(rule, () => incident.ledger.total === 0 || incident.ledger.firing > 0);
  for (;;) {
    const next = incident.unanswered;
    if (next) await answer(next, () => firesStill(incident.ledger, next.alert));
    else if (await recovered()) return;
  }

  async function answer(of: AlertRule, stillTrue: () => boolean): Promise<void> {
    const isSpared = await diagnoseAndRemedy(of, stillTrue);
    incident.change(afterTurn(incident.record, of, isSpared));
  }

  /** @returns whether the remedy was spared, because the alert has gone by itself */
  async function diagnoseAndRemedy(
    { alert, diagnose, runbook }: AlertRule,
    stillTrue: () => boolean,
  ): Promise<boolean> {
    const ran = (purpose: string, name: string): boolean =>
      incident.record.runbooks.some((each) => each.purpose === purpose && each.runbook === name);
    if (diagnose && !ran('diagnose', diagnose) && !incident.resolved) {
      await procedure.step('planning', `Find out what is wrong: ${diagnose}`, runbook);
      await runIncidentRunbook(incident, slice, { purpose: 'diagnose', runbook: diagnose, alert });
    }
    if (!runbook || ran('remedy', runbook) || incident.resolved) return false;
    if (!stillTrue()) {
      incident.note('it went by itself: no remedy');
      // Incidents that were open when this was new leave an alert that comes back to people.
      return patched('incident-alert-returns');
    }
    await procedure.step('changing', `Remedy: ${runbook}`, 'see that it is over');
    const ok = await runIncidentRunbook(incident, slice, { purpose: 'remedy', runbook, alert });
    if (ok) mitigated();
    else procedure.tell(`Runbook ${runbook} did not remedy ${incident.record.title}: people are needed.`);
    return false;
  }

  /** @returns false when it is the turn of a rule */
  async function recovered(): Promise<boolean> {
    if (incident.resolved) return true;
    const criteria = criteriaOf(incident);
    await procedure.step(
      'waiting',
      `Wait until it is over${criteria.length > 0 ? `: ${criteria.join(', ')}` : ''}`,
      'draft the post-mortem',
    );
    for (;;) {
      await untilQuiet(criteria.length > 0);
      if (incident.resolved) return true;
      if (incident.unanswered) return false;
      let held = true;
      for (const runbook of criteria) {
        held &&= await runIncidentRunbook(incident, slice, { purpose: 'recovery', runbook });
        if (incident.resolved) return true;
        if (incident.unanswered) return false;
      }
      if (held && (criteria.length === 0 || incident.ledger.firing === 0)) return true;
      // It failed, or alerts came back: it is looked at again when something changes, or a person decides.
      if (!held) await condition(() => incident.resolved || incident.unanswered !== undefined);
    }
  }

  /** Until no alert has fired for long enough. Without alerts only the criteria, or a person, know. */
  async function untilQuiet(hasCriteria: boolean): Promise<void> {
    for (;;) {
      if (incident.resolved || incident.unanswered) return;
      const { total, firing, quietSince } = incident.ledger;
      if (total === 0 && hasCriteria) return;
      if (workflowInfo().continueAsNewSuggested) await continueAsNew();
      const left = total > 0 && firing === 0 ? (quietSince ?? 0) + slice.policy.quietFor - Date.now() : undefined;
      if (left !== undefined && left <= 0) return;
      const changed = (): boolean =>
        incident.resolved || incident.unanswered !== undefined || incident.ledger.quietSince !== quietSince;
      if (left === undefined) await condition(() => changed() || workflowInfo().continueAsNewSuggested);
      else await condition(changed, left, { summary: 'until alerts have been quiet long enough' });
    }
  }

  function mitigated(): void {
    const mitigatedAt = new Date(Date.now()).toISOString();
    incident.change({ milestones: { ...incident.record.milestones, mitigatedAt } });
  }
}

/** How it is known that an incident is over: the criteria of its alert and of those that joined, each once. */
const criteriaOf = ({ record }: Incident): string[] => [
  ...new Set(rulesOf(record).flatMap(({ resolved }) => resolved ?? [])),
];
