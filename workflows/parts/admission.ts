import { patched, upsertMemo, workflowInfo } from '@temporalio/workflow';
import type { Priority } from '../../src/contracts/change-control.ts';
import type { Refusal } from '../../src/contracts/plan.ts';
import type { ChangeRequest } from '../../src/domain/change/admission.ts';
import { isUrgent } from '../../src/domain/lease/state.ts';
import { notice, quick } from './activities.ts';
import { failure } from './failure.ts';
import type { Procedure } from './procedure.ts';

/** Histories that began before there were freezes have no such activity. */
const CHANGE = 'change-admission';

/** What counts for some rules: the service of a release, and whether it is critical. */
type SaysOfItself = Pick<ChangeRequest, 'service' | 'critical'>;

/**
 * Before anything is changed, and again whenever time has passed since: whether it may begin at all. What brings a
 * service back is let through without waiting for the answer, and what it passed is recorded as break-glass.
 * @param at the moment that counts; default: now
 * @throws ApplicationFailure `ChangesClosed` with the rule and when it opens; nothing was changed
 */
export async function requireOpen(
  procedure: Procedure,
  kind: Priority,
  at = Date.now(),
  says: SaysOfItself = {},
): Promise<void> {
  if (isUrgent(kind)) return passClosures(procedure, kind);
  if (!patched(CHANGE)) return;
  const request = { ...procedure.place, kind, at, ...says };
  const admission = await quick('Look whether changes are let in').admitChange(request);
  if (admission.verdict !== 'refused') return;
  const { rule, opens, message } = admission;
  const { system, environment } = procedure.place;
  throw failure('ChangesClosed', `${system} ${environment} is ${message}. Rollbacks and incidents pass.`, {
    rule,
    ...(opens === undefined ? {} : { opens: new Date(opens).toISOString() }),
  });
}

/** What a plan says of it: refusals, if the change began at that moment. */
export async function closedRefusals(
  procedure: Procedure,
  kind: Priority,
  at = Date.now(),
  says: SaysOfItself = {},
): Promise<Refusal[]> {
  if (!patched(CHANGE)) return [];
  const request = { ...procedure.place, kind, at, ...says };
  const admission = await quick('Look whether changes are let in').admitChange(request);
  return admission.verdict === 'refused' ? [{ code: 'changes-closed', message: `It is ${admission.message}.` }] : [];
}

/** Nothing of it delays the procedure; what it passed is said in its status, to people, and in its record, once. */
function passClosures(procedure: Procedure, kind: Priority): void {
  if (!patched(CHANGE)) return;
  procedure.beside('look whether changes are let in', async () => {
    const at = Date.now();
    const admission = await notice('Look what it passes').admitChange({ ...procedure.place, kind, at });
    if (admission.verdict !== 'passes-by-break-glass') return;
    const earlier = workflowInfo().memo?.['breakGlass'];
    const known = typeof earlier === 'string' ? `${earlier}; ` : '';
    if (known.includes(admission.reason)) return;
    upsertMemo({ breakGlass: `${known}${admission.reason}` });
    procedure.show('break-glass freeze', `BREAK-GLASS: ${admission.reason}`);
    procedure.record(`break-glass: ${admission.reason}`);
    procedure.tell(`BREAK-GLASS: ${workflowInfo().workflowId}: ${admission.reason}.`);
  });
}
