import type { IncidentSlice } from '../../contracts/handle-incident.ts';
import type { AlertRule } from '../../contracts/incident-catalog.ts';
import type { Plan } from '../../contracts/plan.ts';
import { escalationTimes } from './clock.ts';
import type { Computed } from './severity.ts';

/** What handling an incident now would mean: severity, who is told when, which runbooks. Nothing is changed by it. */
export function planIncident(slice: IncidentSlice, computed: Computed, rule: AlertRule | undefined, at: number): Plan {
  const { policy, digest } = slice;
  const severity = policy.severities.find(({ name }) => name === computed.severity)!;
  const times = escalationTimes(at, severity, policy.onCall.length, policy);
  const runbooks = [
    ['diagnose', rule?.diagnose],
    ['remedy', rule?.runbook],
    ['recovery', rule?.resolved],
  ].filter(([, runbook]) => runbook !== undefined);
  return {
    facts: [
      { label: 'severity', text: `${computed.severity}: ${computed.why}` },
      ...policy.onCall.map(({ name, roles }, level) => ({
        label: `told ${level === 0 ? 'first' : 'then'}`,
        text: `${name} (${roles.join(', ')}) at ${new Date(times[level]!).toISOString()}${level === 0 ? '' : ', unless acknowledged'}`,
      })),
      ...policy.contacts.map(({ kind, name, contact }) => ({ label: kind, text: `${name}: ${contact}` })),
    ],
    changes: runbooks.map(([purpose, runbook]) => ({
      verb: 'run' as const,
      kind: 'runbook',
      name: runbook!,
      why: `${purpose}; its own plan: windlass plan run`,
    })),
    refusals: [],
    warnings: runbooks.length === 0 ? ['No runbook is known for it: people handle it.'] : [],
    gates: [],
    blastRadius: 'None by itself; its runbooks lease what they change.',
    reversibility: 'Its runbooks take back what fails.',
    expectedDurationMs: 0,
    digest,
  };
}
