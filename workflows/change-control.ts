import {
  allHandlersFinished,
  ApplicationFailure,
  CancellationScope,
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  defineUpdate,
  isCancellation,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { LeasesActivities } from '../activities/leases.ts';
import { budgetMessageSchema, type BudgetMessage } from '../src/contracts/budget-messages.ts';
import {
  acquireRequestSchema,
  endFreezeSchema,
  startFreezeSchema,
  changeControl as contract,
  leaseReleaseSchema,
  repairSchema,
  type AcquireReply,
  type AcquireRequest,
  type ChangeControlState,
  type EndFreeze,
  type StartFreeze,
  type Holder,
  type Repair,
} from '../src/contracts/change-control.ts';
import type { OrderResult } from '../src/contracts/messages.ts';
import { takeBudget, type BudgetReply } from '../src/domain/budget/state.ts';
import { acquire } from '../src/domain/lease/acquire.ts';
import { nextWake } from '../src/domain/lease/admission.ts';
import { holderEnded, release, repair, signalSettled, timePassed } from '../src/domain/lease/events.ts';
import { endFreeze, startFreeze } from '../src/domain/lease/freezes.ts';
import { emptyState, watchedHolders, type LeaseState, type Outgoing } from '../src/domain/lease/state.ts';
import { phaseOf, renderChangeControl, viewState } from '../src/domain/lease/view.ts';
import { parseInput } from './parts/input.ts';
import { release as releaseSignal } from './parts/lease.ts';
import { ifUnderstood, requireShape } from './parts/shape.ts';

export const acquireUpdate = defineUpdate<AcquireReply, [AcquireRequest]>('acquire');
export const repairUpdate = defineUpdate<OrderResult, [Repair]>('repair');
export const repairSignal = defineSignal<[unknown]>('repair');
export const budgetUpdate = defineUpdate<BudgetReply, [BudgetMessage]>('budget');
export const startFreezeUpdate = defineUpdate<OrderResult, [StartFreeze]>('startFreeze');
export const startFreezeSignal = defineSignal<[unknown]>('startFreeze');
export const endFreezeUpdate = defineUpdate<OrderResult, [EndFreeze]>('endFreeze');
export const endFreezeSignal = defineSignal<[unknown]>('endFreeze');
export const stateQuery = defineQuery<ChangeControlState>('state');

/** Well below the 4,096 at which the server suggests it: a short history is replayed quickly by a new worker. */
const EVENTS_PER_RUN = 2000;

const { signalHolder } = proxyActivities<LeasesActivities>({
  summary: 'Tell the holder',
  startToCloseTimeout: '10 s',
  retry: { initialInterval: 250, maximumInterval: '10 s' },
});

/** One long poll per holder. It is retried for ever and begun anew every hour, so that no end stays unseen. */
const { awaitHolderEnd } = proxyActivities<LeasesActivities>({
  summary: "Watch for the holder's end",
  startToCloseTimeout: '1 h',
  heartbeatTimeout: '15 s',
  retry: { initialInterval: 500, backoffCoefficient: 1 },
});

/**
 * Change control of one environment: the only one who says who may change what. What it decides is in src/domain/lease;
 * here it hears messages, delivers signals and watches holders. It never ends by itself and cannot be canceled:
 * whoever must end it terminates it, and with it go all leases (fences on targets stay).
 *
 * Input: `ChangeControlInput`; `carried` comes from the run before. A wrong input fails it as `InvalidInput`.
 */
export async function changeControl(raw: unknown, carried?: LeaseState): Promise<never> {
  const at = parseInput(contract, raw);
  const info = workflowInfo();
  if (info.workflowId !== contract.workflowId(at)) {
    throw ApplicationFailure.nonRetryable(
      `The change control of ${at.system} ${at.environment} has the workflow id ${contract.workflowId(at)}, not ${info.workflowId}. ` +
        'Nobody need start it by hand: the first procedure does.',
      'InvalidInput',
    );
  }
  // Only the server says that a run continues another one; a second argument alone is somebody's mistake.
  let state = info.continuedFromExecutionRunId && carried ? carried : emptyState(at);
  let shownPhase: string | undefined;
  let changes = 0;
  const watches = new Map<string, CancellationScope>();
  const underWay = new Set<number>();

  const ignore = (): void => apply({ ...state, ignored: state.ignored + 1 });

  setHandler(
    acquireUpdate,
    (request) => {
      const { state: next, reply } = acquire(state, request, Date.now());
      apply(next);
      return reply;
    },
    { validator: requireShape(acquireRequestSchema), description: 'From procedures: ask for a lease or a reservation' },
  );
  setHandler(
    releaseSignal,
    ifUnderstood(leaseReleaseSchema, (message) => apply(release(state, message, Date.now())), ignore),
    { description: 'From procedures: give up a lease, a reservation or a place in the queue' },
  );
  /** What a person orders: by an Update with its answer, or by a Signal from the Temporal UI. */
  const take =
    <Order>(carryOut: (from: LeaseState, order: Order, now: number) => { state: LeaseState; result: OrderResult }) =>
    (order: Order): OrderResult => {
      const { state: next, result } = carryOut(state, order, Date.now());
      apply(next);
      return result;
    };
  const takeRepair = take<Repair>(repair);
  const repairHelp = 'A dirty target was checked by hand and is well: {"scope": "shop", "by": "ana", "reason": "…"}';
  setHandler(repairUpdate, takeRepair, { validator: requireShape(repairSchema), description: repairHelp });
  setHandler(repairSignal, ifUnderstood(repairSchema, takeRepair, ignore), { description: repairHelp });
  setHandler(
    budgetUpdate,
    (message) => {
      const reply = takeBudget(state.budget, message);
      if (!reply.late) apply({ ...state, budget: reply.budget });
      return reply;
    },
    { validator: requireShape(budgetMessageSchema), description: 'From watchErrorBudget: what was measured' },
  );
  const freezeHelp =
    'Keep changes out from now on: {"until": "2026-12-27T08:00:00Z", "reason": "…", "by": "ana", "name": "…"}';
  const takeFreeze = (order: StartFreeze): OrderResult => take(startFreeze)(startFreezeSchema.parse(order));
  setHandler(startFreezeUpdate, takeFreeze, { validator: requireShape(startFreezeSchema), description: freezeHelp });
  setHandler(startFreezeSignal, ifUnderstood(startFreezeSchema, takeFreeze, ignore), { description: freezeHelp });
  const thawHelp = 'End a freeze that was started by hand: {"name": "…", "by": "ana"}';
  const takeThaw = (order: EndFreeze): OrderResult => take(endFreeze)(endFreezeSchema.parse(order));
  setHandler(endFreezeUpdate, takeThaw, { validator: requireShape(endFreezeSchema), description: thawHelp });
  setHandler(endFreezeSignal, ifUnderstood(endFreezeSchema, takeThaw, ignore), { description: thawHelp });
  setHandler(stateQuery, () => viewState(state), { description: 'Leases, reservations and the queue' });
  upsertSearchAttributes({
    OpsSystem: [at.system],
    OpsEnvironment: [at.environment],
    OpsProcedure: [contract.procedure],
  });
  show();

  return CancellationScope.nonCancellable(async () => {
    for (;;) {
      state.outbox.filter(({ id }) => !underWay.has(id)).forEach((out) => void deliver(out));
      watchHolders();
      if (workflowInfo().continueAsNewSuggested || workflowInfo().historyLength > EVENTS_PER_RUN) {
        await condition(allHandlersFinished);
        // What is not delivered yet and whom to watch is in the state: the next run begins with it.
        return continueAsNew<typeof changeControl>(at, state);
      }
      await somethingHappens();
    }
  });

  /** A message or the result of an activity, or the time for which a waiting request waits. */
  async function somethingHappens(): Promise<void> {
    const seen = changes;
    const wake = nextWake(state, Date.now());
    if (wake === undefined) return condition(() => changes !== seen);
    const happened = await condition(() => changes !== seen, Math.max(1, wake - Date.now()), { summary: 'grace time' });
    if (!happened) apply(timePassed(state, Date.now()));
  }

  function apply(next: LeaseState): void {
    if (next === state) return;
    state = next;
    changes++;
    show();
  }

  function show(): void {
    setCurrentDetails(renderChangeControl(state));
    const phase = phaseOf(state);
    if (phase !== shownPhase) upsertSearchAttributes({ OpsPhase: [phase] });
    shownPhase = phase;
  }

  async function deliver(out: Outgoing): Promise<void> {
    underWay.add(out.id);
    const { delivered } = await signalHolder(out);
    underWay.delete(out.id);
    apply(signalSettled(state, out.id, delivered, Date.now()));
  }

  function watchHolders(): void {
    const wanted = new Map(watchedHolders(state).map((holder) => [keyOf(holder), holder]));
    for (const [key, scope] of watches) {
      if (wanted.has(key)) continue;
      watches.delete(key);
      scope.cancel();
    }
    for (const [key, holder] of wanted) {
      if (watches.has(key)) continue;
      const scope = new CancellationScope();
      watches.set(key, scope);
      void scope.run(() => watch(key, holder));
    }
  }

  async function watch(key: string, { workflowId, firstRunId }: Holder): Promise<void> {
    try {
      const { status } = await awaitHolderEnd({ workflowId, firstRunId });
      watches.delete(key);
      apply(holderEnded(state, { workflowId, firstRunId }, status, Date.now()));
    } catch (error) {
      if (!isCancellation(error)) throw error;
    }
  }
}

const keyOf = ({ workflowId, firstRunId }: Holder): string => `${firstRunId} ${workflowId}`;
