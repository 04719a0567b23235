import { workflowInfo } from '@temporalio/workflow';
import type { GateSpec } from '../../src/contracts/gates.ts';
import type { Plan } from '../../src/contracts/plan.ts';
import type { RunbookSlice, RunRunbookInput } from '../../src/contracts/run-runbook.ts';
import { PRIORITY } from '../../src/domain/lease/rules.ts';
import { targetOf } from '../../src/domain/release/target.ts';
import { scopesOf } from '../../src/domain/runbook/plan.ts';
import { requireOpen } from './admission.ts';
import { cleanup, poll, quick } from './activities.ts';
import type { Parts } from './carry-out.ts';
import { failure } from './failure.ts';
import type { Gates } from './gates.ts';

/** The right of a run to change what its runbook covers: a plan that holds, and the leases. */
export interface Right {
  /** The newest plan: what gates approve. */
  readonly plan: Plan;
  /** Before any step: keeps others out while people decide, or takes the leases when nobody is asked first. */
  begin(): Promise<void>;
  /** A gate was passed. */
  approved(gate: GateSpec): void;
  /**
   * Before a change. The first one takes the leases, then plans again: what was approved must be what is done, so people
   * are asked again when it is not.
   * @returns fencing tokens by lease scope
   * @throws ApplicationFailure `LeaseUnavailable`, `GateNotApproved`, `Refused`, `Interfered`
   */
  take(): Promise<Record<string, number>>;
}

interface RightOptions {
  parts: Parts;
  gates: Gates;
  slice: RunbookSlice;
  input: RunRunbookInput;
  /** Unique per run. */
  key: string;
}

/** A target that changes more often while people decide is somebody's doing. */
const PLAN_ROUNDS = 3;

/** Makes the first plan. @throws ApplicationFailure `InvalidInput` when the leases it runs under do not cover its changes */
export async function planRun({ parts, gates, slice, input, key }: RightOptions): Promise<Right> {
  const { procedure, lease } = parts;
  const scopes = scopesOf(slice);
  const preempt = PRIORITY[input.priority] >= PRIORITY.rollback;
  const asked: GateSpec[] = [];
  let plan = await draft();
  let tokens: Promise<Record<string, number>> | undefined;

  return {
    get plan() {
      return plan;
    },
    async begin() {
      refuse(plan);
      if (input.under) tokens = Promise.resolve(lent(input.under.tokens));
      if (tokens || scopes.length === 0) return;
      await requireOpen(procedure, input.priority);
      lease.cover(scopes);
      if (plan.gates.length === 0) await take();
      else if (!preempt) await lease.reserve({ onBusy: input.onBusy });
    },
    approved: (gate) => void asked.push(gate),
    take,
  };

  function take(): Promise<Record<string, number>> {
    tokens ??= scopes.length === 0 ? Promise.resolve({}) : acquire();
    return tokens;
  }

  async function acquire(): Promise<Record<string, number>> {
    // Behind an own reservation there is nobody to be refused for.
    const onBusy = asked.length > 0 && !preempt ? 'queue' : input.onBusy;
    if (asked.length > 0) await requireOpen(procedure, input.priority);
    const { tokens: held, takenFrom } = await lease.hold({ onBusy, preempt });
    await requireOpen(procedure, input.priority);
    const { service } = slice;
    const token = service && held[service.service];
    if (service && token !== undefined)
      await quick('Claim the Service').claimTarget({ target: targetOf({ ...slice, ...service }), token });
    if (takenFrom?.how === 'displaced')
      await cleanup('End the displaced procedure').terminateHolder({
        holder: takenFrom.holder,
        reason: `displaced by ${workflowInfo().workflowId}`,
      });
    if (asked.length > 0) await confirm();
    return held;
  }

  async function confirm(): Promise<void> {
    for (let round = 1; round <= PLAN_ROUNDS; round++) {
      const before = plan.digest;
      plan = await draft();
      refuse(plan);
      if (plan.digest === before) return;
      procedure.record('what would change is not what was approved any more: asking again');
      await procedure.step('waiting', 'Waiting for approval of the changed plan');
      await gates.pass(asked, {
        digest: plan.digest,
        people: slice.people,
        identity: slice.identity,
        requestedBy: input.requestedBy,
      });
    }
    throw failure('Interfered', 'What would change keeps changing while people decide; find out who changes it.');
  }

  async function draft(): Promise<Plan> {
    const { alert, severity } = input;
    const occasion = { ...(alert ? { alert } : {}), ...(severity ? { severity } : {}) };
    const drafted = await poll('Plan the changes').planRunbook({ slice, key, ...occasion });
    procedure.publish({ plan: drafted, etaAt: new Date(Date.now() + drafted.expectedDurationMs).toISOString() });
    return drafted;
  }

  /** Another procedure holds the leases, and has claimed what they cover. */
  function lent(given: Record<string, number>): Record<string, number> {
    const missing = scopes.filter((scope) => !Object.hasOwn(given, scope));
    if (missing.length === 0) return given;
    throw failure(
      'InvalidInput',
      `runbook ${slice.runbook} changes ${missing.join(', ')}: "under" has no token for it.`,
    );
  }
}

function refuse({ refusals }: Plan): void {
  if (refusals.length === 0) return;
  throw failure('Refused', refusals.map(({ code, message }) => `${code}: ${message}`).join(' '));
}
