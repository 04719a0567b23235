import {
  ApplicationFailure,
  CancellationScope,
  condition,
  defineSignal,
  getExternalWorkflowHandle,
  log,
  patched,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import {
  changeControlId,
  leaseGrantSchema,
  leaseOverdueSchema,
  standDownSchema,
  type AcquireReply,
  type ChangeControlInput,
  type Holder,
  type LeaseGrant,
  type LeaseOverdue,
  type LeaseRelease,
  type Priority,
  type StandDown,
  type TakenFrom,
} from '../../src/contracts/change-control.ts';
import { leases } from './lease-activities.ts';

export const leaseGranted = defineSignal<[unknown]>('leaseGranted');
export const standDown = defineSignal<[unknown]>('standDown');
export const leaseOverdue = defineSignal<[unknown]>('leaseOverdue');
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
  /** The end that was named to `hold` has come, and the lease is still held. */
  onOverdue?: (overdue: LeaseOverdue) => void;
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
   * are asked for together and granted all or none, so that two procedures never wait for each other.
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
   * @param how.until the end, in milliseconds since the epoch: past it the holder is told, and the lease is overdue
   * @param how.preempt for rollbacks and incidents: a holder of lower priority is asked to stand down, then displaced
   * @throws as `reserve`
   */
  hold(how: { onBusy: 'refuse' | 'queue'; preempt: boolean; until?: number }): Promise<Held>;
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

  setHandler(
    leaseOverdue,
    (raw) => {
      const overdue = leaseOverdueSchema.safeParse(raw);
      // Given back meanwhile: nobody need be told.
      if (overdue.success && concerned.has(overdue.data.scope)) options.onOverdue?.(overdue.data);
    },
    { description: 'From change control: the lease is held longer than it was asked for' },
  );

  return {
    get token() {
      return options.scope === undefined ? undefined : tokens.get(options.scope);
    },
    cover(more) {
      scopes = [...new Set([...scopes, ...more])].sort();
    },
    async reserve({ onBusy }) {
      for (const group of together()) {
        await acquire(group, 'reserve', { onBusy, preempt: false });
        for (const scope of group) show(scope, `Reserved: ${scope} in ${at.environment}`);
      }
    },
    async hold(how) {
      let takenFrom: TakenFrom | undefined;
      for (const group of together()) {
        const grant = await acquire(group, 'hold', how);
        if (grant.token === undefined) throw unavailable(`the grant of ${group.join(', ')} carries no fencing token`);
        takenFrom ??= grant.takenFrom;
        for (const scope of group) {
          tokens.set(scope, grant.token);
          show(scope, `Holds the lease on ${scope} in ${at.environment} (fencing token ${grant.token})`);
        }
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

  /** What is asked for at once. Histories from before there were such requests ask for one after another, in order. */
  function together(): string[][] {
    return scopes.length > 1 && patched('leases-together') ? [scopes] : scopes.map((each) => [each]);
  }

  async function acquire(
    [scope, ...also]: string[],
    mode: 'reserve' | 'hold',
    { onBusy, preempt, until }: { onBusy: 'refuse' | 'queue'; preempt: boolean; until?: number },
  ): Promise<Pick<LeaseGrant, 'token' | 'takenFrom'>> {
    // The run id makes a reset workflow ask anew: its old answers belong to what was undone by the reset.
    const requestId = `${runId}/${++asked}`;
    for (const each of [scope!, ...also]) concerned.add(each);
    const request = {
      ...{ requestId, holder, scope: scope!, priority: options.priority, mode, onBusy, preempt },
      ...(also.length > 0 ? { also } : {}),
      ...(until === undefined ? {} : { until }),
    };
    const what = [scope, ...also].join(', ');
    const reply: AcquireReply = await leases(options.priority, `${mode} ${what}`).acquireLease({
      at,
      request,
    });
    switch (reply.status) {
      case 'refused':
        throw unavailable(reply.message, reply.code, reply.holder);
      case 'queued':
        show(
          scope!,
          `Waiting for the lease on ${what}, number ${reply.position} in the queue behind ` +
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
