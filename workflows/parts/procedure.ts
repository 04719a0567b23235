import {
  CancellationScope,
  condition,
  isCancellation,
  setCurrentDetails,
  setHandler,
  upsertMemo,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { StandDown } from '../../src/contracts/change-control.ts';
import { orderSchema, type Order } from '../../src/contracts/messages.ts';
import type { Plan } from '../../src/contracts/plan.ts';
import type { Phase, ProgressView } from '../../src/contracts/progress.ts';
import type { Place } from '../../src/contracts/scalars.ts';
import { renderDetails } from '../../src/domain/current-details.ts';
import type { GateState } from '../../src/domain/gate-state.ts';
import { askedGate } from '../../src/domain/gate-view.ts';
import { abort, hold, progress, resume } from '../messages.ts';
import { notice } from './activities.ts';
import { failure } from './failure.ts';

/** Why the work was stopped from outside. */
export interface Stop {
  kind: 'aborted' | 'stood-down' | 'canceled';
  by: string;
  reason: string;
}

/**
 * What every procedure has: named steps that operators see, hold and resume, an abort, notices, and one way to be
 * stopped. Created before the first `await`, because messages may arrive with the first task.
 */
export interface Procedure {
  readonly place: Place;
  readonly view: ProgressView;
  /** Enters a named step: shown, recorded, and waited at while somebody holds the procedure. */
  step(phase: Phase, step: string, next?: string): Promise<void>;
  /** Adds to the timeline. */
  record(text: string): void;
  /** Shows a line under a key; an empty text removes it. */
  show(key: string, text: string): void;
  awaitRoles(roles: string[]): void;
  /** `escape`: the exact command that brings back by hand what the procedure protects; `escapeDoes`: to what effect. */
  publish(shown: { plan?: Plan; escape?: string; escapeDoes?: string; etaAt?: string }): void;
  /** Extra text of the current details: the gates with what to type. */
  setAppendix(render: () => string): void;
  refresh(): void;
  /** Where notices go, once the catalog is known. */
  setChannels(channels: string[]): void;
  /**
   * Tells people, those of other channels `also`, and which gates they are asked to decide; nothing waits for it and its
   * failure is only recorded.
   */
  tell(text: string, also?: string[], gates?: GateState[]): void;
  /** Does something beside the work, whatever becomes of the work; only `settle` waits for it, its failure is recorded. */
  beside(what: string, work: () => Promise<void>): void;
  /** Runs the work so that abort, stand-down and cancellation end it; afterwards `stop` says which. */
  stoppable<T>(work: () => Promise<T>): Promise<T>;
  /** Stops because a rollback or an incident takes the lease; what was changed is left to it. */
  readonly yieldTo: (order: StandDown) => void;
  readonly stop: Stop | undefined;
  /** Waits for notices and what else is under way beside the work; called once at the end. */
  settle(): Promise<void>;
}

export function startProcedure(name: string, of: Place): Procedure {
  const view: ProgressView = {
    procedure: name,
    phase: 'planning',
    step: 'starting',
    awaiting: [],
    lines: [],
    startedAt: new Date(Date.now()).toISOString(),
    timeline: [],
  };
  const lines = new Map<string, string>();
  const notices: Promise<void>[] = [];
  const scope = new CancellationScope();
  let channels: string[] = [];
  let stop: Stop | undefined;
  let appendix = (): string => '';

  const refresh = (): void => {
    view.lines = [...lines.values()];
    setCurrentDetails(renderDetails(view, workflowInfo().workflowId, appendix()));
  };
  const record = (text: string): void => {
    view.timeline = [...view.timeline, { at: new Date(Date.now()).toISOString(), text }].slice(-200);
    refresh();
  };
  const stopWith = (cause: Stop): void => {
    stop ??= cause;
    // Who stops it does not want it held any more: it would wait at its own end.
    delete view.held;
    record(`${cause.kind} by ${cause.by}: ${cause.reason}`);
    scope.cancel();
  };

  setHandler(progress, () => view, { description: 'What happens now, who is awaited, and what was done so far' });
  const onOrder = (what: string, apply: (order: Order) => void) => (raw: unknown) => {
    const order = orderSchema.safeParse(raw);
    if (order.success) apply(order.data);
    else record(`${what} without effect: expected {"by": "<who>", "reason": "<why>"}`);
  };
  setHandler(
    hold,
    onOrder('hold', (order) => {
      view.held = { by: order.by, reason: order.reason ?? 'no reason given' };
      record(`held by ${order.by}: ${view.held.reason}`);
    }),
    { description: 'Pause before the next step: {"by": "ana", "reason": "…"}' },
  );
  setHandler(
    resume,
    onOrder('resume', (order) => {
      delete view.held;
      record(`resumed by ${order.by}`);
    }),
    { description: 'Go on after a hold: {"by": "ana"}' },
  );
  setHandler(
    abort,
    onOrder('abort', (order) => stopWith({ kind: 'aborted', by: order.by, reason: order.reason ?? 'no reason given' })),
    { description: 'Stop and undo, traffic first: {"by": "ana", "reason": "…"}' },
  );
  upsertSearchAttributes({
    OpsSystem: [of.system],
    OpsEnvironment: [of.environment],
    OpsProcedure: [name],
    OpsPhase: ['planning'],
  });

  return {
    place: { system: of.system, environment: of.environment },
    view,
    record,
    refresh,
    yieldTo: ({ by }) => stopWith({ kind: 'stood-down', by: by.requestedBy, reason: `${by.procedure}: ${by.summary}` }),
    get stop() {
      return stop;
    },
    async step(phase, step, next) {
      // Bringing traffic back never waits for a hold.
      if (phase !== 'undoing' && phase !== 'rescue') await condition(() => view.held === undefined);
      if (phase !== view.phase) upsertSearchAttributes({ OpsPhase: [phase] });
      view.phase = phase;
      view.step = step;
      if (next) view.next = next;
      else delete view.next;
      record(step);
    },
    show(key, text) {
      if (lines.get(key) === (text || undefined)) return;
      if (text) lines.set(key, text);
      else lines.delete(key);
      refresh();
    },
    awaitRoles(roles) {
      if (view.awaiting.join() === roles.join()) return;
      view.awaiting = roles;
      upsertSearchAttributes({ OpsAwaiting: roles });
      refresh();
    },
    publish(shown) {
      Object.assign(view, shown);
      if (shown.escape) upsertMemo({ escape: shown.escape });
      refresh();
    },
    setAppendix(render) {
      appendix = render;
    },
    setChannels(names) {
      channels = names;
    },
    tell(text, also = [], gates = []) {
      const to = [...new Set([...channels, ...also])];
      if (to.length === 0) return;
      const key = `${workflowInfo().workflowId}/${workflowInfo().runId}/${notices.length}`;
      const deliver = (): Promise<void> =>
        notice('Tell people')
          .notify({
            ...{ system: of.system, channels: to, text, key },
            ...(gates.length > 0 ? { gates: gates.map(askedGate) } : {}),
          })
          .then(
            ({ failed }) =>
              failed.forEach(({ channel, error }) => record(`notice not delivered to ${channel}: ${error}`)),
            (error: unknown) =>
              record(`notice not delivered: ${error instanceof Error ? error.message : String(error)}`),
          );
      notices.push(CancellationScope.nonCancellable(deliver));
    },
    beside(what, work) {
      notices.push(
        CancellationScope.nonCancellable(work).catch((error: unknown) =>
          record(`could not ${what}: ${error instanceof Error ? error.message : String(error)}`),
        ),
      );
    },
    async stoppable(work) {
      try {
        return await scope.run(work);
      } catch (error) {
        if (!isCancellation(error)) throw error;
        stop ??= { kind: 'canceled', by: 'the server', reason: 'cancellation was requested' };
        throw failure(
          stop.kind === 'stood-down' ? 'StoodDown' : 'Aborted',
          `${name} was ${stop.kind} by ${stop.by}: ${stop.reason}`,
        );
      }
    },
    async settle() {
      await Promise.all(notices);
    },
  };
}
