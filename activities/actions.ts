import { activityInfo, log } from '@temporalio/activity';
import type { Action, ActionContext, ActionPlan } from '../src/actions/action.ts';
import { ACTIONS } from '../src/actions/index.ts';
import { failure } from '../src/adapters/failure.ts';
import { describeIssues } from '../src/contracts/contract.ts';
import type { ExpressionScope } from '../src/contracts/expression-type.ts';
import { evaluateCondition } from '../src/expressions/expression.ts';
import { MAX_OUTPUT_BYTES, MAX_RESULT_BYTES, bytesOf, cutOutput } from '../src/domain/runbook/output.ts';
import { createActionContext, HEARTBEAT_MS, type ActionDependencies, type ActionRequest } from './action-context.ts';
import { watchUntil, type WatchResult } from './watch-until.ts';

export type { ActionRequest } from './action-context.ts';

/** What `until` of a runbook asks for. */
export interface PollRequest extends ActionRequest {
  /** The condition, with its variables besides `output`. */
  is: string;
  scope: ExpressionScope;
  values: Record<string, unknown>;
  everyMs: number;
  withinMs: number;
  holdsForMs: number;
}

/** The steps of runbooks. What kind of effect `runAction` has is said by each action. */
export function createActionActivities(deps: ActionDependencies) {
  return {
    /** What a call would do now. It only looks. @throws InvalidInput, and whatever the action finds */
    planAction: (request: ActionRequest): Promise<ActionPlan> => planCall(deps, request),

    /**
     * Carries a call out. An output that is too large for the history is cut; all of it is kept as evidence, if the
     * object store answers: the effect has taken place and must not be repeated for it.
     * @throws InvalidInput, Fenced, and whatever the action finds
     */
    async runAction(request: ActionRequest): Promise<unknown> {
      const { action, parameters } = understand(request);
      const output = await within(deps, request, (context) => action.run(context, parameters));
      if (bytesOf(output) > MAX_RESULT_BYTES) await keep(request.key, output);
      return cutOutput(output, MAX_OUTPUT_BYTES);
    },

    /**
     * Looks by an action, again and again, until a condition has held for its time or the deadline is over. One
     * activity, so that hours of it are a few events of history; how long it has held is in its heartbeats.
     * @throws InvalidInput and what else no later look can change
     */
    async pollAction({
      is,
      scope,
      values,
      everyMs,
      withinMs,
      holdsForMs,
      ...request
    }: PollRequest): Promise<WatchResult> {
      const { action, parameters } = understand(request);
      return within(deps, request, (context) =>
        watchUntil({
          look: () => action.run(context, parameters),
          holds: (output) => evaluateCondition(is, scope, { ...values, output }),
          now: () => context.now(),
          sleep: (ms) => context.sleep(ms),
          remember: (state) => context.heartbeat(state),
          former: context.former,
          everyMs,
          holdsForMs,
          deadline: activityInfo().scheduledTimestampMs + withinMs,
        }),
      );
    },
  };

  async function keep(key: string, output: unknown): Promise<void> {
    const body = JSON.stringify(output, undefined, 2);
    await deps.objects
      .put({ key: `${key}.json`, contentType: 'application/json', body })
      .catch(
        (error: Error) => void log.warn('the output of a step was not kept as evidence', { key, error: error.message }),
      );
  }
}

/** As the activity `planAction`; plans of whole runbooks use it too. */
export async function planCall(deps: ActionDependencies, request: ActionRequest): Promise<ActionPlan> {
  const { action, parameters } = understand(request);
  return within(deps, request, async (context) => (await action.plan?.(context, parameters)) ?? { lines: [] });
}

/** Signs of life, whatever the action itself does: a worker that died is noticed in seconds, not after its timeout. */
async function within<T>(
  deps: ActionDependencies,
  request: ActionRequest,
  work: (context: ActionContext) => Promise<T>,
): Promise<T> {
  const { context, close } = createActionContext(deps, request);
  const timer = setInterval(() => context.heartbeat(), HEARTBEAT_MS);
  try {
    return await work(context);
  } catch (error) {
    // A statement that was ended because the attempt was cancelled fails in its vendor's words.
    throw context.signal.aborted ? (context.signal.reason as Error) : error;
  } finally {
    clearInterval(timer);
    await close();
  }
}

/** Checked when the catalog was loaded, and again here: expressions have been filled in since. */
function understand({ action: name, parameters: given }: ActionRequest): { action: Action; parameters: never } {
  const action = ACTIONS.get(name);
  if (!action) throw failure('InvalidInput', `no action ${name}; there is: ${[...ACTIONS.keys()].sort().join(', ')}`);
  const parsed = action.parameters.safeParse(given);
  if (!parsed.success) throw failure('InvalidInput', `${name}: ${describeIssues(parsed.error)}`);
  return { action, parameters: parsed.data as never };
}
