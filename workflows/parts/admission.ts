import { isCancellation, patched, upsertMemo, workflowInfo } from '@temporalio/workflow';
import type { Priority } from '../../src/contracts/change-control.ts';
import type { Refusal } from '../../src/contracts/plan.ts';
import type { Admission, ChangeRequest } from '../../src/domain/change/admission.ts';
import { isUrgent } from '../../src/domain/lease/state.ts';
import { notice, quick } from './activities.ts';
import { failure, messageOf } from './failure.ts';
import type { Procedure } from './procedure.ts';

/** Histories that began before there were freezes have no such activity. */
const CHANGE = 'change-admission';

/** What counts for some rules: the service of a release, and whether it is critical. */
type SaysOfItself = Pick<ChangeRequest, 'service' | 'critical'>;

type Refused = Extract<Admission, { verdict: 'refused' }>;

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
  const refusal = await refusalOf(procedure, { kind, at, ...says });
  if (!refusal) return;
  const { rule, opens, message } = refusal;
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
  const refusal = await refusalOf(procedure, { kind, at, ...says });
  return refusal ? [{ code: 'changes-closed', message: `It is ${refusal.message}.` }] : [];
}

/**
 * What a plan says of it when the change would be let through: which closures it passes now, as its break-glass will
 * say. A way back is planned also when nobody can tell, and then says that.
 * @returns undefined when there is nothing to pass
 */
export async function passedClosures({ place }: Procedure, kind: Priority): Promise<string | undefined> {
  if (!patched(CHANGE)) return undefined;
  try {
    const admission = await notice('Look what it would pass').admitChange({ ...place, kind, at: Date.now() });
    return admission.verdict === 'passes-by-break-glass' ? admission.reason : undefined;
  } catch (error) {
    if (isCancellation(error)) throw error;
    return `${kind} passes whatever freezes there are; they could not be read: ${messageOf(error)}`;
  }
}

async function refusalOf({ place }: Procedure, request: ChangeRequest & { at: number }): Promise<Refused | undefined> {
  if (!patched(CHANGE)) return undefined;
  const admission = await quick('Look whether changes are let in').admitChange({ ...place, ...request });
  return admission.verdict === 'refused' ? admission : undefined;
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
