import type { GateForm } from '../../contracts/gate-form.ts';
import type { GateView } from '../../contracts/gates.ts';
import type { ProgressView } from '../../contracts/progress.ts';
import { whoVoted } from '../../domain/gate-view.ts';
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
    field('decides', decidesText(gate)),
    field('expires', `${until(gate.expiresAt, now)}; ${SILENCE[gate.onExpiry ?? 'rejected']}`),
    ...(gate.comment === 'required' ? [field('comment', 'needed to approve: --comment "…"')] : []),
    ...formLines(gate.form),
    ...(gate.breakGlass
      ? [field('emergency', `${gate.breakGlass.roles.join(' or ')} may pass it alone: --break-glass --reason "…"`)]
      : []),
    field('code', gate.code),
  ].join('\n');
}

const SILENCE: Record<NonNullable<GateView['onExpiry']>, string> = {
  rejected: 'silence is a no',
  escalate: 'silence asks those above',
  continue: 'silence lets it go on',
};

function decidesText({ quorum, roles, approvals, escalatedAt }: GateView): string {
  const soFar = approvals.length > 0 ? `; so far ${approvals.map(whoVoted).join(', ')}` : '';
  return `${quorum} of ${roles.join(' or ')}${soFar}${escalatedAt ? '; nobody did in time, so it was escalated' : ''}`;
}

/** What must be filled in, one field a line: `--field ticket=…  text, needed: Number of the change`. */
function formLines(form: GateForm | undefined): string[] {
  if (!form) return [];
  const lines = Object.entries(form.properties).map(([name, given]) => {
    const kind = given.type === 'string' ? (given.enum?.join(' | ') ?? 'text') : given.type;
    const needed = form.required.includes(name) ? ', needed' : '';
    const about = given.description ? `: ${given.description}` : '';
    return `--field ${name}=…  ${kind}${needed}${about}`;
  });
  return [field('fill in', lines.join('\n'))];
}
