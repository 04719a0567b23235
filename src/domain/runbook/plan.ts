import type { GateSpec } from '../../contracts/gates.ts';
import type { Plan, PlannedChange, Refusal } from '../../contracts/plan.ts';
import type { RunbookSlice } from '../../contracts/run-runbook.ts';
import { changesOf } from './steps.ts';

/** What was found out about one step, in the order of the steps. */
export type PlannedStep =
  | { kind: 'change'; label: string; action: string; lines: string[]; undone: boolean; leased: boolean }
  | { kind: 'later'; label: string; what: string; undone: boolean; leased: boolean }
  | { kind: 'unclear'; label: string; action: string; why: string; undone: boolean; leased: boolean }
  | { kind: 'refused'; label: string; action: string; refusal: Refusal }
  | { kind: 'gate'; label: string; spec: GateSpec }
  | { kind: 'time'; label: string; atLeastMs: number };

/** A plan is in the history, and people read it. */
const MOST_LINES = 20;

/** A guess that errs on the side of patience. */
const STEP_MS = 5_000;

/** The plan of a run, without its digest. Only gates that come before the first change are "before anything changes". */
export function composePlan(slice: RunbookSlice, steps: PlannedStep[]): Omit<Plan, 'digest'> {
  const mutating = steps.filter((step) => 'leased' in step && step.leased);
  const first = mutating[0] ? steps.indexOf(mutating[0]) : steps.length;
  const gates = steps.filter((step) => step.kind === 'gate');
  const runbook = slice.runbooks[slice.runbook]!;
  const times = steps.filter((step) => step.kind === 'time').map(({ atLeastMs }) => atLeastMs);
  return {
    facts: [
      { label: 'runbook', text: `${slice.runbook}: ${runbook.description}` },
      ...Object.entries(slice.parameters).map(([name, value]) => ({ label: name, text: String(value) })),
      ...gates
        .filter((gate) => steps.indexOf(gate) > first)
        .map(({ label, spec }) => ({
          label: 'asks later',
          text: `${spec.name} (${spec.kind} by ${spec.roles.join(' or ')}) at step ${label}: ${spec.asks}`,
        })),
    ],
    changes: steps.flatMap(changesIn),
    refusals: steps.flatMap((step) => (step.kind === 'refused' ? [step.refusal] : [])),
    warnings: steps.flatMap((step) =>
      step.kind === 'unclear' ? [`step ${step.label} (${step.action}) cannot be planned now: ${step.why}`] : [],
    ),
    gates: gates.filter((gate) => steps.indexOf(gate) < first).map(({ spec }) => spec),
    blastRadius: reachOf(slice),
    reversibility: wayBack(mutating),
    expectedDurationMs: times.reduce((sum, each) => sum + each, 0) + STEP_MS * runbook.steps.length,
  };
}

function changesIn(step: PlannedStep): PlannedChange[] {
  const change = (action: string, why: string): PlannedChange => ({
    verb: 'run',
    kind: 'step',
    name: `${step.label} (${action})`,
    why,
  });
  if (step.kind === 'change') {
    const more = step.lines.length - MOST_LINES;
    const shown = step.lines.slice(0, MOST_LINES);
    return [...shown, ...(more > 0 ? [`and ${more} more`] : [])].map((line) => change(step.action, line));
  }
  if (step.kind === 'later') return [change(step.what, 'decided when it is reached, by what earlier steps find')];
  return step.kind === 'unclear' ? [change(step.action, 'cannot be planned now')] : [];
}

function reachOf(slice: RunbookSlice): string {
  const scopes = scopesOf(slice);
  const where = `${slice.environment} of ${slice.system} (context ${slice.cluster.context}, namespace ${slice.namespace})`;
  return scopes.length === 0 ? `looks only, in ${where}` : `${scopes.join(', ')} in ${where}`;
}

/** What a run leases, `service` resolved. */
export const scopesOf = ({ runbook, runbooks, service }: RunbookSlice): string[] => [
  ...new Set(changesOf(runbook, runbooks).map((scope) => (scope === 'service' ? service!.service : scope))),
];

function wayBack(steps: PlannedStep[]): string {
  if (steps.length === 0) return 'nothing changes';
  const kept = steps.filter((step) => !('undone' in step && step.undone)).map(({ label }) => label);
  if (kept.length === 0) return 'every change is taken back when a later step fails or somebody aborts';
  if (kept.length === steps.length) return 'no change is taken back by itself';
  return `taken back when a later step fails or somebody aborts, except ${kept.join(', ')}`;
}
