import type { GateView } from '../../contracts/gates.ts';
import type { ProgressView } from '../../contracts/progress.ts';
import { plain, type Paint } from '../io.ts';
import { isReleasePlan, renderPlanSummary } from './plan.ts';
import { field, until } from './text.ts';

/** What a person must see before deciding a gate: the question, what it is about, and the code that binds the answer. */
export function renderDecisionRequest(
  gate: GateView,
  progress: ProgressView | undefined,
  now: number,
  paint: Paint = plain,
): string {
  const plan = progress?.plan;
  return [
    `${paint('bold', gate.asks)}  (gate ${gate.name}, ${gate.kind})`,
    ...(isReleasePlan(plan) ? renderPlanSummary(plan, paint) : []),
    ...(plan
      ? [field('changes', plan.changes.map(({ verb, kind, name }) => `${verb} ${kind}/${name}`).join(', '))]
      : []),
    ...(progress?.lines ?? []).map((line) => `  - ${line}`),
    field('decides', `${gate.quorum} of ${gate.roles.join(' or ')}${gate.approvals.length > 0 ? `; so far ${gate.approvals.map(({ by }) => by).join(', ')}` : ''}`), // prettier-ignore
    field('expires', until(gate.expiresAt, now)),
    field('code', gate.code),
  ].join('\n');
}
