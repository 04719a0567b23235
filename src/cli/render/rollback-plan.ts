import type { ShownRollbackPlan } from '../../domain/release/rollback-plan.ts';
import { plain, type Paint } from '../io.ts';
import { field } from './text.ts';

const KINDS = ['stay', 'switch', 'redeploy', 'refused'];

/** True for a value that has the shape of a rollback's plan: results carry plans as `unknown`. */
export function isRollbackPlan(value: unknown): value is ShownRollbackPlan {
  return typeof value === 'object' && value !== null && KINDS.includes((value as ShownRollbackPlan).kind);
}

/** How traffic would go back. */
export function renderRollbackPlan(plan: ShownRollbackPlan, paint: Paint = plain): string {
  if (plan.kind === 'refused') return paint('red', `REFUSED ${plan.refusal.code}: ${plan.refusal.message}`);
  const { version, image, deployment, at, outcome } = plan.record;
  const what = {
    stay: `${version} already serves: traffic stays, only remains of an interrupted release are removed`,
    switch: `switch traffic to ${deployment}, which still runs`,
    redeploy: `redeploy ${version}: its pods are gone`,
  }[plan.kind];
  return [
    field('go back to', paint('bold', version)),
    field('how', what),
    field('image', image),
    ...(at ? [field('served', `since ${at}, recorded as ${outcome}`)] : []),
    ...(plan.kind === 'switch' && plan.wait ? [field('wait', `until ${deployment} is ready`)] : []),
    ...(plan.kind === 'switch' && plan.partlyReady ? [paint('yellow', field('warning', plan.partlyReady))] : []),
    ...(plan.breakGlass ? [paint('yellow', field('warning', `BREAK-GLASS: ${plan.breakGlass}`))] : []),
  ].join('\n');
}
