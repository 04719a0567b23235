import {
  ActivityCancellationType,
  ApplicationFailure,
  CancellationScope,
  condition,
  defineSignal,
  getExternalWorkflowHandle,
  log,
  proxyActivities,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { LeasesActivities } from '../../activities/leases.ts';
import {
  changeControlId,
  leaseGrantSchema,
  standDownSchema,
  type AcquireReply,
  type ChangeControlInput,
  type Holder,
  type LeaseGrant,
  type LeaseRelease,
  type Priority,
  type StandDown,
  type TakenFrom,
} from '../../src/contracts/change-control.ts';
import { ACQUIRE_PROFILE, PRIORITY } from '../../src/domain/lease/rules.ts';

export const leaseGranted = defineSignal<[unknown]>('leaseGranted');
export const standDown = defineSignal<[unknown]>('standDown');
/** Signal to change control. */
export const release = defineSignal<[LeaseRelease]>('release');

export interface LeaseOptions {
  at: ChangeControlInput;
  /**
   * What the lease covers: a service's name, or another scope (`leaseScope` in src/contracts/scalars.ts). Absent when
   * it is known only once the catalog is read: then `cover` says it.
   */
  scope?: string;
  procedure: string;
  requestedBy: string;
  /** One line for people: `shop v3 to production`. */
  summary: string;
  priority: Priority;
  /** A rollback or an incident needs the target: stop changing it and release with `handed-over`. Called once. */
  onStandDown?: (order: StandDown) => void;
  /** Called when `describe()` has changed. */
  onChange?: () => void;
}

/** What holding gives: the fencing tokens, and from whom a scope was taken over. */
export interface Held {
  /** Of the first scope. */
  token: number;
  tokens: Record<string, number>;
  takenFrom?: TakenFrom;
}

/** The right to change one scope of an environment, or several together; one per workflow. */
export interface Lease {
  /** The fencing token of the first scope while held: every mutation carries it. */
  readonly token: number | undefined;
  /**
   * More scopes that belong to the same change, known once the catalog is read and before anything is asked for. They
   * are always acquired in the same order, so that two procedures never wait for each other.
   */
  cover(scopes: string[]): void;
  /**
   * Keeps other deployments out while gates wait; when queued, resolves once it is granted.
   * @throws ApplicationFailure `LeaseUnavailable` when refused; CancelledFailure when canceled while it waits.
   */
  reserve(how: { onBusy: 'refuse' | 'queue' }): Promise<void>;
  /**
   * Takes the lease, or turns the own reservation into it; when queued, resolves once it is granted. Taking it again
   * gives a new, higher token.
   * @param how.preempt for rollbacks and incidents: a holder of lower priority is asked to stand down, then displaced
   * @throws as `reserve`
   */
  hold(how: { onBusy: 'refuse' | 'queue'; preempt: boolean }): Promise<Held>;
  /** Gives up whatever was asked for: lease, reservation or place in the queue. Never fails and cannot be canceled. */
  release(state: LeaseRelease['state']): Promise<void>;
  /** What is held or awaited, in words for current details; empty when nothing is. */
  describe(): string[];
}

/** Registers the lease messages and returns the lease, not yet asked for. Called before the first `await`. */
export function useLease(options: LeaseOptions): Lease {
  const { workflowId, firstExecutionRunId, runId } = workflowInfo();
  const at: ChangeControlInput = { system: options.at.system, environment: options.at.environment };
  const holder: Holder = {
    workflowId,
    firstRunId: firstExecutionRunId,
    procedure: options.procedure,
    requestedBy: options.requestedBy.slice(0, 500),
    summary: options.summary.slice(0, 500),
  };
  const grants = new Map<string, LeaseGrant>();
  const concerned = new Set<string>();
  const tokens = new Map<string, number>();
  const lines = new Map<string, string>();
  let scopes = options.scope === undefined ? [] : [options.scope];
  let asked = 0;
  let toldToStandDown = false;

  setHandler(
    leaseGranted,
    (raw) => {
      const grant = leaseGrantSchema.safeParse(raw);
      if (grant.success) grants.set(grant.data.requestId, grant.data);
    },
    { description: 'From change control: the lease that was waited for is granted' },
  );
  setHandler(
    standDown,
    (raw) => {
      const order = standDownSchema.safeParse(raw);
      // Not for us, not any more, or told before: change control repeats a signal whose delivery it is not sure of.
      if (!order.success || !concerned.has(order.data.scope) || toldToStandDown) return;
      toldToStandDown = true;
      show(order.data.scope, `Asked to stand down by ${order.data.by.procedure}: ${order.data.by.summary}`);
      options.onStandDown?.(order.data);
    },
    { description: 'From change control: stop changing the target and release the lease' },
  );

  return {
    get token() {
      return options.scope === undefined ? undefined : tokens.get(options.scope);
    },
    cover(more) {
      scopes = [...new Set([...scopes, ...more])].sort();
    },
    async reserve({ onBusy }) {
      for (const scope of scopes) {
        await acquire(scope, 'reserve', onBusy, false);
        show(scope, `Reserved: ${scope} in ${at.environment}`);
      }
    },
    async hold({ onBusy, preempt }) {
      let takenFrom: TakenFrom | undefined;
      for (const scope of scopes) {
        const grant = await acquire(scope, 'hold', onBusy, preempt);
        if (grant.token === undefined) throw unavailable(`the grant of ${scope} carries no fencing token`);
        tokens.set(scope, grant.token);
        takenFrom ??= grant.takenFrom;
        show(scope, `Holds the lease on ${scope} in ${at.environment} (fencing token ${grant.token})`);
      }
      return {
        token: tokens.get(options.scope ?? scopes[0]!)!,
        tokens: Object.fromEntries(tokens),
        ...(takenFrom ? { takenFrom } : {}),
      };
    },
    async release(state) {
      const held = [...concerned].reverse();
      concerned.clear();
      tokens.clear();
      for (const scope of held) await giveUp({ scope, holder, state });
    },
    describe: () => [...lines.values()],
  };

  async function giveUp(message: LeaseRelease): Promise<void> {
    try {
      await CancellationScope.nonCancellable(() =>
        getExternalWorkflowHandle(changeControlId(at)).signal(release, message),
      );
    } catch (error) {
      // Change control was terminated by hand: with it went the lease, and the fence on the target still stands.
      log.warn('nobody took the release of the lease', { scope: message.scope, error: String(error) });
    }
    show(message.scope, '');
  }

  async function acquire(
    scope: string,
    mode: 'reserve' | 'hold',
    onBusy: 'refuse' | 'queue',
    preempt: boolean,
  ): Promise<Pick<LeaseGrant, 'token' | 'takenFrom'>> {
    // The run id makes a reset workflow ask anew: its old answers belong to what was undone by the reset.
    const requestId = `${runId}/${++asked}`;
    concerned.add(scope);
    const request = { requestId, holder, scope, priority: options.priority, mode, onBusy, preempt };
    const reply: AcquireReply = await leases(options.priority, `${mode} ${scope}`).acquireLease({
      at,
      request,
    });
    switch (reply.status) {
      case 'refused':
        throw unavailable(reply.message, reply.code, reply.holder);
      case 'queued':
        show(
          scope,
          `Waiting for the lease on ${scope}, number ${reply.position} in the queue behind ` +
            `${reply.behind.procedure} (${reply.behind.summary}, asked by ${reply.behind.requestedBy}, ${reply.behind.workflowId})`,
        );
        await condition(() => grants.has(requestId));
        return grants.get(requestId)!;
      case 'granted':
        return reply;
      case 'reserved':
        return {};
    }
  }

  function show(scope: string, text: string): void {
    if ((lines.get(scope) ?? '') === text) return;
    if (text) lines.set(scope, text);
    else lines.delete(scope);
    options.onChange?.();
  }
}

const unavailable = (message: string, ...details: unknown[]): ApplicationFailure =>
  ApplicationFailure.create({ type: 'LeaseUnavailable', message, nonRetryable: true, details });

/** Canceling waits for an answer under way, so that nobody holds a lease without knowing it. */
function leases(priority: Priority, summary: string): Pick<LeasesActivities, 'acquireLease'> {
  const { startToCloseMs, initialIntervalMs, maximumIntervalMs, attempts } = ACQUIRE_PROFILE;
  return proxyActivities<Pick<LeasesActivities, 'acquireLease'>>({
    summary: `Lease: ${summary}`.slice(0, 200),
    startToCloseTimeout: startToCloseMs,
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    retry: {
      initialInterval: initialIntervalMs,
      maximumInterval: maximumIntervalMs,
      ...(PRIORITY[priority] >= PRIORITY.rollback ? { maximumAttempts: attempts } : {}),
    },
  });
}
