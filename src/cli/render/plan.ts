import type { GateSpec } from '../../contracts/gates.ts';
import { formatDuration } from '../../domain/duration.ts';
import type { PlannedChange } from '../../contracts/plan.ts';
import type { ColorPlan, ReleasePlan } from '../../domain/release/plan-types.ts';
import { plain, type Paint } from '../io.ts';
import { field, indent } from './text.ts';

/** The parts of a plan a person must see, whichever procedure made it. */
export type ShownPlan = Pick<ReleasePlan, 'changes' | 'refusals'> & Partial<ReleasePlan>;

/** True for a value that has the shape of a release plan: results carry plans as `unknown`. */
export function isReleasePlan(value: unknown): value is ShownPlan {
  return (
    typeof value === 'object' &&
    value !== null &&
    Array.isArray((value as ReleasePlan).changes) &&
    Array.isArray((value as ReleasePlan).refusals)
  );
}

/** The whole plan: refusals first, because then nothing else matters. */
export function renderPlan(plan: ShownPlan, paint: Paint = plain): string {
  return [
    ...plan.refusals.map(({ code, message }) => paint('red', `REFUSED ${code}: ${message}`)),
    ...renderPlanSummary(plan, paint),
    '',
    paint('bold', plan.changes.length === 0 ? 'Nothing would change.' : `${plan.changes.length} changes:`),
    ...plan.changes.flatMap((change) => renderChange(change, paint)),
    ...renderGates('Gates before anything changes:', plan.gates, paint),
    ...renderGates('Gates before traffic goes over:', plan.promotion, paint),
  ].join('\n');
}

function renderGates(title: string, gates: GateSpec[] | undefined, paint: Paint): string[] {
  if (!gates || gates.length === 0) return [];
  return ['', paint('bold', title), ...gates.map(gateLine)];
}

function gateLine({ name, kind, roles, quorum, fourEyes, expiresAfterMs, ...policy }: GateSpec): string {
  const who = `${quorum > 1 ? `${quorum} of ` : ''}${roles.join(' or ')}${fourEyes ? ', not the requester' : ''}`;
  const more = [
    ...(policy.onExpiry === 'continue' ? ['silence lets it go on'] : []),
    ...(policy.onExpiry === 'escalate' ? [`then ${policy.escalation?.roles.join(' or ') ?? 'others'} too`] : []),
    ...(policy.comment === 'required' ? ['with a comment'] : []),
    ...(policy.form ? [`with ${policy.form.required.join(', ') || 'a form'}`] : []),
    ...(policy.breakGlass ? [`in an emergency ${policy.breakGlass.roles.join(' or ')} alone`] : []),
  ];
  return `  ${name}: ${kind} by ${who}, within ${formatDuration(expiresAfterMs)}${more.map((each) => `; ${each}`).join('')}`;
}

/** The lines an approval must show: from, to, reach, way back, warnings, digest. */
export function renderPlanSummary(plan: ShownPlan, paint: Paint = plain): string[] {
  const { target } = plan;
  return [
    ...(target ? [field('target', `${target.service} in ${target.namespace} of ${target.system} ${target.environment} (context ${target.context})`)] : []), // prettier-ignore
    ...(plan.from ? [field('from', colorLine(plan.from))] : []),
    ...(plan.to ? [field('to', colorLine(plan.to))] : []),
    ...(plan.facts ?? []).map(({ label, text }) => field(label, text)),
    ...(plan.blastRadius ? [field('reach', plan.blastRadius)] : []),
    ...(plan.reversibility ? [field('way back', plan.reversibility)] : []),
    ...(plan.expectedDurationMs === undefined ? [] : [field('takes', `about ${formatDuration(plan.expectedDurationMs)}, without the waiting for people`)]), // prettier-ignore
    ...(plan.retireEarly ? [field('early', `${plan.retireEarly.deployment} (${plan.retireEarly.version}) of an earlier release is deleted first`)] : []), // prettier-ignore
    ...(plan.warnings ?? []).map((warning) => paint('yellow', field('warning', warning))),
    ...(plan.digest ? [field('digest', plan.digest)] : []),
  ];
}

const colorLine = ({ deployment, version, image, replicas }: ColorPlan): string =>
  `${version}  ${deployment}, ${replicas} ${replicas === 1 ? 'replica' : 'replicas'}, ${image}`;

function renderChange({ verb, kind, name, why, diff }: PlannedChange, paint: Paint): string[] {
  const style = verb === 'delete' ? 'red' : verb === 'create' ? 'green' : 'yellow';
  return [
    `  ${paint(style, verb)} ${kind}/${name}: ${why}`,
    ...(diff ? [indent(renderDiff(diff, paint), '      ')] : []),
  ];
}

/** A unified diff with its added and removed lines colored. */
export function renderDiff(diff: string, paint: Paint): string {
  return diff
    .trimEnd()
    .split('\n')
    .map((line) => {
      if (line.startsWith('@@') || line.startsWith('+++') || line.startsWith('---')) return paint('dim', line);
      if (line.startsWith('+')) return paint('green', line);
      return line.startsWith('-') ? paint('red', line) : line;
    })
    .join('\n');
}
